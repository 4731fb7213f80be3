"""Picking: a run that goes on with some systems of another, each as often as is wanted.

So one moment of a system can be played on with many different orders side by side, and a system can go on as another
one with the same components: one that something else befalls from now on.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scenarios.world.layout import lay_out
from scenarios.world.operations import OPERATIONS
from scenarios.world.operations.operation import list_flags
from scenarios.world.record import COUNTS, LEVELS, Record
from scenarios.world.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.world.flows import Passed
    from scenarios.world.layout import Indices, Layout
    from scenarios.world.state import JobState, Task
    from scenarios.world.system import System

FIXED = "fixed"
"""The axis of what does not change while a system runs: it is as the new layout has it."""

AXES: Mapping[str, Mapping[str, str]] = {
    "": {
        "component": "work errors slots cores scans skew expired together memory_limit leak connections shed",
        "instance": "wanted phase ready_at warmth starts_left unclean release leaked memory kept swell",
        "call": "loss denied",
        "link": "usable unopened",
        "journey": "again blocked demand",
        "zone": "cordoned",
    },
    "flows": {
        "call": "owed waiting reached times made",
        "route": "users begun kept latency holding",
        "instance": "queue",
    },
    "paths": {
        "zone": "loss latency isolated",
        "instance": "failing out",
        FIXED: "instance_zone component_system caller callee checks usual_loss usual_latency",
    },
    "caches": {"instance": "finds", FIXED: "best fill lasts persists misses cache look_ups"},
    "credentials": {"component": "accepted issued", "link": "held inside", FIXED: "callee"},
    "queues": {
        "lane": "waits taken came done dropped ahead stands",
        "topic": "recent history",
        FIXED: (
            "topic_route topic_broker topic_size topic_partitions topic_steps group_topic group_route group_component "
            "group_workers lane_group lane_topic"
        ),
    },
    "disks": {
        "instance": "capacity data waste used",
        "component": "extra",
        FIXED: "laid_out rate write writes stops",
    },
    "addresses": {
        "component": "moves told told_left unanswered",
        "link": "held left",
        FIXED: "resolver callee lasts told_lasts named rank",
    },
    "awaiting": {"lane": "pace", FIXED: "route group within"},
}
"""By kernel, and of the state itself, along which axis each of its arrays lies: the last one, of zones the first."""
NOT_ARRAYS: Mapping[str, tuple[str, ...]] = {
    "": ("flags", "jobs", "rollouts", "tasks", "events", "passed", "before", "time", "step"),
    "paths": ("routers",),
    "queues": ("turn", "ledger"),
}
"""What else there is, each part of which is picked in a way of its own."""
_OF_KERNEL = {
    kernel: {name: axis for axis, names in axes.items() for name in names.split()} for kernel, axes in AXES.items()
}
_RECORDED = {
    "component": (
        "load queue running memory connections computed disk hits kept waited link_loss link_latency unanswered"
        " collecting"
    ),
    "call": "sent reached succeeded failed given_up delay",
    "group": "backlog",
    "route": "arrived rejected barred done good faulty refused full expired users_good users_failed p50 p90 p99",
}
OF_RECORD = {name: axis for axis, names in _RECORDED.items() for name in names.split()}
"""Along which axis each part of the record and of a step lies."""


@dataclass(frozen=True, slots=True)
class Picked:
    """What a run goes on with: a layout, its state, and its record from the start."""

    layout: Layout
    state: State
    record: Record


def pick(
    layout: Layout, state: State, record: Record, picks: Sequence[int], systems: Sequence[System] | None
) -> Picked:
    """Some systems of a run as they are now, by their places, each as often as it is named.

    `systems` are what they are from now on: the same but for changes, jobs, features and releases.

    Raises:
        ValueError: if one of the `systems` has other components, calls or the like.
    """
    new = lay_out([layout.systems[place] for place in picks] if systems is None else systems)
    places = _Places(layout, new, picks)
    picked = State.start(new, state.step)
    _copy("", state, picked, places)
    picked.time = state.time
    picked.queues.turn, picked.queues.ledger = state.queues.turn, state.queues.ledger
    if state.passed is not None:
        picked.passed = _pick_passed(state.passed, places)
    _pick_settings(layout, state, new, picked, places)
    for world in range(len(picks)):
        _pick_flags(state, picked, places, world)
        _pick_jobs(state, picked, places, world)
        _pick_rollouts(state, picked, places, world)
        _pick_tasks(state, picked, places, world)
        _pick_events(state, picked, places, world)
    return Picked(new, picked, _pick_record(record, places))


class _Places:
    """For each axis, where in an old layout stands what is picked of it for a new one."""

    def __init__(self, old: Layout, new: Layout, picks: Sequence[int]) -> None:
        before, after = _measure(old), _measure(new)
        for axis, sizes in after.items():
            for size, place in zip(sizes, picks, strict=True):
                if size != before[axis][place]:
                    raise ValueError(f"System {place} has {before[axis][place]} of {axis}, and would have {size}.")
        self.picks = picks
        self.starts = {axis: _start(sizes) for axis, sizes in before.items()}
        self.new_starts = {axis: _start(sizes) for axis, sizes in after.items()}
        self.sizes = after
        self.of: dict[str, Indices] = {
            axis: np.concatenate([np.arange(n) + self.starts[axis][pick] for n, pick in zip(sizes, picks, strict=True)])
            for axis, sizes in after.items()
        }

    def move(self, axis: str, place: int, world: int) -> int:
        """Where an index of the old layout stands in a system of the new one."""
        return place - self.starts[axis][self.picks[world]] + self.new_starts[axis][world]

    def has(self, axis: str, place: int, world: int) -> bool:
        """Whether an index of the old layout is in the system that a system of the new one was picked from."""
        return 0 <= place - self.starts[axis][self.picks[world]] < self.sizes[axis][world]


def _start(sizes: list[int]) -> list[int]:
    starts, total = [], 0
    for size in sizes:
        starts.append(total)
        total += size
    return starts


def _measure(layout: Layout) -> dict[str, list[int]]:
    """How much of each axis every system has."""
    systems = layout.systems
    most = [{part.name: part.most for part in system.components} for system in systems]
    return {
        "component": [len(system.components) for system in systems],
        "instance": [_count(of.values()) for of in most],
        "route": [_count(len(part.routes) for part in system.components) for system in systems],
        "call": [len(system.calls) for system in systems],
        "link": [
            _count(of[call.source.partition("/")[0]] for call in system.calls)
            for system, of in zip(systems, most, strict=True)
        ],
        "journey": [len(system.journeys) for system in systems],
        "topic": [len(system.topics) for system in systems],
        "group": [len(system.groups) for system in systems],
        "lane": [
            _count(topic.partitions for group in system.groups for topic in system.topics if topic.name == group.topic)
            for system in systems
        ],
    }


def _copy(kernel: str, old: Any, new: Any, places: _Places) -> None:
    """Copy each array that changes, of a state and of the kernels in it."""
    for spec in fields(old):
        value = getattr(old, spec.name)
        if not kernel and spec.name in AXES:
            _copy(spec.name, value, getattr(new, spec.name), places)
        elif spec.name not in NOT_ARRAYS.get(kernel, ()):
            axis = _OF_KERNEL[kernel].get(spec.name)
            if axis is None:
                raise TypeError(
                    f"{kernel or 'state'}.{spec.name} would be lost: nothing says along which axis it lies."
                )
            if axis == "zone":
                _copy_zones(value, getattr(new, spec.name), places.picks)
            elif axis != FIXED:
                setattr(new, spec.name, _take(value, getattr(new, spec.name), places.of[axis], spec.name))


def _take(old: Any, new: Any, places: Indices, name: str) -> Any:
    """What is picked of an array. One with a row for each zone may have more of them than it needs."""
    taken = old[..., places]
    if taken.shape == new.shape:
        return taken
    if name == "history":
        raise ValueError("Topics of other systems keep messages for longer; these cannot be taken apart.")
    return taken[: len(new)] if len(taken) > len(new) else np.concatenate([taken, new[len(taken) :]])


def _copy_zones(old: Any, new: Any, picks: Sequence[int]) -> None:
    zones = min(old.shape[1], new.shape[1])
    for world, place in enumerate(picks):
        if old.ndim == 2:
            new[world, :zones] = old[place, :zones]
        else:
            new[world, :zones, :zones] = old[place, :zones, :zones]


def _pick_passed(passed: Passed, places: _Places) -> Passed:
    taken = {
        spec.name: getattr(passed, spec.name)[..., places.of[OF_RECORD[spec.name]]]
        for spec in fields(passed)
        if spec.name != "ledger"
    }
    return replace(passed, **taken)


def _pick_record(record: Record, places: _Places) -> Record:
    picked = Record(ledger=record.ledger)
    if len(record):
        for name in (*COUNTS, *LEVELS):
            picked.ticks[name] = list(record.get(name)[..., places.of[OF_RECORD[name]]])
    picked.open_with([_pick_passed(passed, places) for passed in record.list_open()])
    return picked


def _pick_settings(layout: Layout, state: State, new: Layout, picked: State, places: _Places) -> None:
    """Changes that are under way go on from the value that they found."""
    of_old = _start([len(system.changes) for system in layout.systems])
    number = 0
    for world, system in enumerate(new.systems):
        place = places.picks[world]
        left = list(enumerate(layout.systems[place].changes, of_old[place]))
        for change in system.changes:
            known = next((entry for entry in left if entry[1] == change), None)
            if known is not None:
                left.remove(known)
                if known[0] in state.before:
                    picked.before[number] = state.before[known[0]]
            number += 1


def _pick_flags(state: State, picked: State, places: _Places, world: int) -> None:
    for (owner, flag), value in state.flags.items():
        if places.has("component", owner, world):
            key = places.move("component", owner, world), flag
            if key in picked.flags:
                picked.flags[key] = value


def _pick_jobs(state: State, picked: State, places: _Places, world: int) -> None:
    """Jobs go on as they stand. One that was not there before was planned at each start of its process since."""
    starts = {
        places.move("component", event.component, world): event.at
        for event in state.events
        if event.what == "ready" and places.has("component", event.component, world)
    }
    known = defaultdict(list)
    for job in state.jobs:
        if places.has("component", job.component, world):
            known[places.move("component", job.component, world), job.job.name].append(job)
    mine = places.new_starts["component"][world]
    for number, job in enumerate(picked.jobs):
        if not mine <= job.component < mine + places.sizes["component"][world]:
            continue
        same = known[job.component, job.job.name]
        if same:
            picked.jobs[number] = replace(same.pop(0), job=job.job, component=job.component, store=job.store)
        elif job.component in starts:
            job.planned = picked.flags[job.component, job.job.flag]
            job.next_at = starts[job.component] + (job.job.after_start or job.job.every)


def _pick_rollouts(state: State, picked: State, places: _Places, world: int) -> None:
    for rollout in state.rollouts:
        if places.has("component", rollout.component, world):
            current = rollout.current
            picked.rollouts.append(
                replace(
                    rollout,
                    component=places.move("component", rollout.component, world),
                    left=[places.move("instance", instance, world) for instance in rollout.left],
                    current=None if current is None else places.move("instance", current, world),
                )
            )


def _pick_tasks(state: State, picked: State, places: _Places, world: int) -> None:
    """What is under way in a system, with the places of its targets as they are now."""
    for task in state.tasks:
        place = _find_place(task, state, picked, places, world)
        if place is not None:
            picked.tasks.append(task._replace(place=place))


_AXIS_OF_TARGET = {"service": "component", "client": "journey", "topic": "topic"}


def _find_place(task: Task, state: State, picked: State, places: _Places, world: int) -> int | None:
    """Where the target of a task stands in a system; None if it is of another one."""
    kind = OPERATIONS[task.operation].target if task.operation in OPERATIONS else None
    if kind == "zone":
        system, zone = divmod(task.place, state.paths.isolated.shape[1])
        return world * picked.paths.isolated.shape[1] + zone if system == places.picks[world] else None
    if kind == "flag":
        owner, flag = list_flags(state)[task.place]
        if not places.has("component", owner, world):
            return None
        return list_flags(picked).index((places.move("component", owner, world), flag))
    if kind == "job":
        return _find_job(state.jobs[task.place], state, picked, places, world)
    axis = "instance" if kind is None else _AXIS_OF_TARGET[kind]
    return places.move(axis, task.place, world) if places.has(axis, task.place, world) else None


def _find_job(job: JobState, state: State, picked: State, places: _Places, world: int) -> int | None:
    if not places.has("component", job.component, world):
        return None
    same = [each for each in state.jobs if (each.component, each.job.name) == (job.component, job.job.name)]
    owner = places.move("component", job.component, world)
    mine = [n for n, each in enumerate(picked.jobs) if (each.component, each.job.name) == (owner, job.job.name)]
    return mine[[each is job for each in same].index(True)]


def _pick_events(state: State, picked: State, places: _Places, world: int) -> None:
    for event in state.events:
        if places.has("component", event.component, world):
            details = event.details
            if "instance" in details:
                details = {**details, "instance": places.move("instance", int(details["instance"]), world)}
            component = places.move("component", event.component, world)
            picked.events.append(event._replace(component=component, details=details))


def _count(sizes: Any) -> int:
    total = 0
    for size in sizes:
        total += size
    return total
