"""The state of everything but the requests: processes, pools, settings, jobs. Events are what happened to it when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.world.awaiting import Awaiting
from scenarios.world.caches import Caches
from scenarios.world.credentials import Credentials
from scenarios.world.disks import Disks
from scenarios.world.flows import STEP, Flows
from scenarios.world.paths import Paths
from scenarios.world.queues import Queues
from scenarios.world.resolving import Addresses
from scenarios.world.standing import RUNNING, STOPPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.flows import Passed
    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.system import Job


class Event(NamedTuple):
    """What happened to a component at a time; `what` is a key of its software's lines. `details` fill their texts."""

    at: float
    component: int
    what: str
    details: dict[str, str | int | float]


@dataclass(slots=True)
class JobState:
    """A job of a component. `planned` is the flag that the run of now, or the next, was planned with.

    `held` is the memory in MB that the store holds for it. It works on the store from `since`, None if it does not now;
    else it begins at `next_at`.
    """

    job: Job
    component: int
    store: int
    planned: bool
    next_at: float
    since: float | None = None
    held: float = 0.0
    paused: bool = False


class Task(NamedTuple):
    """An operation that is under way, with the index of its target and the number that it sets, if it sets one.

    It is carried out when it is due.
    """

    due: float
    operation: str
    place: int
    number: int | None = None


@dataclass(slots=True)
class Rollout:
    """Restarts the instances of a component one after the other, to a release if one is given."""

    component: int
    left: list[int]
    release: int | None = None
    current: int | None = None
    began: float = 0.0


@dataclass(slots=True, eq=False)
class State:
    """What runs, how well, and with which settings. Times are in seconds of the run.

    Of instances: the `phase`, until when it starts (`ready_at`), `warmth` from 0 to 1, the automatic starts that
    are left, the `release` by its place, MB `leaked`, and MB of memory in use. `usable` is the share of the
    connections of a link that are alive, `kept` are those of each pool that an instance never gives back,
    `unopened` those that were never opened since the process started. `again` are users whose request has failed
    and who will try again, by journey, and `swell` is memory in MB that goes up and down. Of the spares, those that
    are `wanted` run like the others. `passed` is the step before. Zones that are `cordoned`, by system, take no new
    instances. `shed` is the share of its requests that a component turns away at once, `blocked` that of a journey.
    `before` are values before the changes that have begun. A `step` takes so many seconds.
    """

    flows: Flows
    paths: Paths
    caches: Caches
    credentials: Credentials
    queues: Queues
    disks: Disks
    addresses: Addresses
    awaiting: Awaiting
    cordoned: NDArray[np.bool_]
    wanted: NDArray[np.bool_]
    phase: NDArray[np.int8]
    ready_at: Floats
    warmth: Floats
    starts_left: Floats
    unclean: NDArray[np.bool_]
    release: Indices
    leaked: Floats
    memory: Floats
    usable: Floats
    kept: Floats
    unopened: NDArray[np.bool_]
    again: Floats
    swell: Floats
    work: Floats
    errors: Floats
    slots: Floats
    cores: Floats
    scans: Floats
    skew: Floats
    expired: Floats
    together: Floats
    memory_limit: Floats
    leak: Floats
    loss: Floats
    denied: Floats
    connections: Floats
    shed: Floats
    blocked: Floats
    demand: Floats
    flags: dict[tuple[int, str], bool]
    jobs: list[JobState]
    rollouts: list[Rollout] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    passed: Passed | None = None
    before: dict[int, float] = field(default_factory=dict)
    time: float = 0.0
    step: float = STEP

    @classmethod
    def start(cls, layout: Layout, step: float = STEP) -> State:
        components, instances, _, calls = layout.count()
        flags = _find_flags(layout)
        queues = Queues.start(layout, step)
        return cls(
            flows=Flows.start(layout),
            paths=Paths.start(layout),
            caches=Caches.start(layout),
            credentials=Credentials.start(layout),
            queues=queues,
            disks=Disks.start(layout),
            addresses=Addresses.start(layout),
            awaiting=Awaiting.start(layout, len(queues.lane_group)),
            cordoned=np.zeros((len(layout.systems), max(len(s.zones) for s in layout.systems)), dtype=np.bool_),
            wanted=layout.instance_planned.copy(),
            phase=np.where(layout.instance_planned, RUNNING, STOPPED).astype(np.int8),
            ready_at=np.zeros(instances),
            warmth=np.ones(instances),
            unclean=np.zeros(instances, dtype=np.bool_),
            starts_left=layout.instance["automatic_starts"] + 0.0,
            release=np.zeros(instances, dtype=np.int64),
            leaked=np.zeros(instances),
            memory=layout.instance["base_memory"] + 0.0,
            usable=np.ones(len(layout.link_pool)),
            kept=np.zeros(instances),
            unopened=np.zeros(len(layout.link_pool), dtype=np.bool_),
            again=np.zeros(len(layout.journey_demand)),
            swell=0.5 * layout.instance["base_memory"] * layout.instance["memory_swing"],
            work=np.ones(components),
            errors=np.zeros(components),
            slots=np.ones(components),
            cores=np.ones(components),
            scans=np.ones(components),
            skew=np.ones(components),
            expired=np.zeros(components),
            together=np.zeros(components),
            memory_limit=np.ones(components),
            leak=np.zeros(components),
            loss=np.zeros(calls),
            denied=np.zeros(calls),
            connections=np.ones(components),
            shed=np.zeros(components),
            blocked=np.zeros(len(layout.journey_demand)),
            demand=np.ones(len(layout.journey_demand)),
            flags=flags,
            jobs=list(_plan_jobs(layout, flags)),
            step=step,
        )

    def note(self, component: int, what: str, /, **details: str | float) -> None:
        """Note an event of now."""
        self.note_ahead(0.0, component, what, **details)

    def note_ahead(self, seconds: float, component: int, what: str, /, **details: str | float) -> None:
        """Note an event that comes in some seconds, whatever else does."""
        self.events.append(Event(self.time + seconds, component, what, details))


def _find_flags(layout: Layout) -> dict[tuple[int, str], bool]:
    """The flags by component and name: on, but for one of a feature that is switched on later."""
    features = {(component, feature.flag) for component, feature in layout.features}
    flags, first = {}, 0
    for system in layout.systems:
        changes = sorted((change for change in system.changes if change.what == "flag"), key=lambda change: change.at)
        later = {change.target: change.to > 0 for change in reversed(changes)}
        for place, component in enumerate(system.components, first):
            for flag in component.flags:
                flags[place, flag] = not ((place, flag) in features and later.get(flag, False))
        first += len(system.components)
    return flags


def _plan_jobs(layout: Layout, flags: dict[tuple[int, str], bool]) -> list[JobState]:
    first = 0
    jobs = []
    for system in layout.systems:
        places = {component.name: first + n for n, component in enumerate(system.components)}
        for component in system.components:
            for job in component.jobs:
                place = places[component.name]
                jobs.append(JobState(job, place, places[job.store], flags[place, job.flag], job.first))
        first += len(system.components)
    return jobs
