"""What befalls a system: at a time, a part of its state takes another value, at once or little by little."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from scenarios.world.operations import roll
from scenarios.world.operations.services import remove_instance
from scenarios.world.processes import die
from scenarios.world.standing import STOPPED
from scenarios.world.system import InvalidSystemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import State
    from scenarios.world.system import Change, System

_PARTS = {
    "moves": "addresses.moves",
    "disk_rate": "disks.extra",
    "secret_issued": "credentials.issued",
    "secret_accepted": "credentials.accepted",
}
"""Where a part of the state stands that is not named as the change is."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A part of the state that a change sets, by its `number`. It is read and written in whichever state is given."""

    number: int
    change: Change
    read: Callable[[State], float]
    write: Callable[[State, float], None]
    component: int
    """The one in whose change log it is written, if it has a note."""

    def step(self, state: State) -> None:
        """Set the value that the change has come to, if it is under way."""
        change, time, step = self.change, state.time, state.step
        if not change.at <= time < change.at + change.over + step:
            return
        if self.number not in state.before and change.note and change.what not in ("release", "flag"):
            state.note(self.component, "config", by=change.by, note=change.note)
        before = state.before.setdefault(self.number, self.read(state))
        part = 1.0 if change.over == 0.0 else min(1.0, (time - change.at + step) / (change.over + step))
        self.write(state, change.to if part == 1.0 else before + (change.to - before) * part)


class Agenda:
    """Settings in their order, of which a step is shown those that are under way then."""

    def __init__(self, settings: Sequence[Setting], step: float) -> None:
        self._settings = [(each.change.at, each.change.at + each.change.over + step, each) for each in settings]
        self._ends = sorted({end for begin, until, _ in self._settings for end in (begin, until)})
        self._known: tuple[int, list[Setting]] | None = None

    def list_due(self, time: float) -> list[Setting]:
        """What is under way. That is the same until the next one begins or ends."""
        place = bisect_right(self._ends, time)
        known = self._known
        if known is None or known[0] != place:
            known = place, [each for begin, until, each in self._settings if begin <= time < until]
            self._known = known
        return known[1]


def place_changes(layout: Layout) -> list[Setting]:
    """The changes of all systems, in order, each with the part of the state that it sets.

    Raises:
        InvalidSystemError: if a change names what is not there.
    """
    placed: list[Setting] = []
    components = calls = journeys = topics = 0
    for number, system in enumerate(layout.systems):
        for change in system.changes:
            if change.what == "poison":
                read, write = _find_poison(system, change, topics)
            elif change.what == "removed":
                place = components + _find([c.name for c in system.components], change)
                read, write = _find_removed(layout, place, at_once=change.over == 0.0)
            elif change.what in _OF_INSTANCES:
                place = components + _find([c.name for c in system.components], change)
                read, write = _OF_INSTANCES[change.what](layout, place)
            elif change.what in ("link_loss", "link_latency", "zone_loss"):
                read, write = _find_path(system, change, number)
            else:
                read, write = _find_part(layout, system, change, (components, calls, journeys))
            owner = components + _find_owner(system, change)
            placed.append(Setting(len(placed), change, read, write, owner))
        components += len(system.components)
        calls += len(system.calls)
        journeys += len(system.journeys)
        topics += len(system.topics)
    return placed


def _find_owner(system: System, change: Change) -> int:
    """The component whose team makes a change: the one that is called, entered or routes; else the first one."""
    names = [component.name for component in system.components]
    entries = {journey.name: journey.entry for journey in system.journeys}
    routers = {f"{link.between[0]} {link.between[1]}": link.router or "" for link in system.links}
    target = change.target.rpartition(" ")[2]
    if change.what in ("demand", "blocked"):
        target = entries.get(change.target, target)
    elif change.what in ("link_loss", "link_latency"):
        target = routers.get(change.target, target)
    name = target.partition("/")[0]
    return names.index(name) if name in names else 0


def _find_part(
    layout: Layout, system: System, change: Change, first: tuple[int, int, int]
) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    what = change.what
    names = [component.name for component in system.components]
    if what == "release":
        return _find_release(layout, first[0] + _find(names, change), change)
    if what == "flag":
        return _find_flag(system, change, first[0])
    if what in ("loss", "denied"):
        place = first[1] + _find([f"{call.source} {call.target}" for call in system.calls], change)
    elif what in ("demand", "blocked"):
        place = first[2] + _find([journey.name for journey in system.journeys], change)
    else:
        place = first[0] + _find(names, change)

    kernel, _, part = _PARTS.get(what, what).rpartition(".")

    def find(state: State) -> Floats:
        return cast("Floats", getattr(getattr(state, kernel) if kernel else state, part))

    def write(state: State, value: float) -> None:
        find(state)[place] = value

    return lambda state: float(find(state)[place]), write


def _find_poison(
    system: System, change: Change, first: int
) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """A message that stops its partition is sent to so many partitions of a topic."""
    topic = first + _find([each.name for each in system.topics], change)

    def write(state: State, value: float) -> None:
        if value > 0:
            state.queues.poison(topic, max(1, int(value)))

    return lambda _: 0.0, write


