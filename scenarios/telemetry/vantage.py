"""What can be known of one component of a run at a moment: finished ticks, and what had happened before they ended.

The present state of a run is never looked at. So what is known of a moment is the same whenever it is asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.errors import CloudIncidentError
from scenarios.suggesting import describe_unknown
from scenarios.telemetry.clock import Clock
from scenarios.telemetry.instances import list_names
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.telemetry.instances import Names
    from scenarios.world import Component, Run, Software, System
    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.state import Event

ENDED = ("stop", "oom", "disk_stop", "gave_up")
"""Events with which a process has ended."""
_LOCKS = 100.0
"""How many times slower a store serves others if a job does not only load it but locks what they ask for."""
LEAST_MINUTES = 3
"""Whole minutes that have to be over before anything can be shown."""


class TelemetryError(CloudIncidentError):
    """What was asked for does not exist, or not yet."""

    code = "invalid_action"


class CallOfRun(NamedTuple):
    """A call by its place in the layout, with both ends: components by place and name, routes by place."""

    place: int
    source: int
    target: int
    source_name: str
    target_name: str
    source_route: int
    target_route: int
    deadline: float


class Vantage:
    """One component of a run, seen from a moment.

    Args:
        run: the run; it is only read.
        component: the name of the component.
        system: which of the systems of the run has it.
        as_of: the second of the run from which it is seen; None for now.

    Raises:
        TelemetryError: if there is no such component, the moment is yet to come, or too little has been recorded.
    """

    def __init__(self, run: Run, component: str, *, system: int = 0, as_of: float | None = None) -> None:
        layout: Layout = run.layout
        if as_of is not None and as_of > run.time:
            raise TelemetryError(f"{as_of:g} s of the run is yet to come; it is {run.time:g} s.")
        seconds = run.time if as_of is None else as_of
        self.system: System = layout.systems[system]
        first = 0
        for other in layout.systems[:system]:
            first += len(other.components)
        names = [part.name for part in self.system.components]
        if component not in names:
            raise TelemetryError(describe_unknown("service", component, names))
        self.place = first + names.index(component)
        self._own = first
        self.component: Component = layout.components[self.place]
        self.software: Software = self.component.kind
        self.clock = Clock(self.system)
        self.layout = layout
        self.ticks = min(int(seconds // TICK), len(run.record))
        """How many ticks were finished."""
        if self.ticks * TICK < 60.0 * LEAST_MINUTES:
            raise TelemetryError(f"There is no telemetry before {LEAST_MINUTES} minutes are recorded.")
        self.time = self.ticks * TICK
        """The end of the last of them, in seconds of the run: up to there everything is known."""
        self.as_of = self.clock.get_moment(seconds)
        self._record = run.record
        self._events = run.state.events
        self._past: list[Event] | None = None
        self._rows: dict[tuple[str, int, int], Floats] = {}
        own = layout.instance_component
        self.instances = np.nonzero(own == self.place)[0].tolist()
        self.routes: list[int] = np.nonzero(layout.route_component == self.place)[0].tolist()
        of_route = layout.route_component
        self.outgoing = self._list_calls(np.nonzero(of_route[layout.call_source] == self.place)[0].tolist())
        self.incoming = self._list_calls(np.nonzero(of_route[layout.call_target] == self.place)[0].tolist())

    def get(self, name: str, first: int = 0, end: int | None = None) -> Floats:
        """What was counted or read in some of the finished ticks, a row for each."""
        key = (name, first, self.ticks if end is None else min(end, self.ticks))
        if key not in self._rows:
            self._rows[key] = self._record.get(*key)
        return self._rows[key]

    def count_failed(self, first: int, end: int) -> Floats:
        """The attempts of each call that failed in some of the finished ticks, for whatever reason: a row for each."""
        key = ("failed, for whatever reason", first, end)
        if key not in self._rows:
            self._rows[key] = add_reasons(self.get("failed", first, end))
        return self._rows[key]

    def list_events(self) -> list[Event]:
        """What had happened to the component, oldest first."""
        if self._past is None:
            mine = [event for event in self._events if event.component == self.place and event.at < self.time]
            self._past = sorted(mine, key=lambda event: event.at)
        return self._past

    def find_locked(self, first: int) -> Floats:
        """1 for each finished tick from `first` on in which a job has a lock on what this component stores, else 0."""
        locked = np.zeros(self.ticks - first)
        number = self.place - self._own
        for place, component in enumerate(self.system.components, self._own):
            for job in component.jobs:
                if job.store != self.system.components[number].name or job.slow < _LOCKS:
                    continue
                since: float | None = None
                for event in self._events:
                    if event.component != place or event.at >= self.time or event.details.get("job") != job.name:
                        continue
                    if event.what == "job_start" and event.details["value"] == "true":
                        since = event.at
                    elif event.what in ("job_done", "job_lost") and since is not None:
                        _mark(locked, since, event.at, first)
                        since = None
                if since is not None:
                    _mark(locked, since, self.time, first)
        return locked

    def list_present(self) -> list[int]:
        """The instances that there were: those of the document and those that were added, without those taken out."""
        present = dict.fromkeys(self.instances[: self.component.instances])
        for event in self.list_events():
            if event.what == "start":
                present[int(event.details["instance"])] = None
            elif event.what == "removed":
                present.pop(int(event.details["instance"]), None)
        return sorted(present)

    def find_up(self, instance: int, ms: Indices) -> NDArray[np.bool_]:
        """Whether an instance, by its place in the component, took requests at some milliseconds of the run."""
        up = np.ones(len(ms), dtype=np.bool_)
        # A spare does not run until it is started.
        down: float | None = None if instance < self.component.instances else 0.0
        for event in self.list_events():
            if event.details.get("instance") != self.instances[instance]:
                continue
            if event.what in ENDED and down is None:
                down = event.at
            elif event.what == "ready" and down is not None:
                up &= (ms < down * 1000.0) | (ms >= event.at * 1000.0)
                down = None
        return up if down is None else np.asarray(up & (ms < down * 1000.0))

    @property
    def is_ours(self) -> bool:
        """Whether its processes are: those of a third party are seen from outside only."""
        return self.software.runs_on != "elsewhere"

    @cached_property
    def names(self) -> list[Names]:
        """The names of its instances, by their place in it."""
        return list_names(self.system.seed, self.component, self.instances, self.list_events())

    def get_pool(self, call: CallOfRun) -> float:
        """The connections that each instance of the caller has for a call."""
        layout = self.layout
        return float(layout.link_pool[int(np.searchsorted(layout.link_call, call.place))])

    def get_team(self) -> str:
        """The team that owns the component."""
        return self.component.team or "platform"

    def _list_calls(self, places: list[int]) -> list[CallOfRun]:
        layout = self.layout
        found = []
        for place in places:
            source_route, target_route = int(layout.call_source[place]), int(layout.call_target[place])
            source, target = int(layout.route_component[source_route]), int(layout.route_component[target_route])
            names = layout.component_names[source], layout.component_names[target]
            deadline = float(layout.call_deadline[place])
            found.append(CallOfRun(place, source, target, *names, source_route, target_route, deadline))
        return found


def _mark(ticks: Floats, since: float, until: float, first: int) -> None:
    """Set to 1 what lies whole between two seconds, of ticks from `first` on."""
    begin, end = int(since // TICK) + 1 - first, int(until // TICK) - first
    ticks[max(0, begin) : max(0, end)] = 1.0


def add_reasons(failed: Floats) -> Floats:
    """The attempts of each call that failed, for whatever reason: a row for each tick, added up in a fixed order."""
    total = failed[:, 0] + 0.0
    for reason in range(1, failed.shape[1]):
        total = total + failed[:, reason]
    return np.asarray(total)


def average(values: Floats) -> float:
    """The mean, added up in the order in which the values stand; 0 of none."""
    total = 0.0
    for value in values.tolist():
        total += value
    return total / len(values) if len(values) else 0.0