def _find_stopped(layout: Layout, component: int) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """The share of the instances of a component whose process has ended; nobody starts it again by itself."""
    own = layout.instance_component == component

    def write(state: State, value: float) -> None:
        planned = np.nonzero(own & state.wanted)[0].tolist()
        for instance in planned[: int(value * len(planned) + 0.5)]:
            if state.phase[instance] != STOPPED:
                state.starts_left[instance] = 0.0
                die(layout, state, instance)

    return lambda _: 0.0, write


def _find_removed(
    layout: Layout, component: int, *, at_once: bool
) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """The share of the instances of a component that are taken away, but for one: by its autoscaler, or by nodes."""
    own = layout.instance_component == component

    def write(state: State, value: float) -> None:
        there = np.nonzero(own & state.wanted)[0].tolist()
        least = max(1, int(layout.components[component].instances * (1.0 - value) + 0.5))
        if at_once and there[least:]:
            state.note(component, "rescaled", before=len(there), after=least)
        for instance in there[least:]:
            if not at_once:
                state.note(component, "pressed", instance=instance)
            remove_instance(layout, state, instance)

    return lambda _: 0.0, write


def _find_answers(_: Layout, component: int) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """The share of names for which a resolver has no answer."""

    def write(state: State, value: float) -> None:
        state.addresses.unanswered[component] = value

    return lambda state: float(state.addresses.unanswered[component]), write


def _find_outdated(_: Layout, component: int) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """The share of names that lead elsewhere now, while a resolver keeps what it knew."""

    def write(state: State, value: float) -> None:
        state.addresses.outdate(component, value)

    return lambda state: 0.0 * state.time, write


def _find_together(layout: Layout, component: int) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """Seconds after which all entries of a cache end at once, again and again; from now on, if that is more than 0."""

    def write(state: State, value: float) -> None:
        state.together[component] = value
        if value > 0.0:
            state.caches.clear(layout, component)

    return lambda state: float(state.together[component]), write


def _find_data(layout: Layout, component: int) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """How full the disks of a component are, with what cannot be thrown away."""
    own = layout.instance_component == component

    def write(state: State, value: float) -> None:
        disks = state.disks
        wanted = np.maximum(disks.data, value * disks.laid_out - disks.waste)
        disks.data = np.where(own, wanted, disks.data)

    def read(state: State) -> float:
        disks = state.disks
        level = (disks.data + disks.waste) / np.maximum(disks.laid_out, 1e-9)
        return float(np.max(level[own]))

    return read, write


_OF_INSTANCES = {
    "stopped": _find_stopped,
    "unanswered": _find_answers,
    "outdated": _find_outdated,
    "together": _find_together,
    "disk_data": _find_data,
}
"""Parts of the state that are more than one number of a component."""


def _find_path(
    system: System, change: Change, number: int
) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    """A link, named by its two zones as `zone-a zone-b`, or the border of a zone."""
    if change.what == "zone_loss":
        zone = _find(system.zones, change)

        def isolate(state: State, value: float) -> None:
            state.paths.isolated[number, zone] = value

        return lambda state: float(state.paths.isolated[number, zone]), isolate
    ends = [(begin, end) for begin in range(len(system.zones)) for end in range(len(system.zones)) if begin != end]
    begin, end = ends[_find([f"{system.zones[near]} {system.zones[far]}" for near, far in ends], change)]

    def find(state: State) -> Floats:
        return state.paths.loss if change.what == "link_loss" else state.paths.latency

    def write(state: State, value: float) -> None:
        find(state)[number, begin, end] = find(state)[number, end, begin] = value

    return lambda state: float(find(state)[number, begin, end]), write


def _find_release(
    layout: Layout, component: int, change: Change
) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    releases = layout.components[component].releases
    if not 0 <= change.to < len(releases):
        raise InvalidSystemError(f"{change.target}: there is no release {change.to:g}.")
    own = layout.instance_component == component

    def write(state: State, value: float) -> None:
        release = int(value)
        begun = any(rollout.component == component and rollout.release == release for rollout in state.rollouts)
        if not begun and not all(state.release[own] == release):
            roll(layout, state, component, release)
            state.note(component, "deploy", version=releases[release].version, by=change.by, note=change.note)

    return lambda state: float(np.max(state.release[own])), write


def _find_flag(
    system: System, change: Change, first: int
) -> tuple[Callable[[State], float], Callable[[State, float], None]]:
    _find([flag for component in system.components for flag in component.flags], change)
    owners = [(first + n, change.target) for n, c in enumerate(system.components) if change.target in c.flags]

    def write(state: State, value: float) -> None:
        for component, flag in owners:
            state.flags[component, flag] = value > 0
            if state.time < change.at + state.step:
                text = "true" if value > 0 else "false"
                state.note(component, "flag", flag=flag, value=text, by=change.by, note=change.note)

    return lambda state: float(state.flags[owners[0]]), write


def _find(valid: Sequence[str], change: Change) -> int:
    if change.target not in valid:
        raise InvalidSystemError(f"{change.what}: {change.target!r} is not in the system; there is {', '.join(valid)}.")
    return valid.index(change.target)
