"""What an operation is, and what it may be applied to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scenarios.world.layout import Layout
    from scenarios.world.state import State


TargetKind = Literal["service", "flag", "zone", "client", "job", "topic"]


class OperationError(CloudIncidentError):
    """An operation that cannot be carried out: it or its target does not exist. Nothing was done."""

    code = "invalid_action"


class Order(NamedTuple):
    """An operation as it is asked for, in one of the systems that run; with a `number`, if it sets one."""

    operation: str
    target: str
    system: int = 0
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the runbook. `carry_out` does it, `seconds` after it was ordered, whatever the state is then.

    `does` says what it is for. Of one that sets a number, `set_to` does that, if a number is asked for. Where it
    `rolls`, the instances of its target are restarted one after the other. One that is `disruptive` takes something
    from users or from what serves them while it is done: nobody does that to what has no trouble.
    """

    name: str
    target: TargetKind
    carry_out: Callable[[Layout, State, int], None]
    does: str
    seconds: float = 0.0
    rolls: bool = False
    disruptive: bool = False
    set_to: Callable[[Layout, State, int, int], None] | None = None

    def find_components(self, layout: Layout, state: State, place: int) -> list[int]:
        """The components that a target belongs to."""
        if self.target == "service":
            return [place]
        if self.target == "flag":
            return [list_flags(state)[place][0]]
        if self.target == "client":
            return [int(layout.route_component[layout.journey_entry[place]])]
        if self.target == "topic":
            return [int(state.queues.topic_broker[place])]
        if self.target == "job":
            return [state.jobs[place].component]
        return sorted({int(layout.instance_component[instance]) for instance in list_zone(layout, state, place)})


def find_targets(layout: Layout, state: State, kind: TargetKind, system: int) -> dict[str, int]:
    """What there is of a kind in a system, by name."""
    components = _find_range([len(each.components) for each in layout.systems], system)
    of_system = layout.systems[system]
    if kind == "service":
        return {layout.component_names[place]: place for place in components}
    if kind == "flag":
        return {flag: n for n, (owner, flag) in enumerate(list_flags(state)) if owner in components}
    if kind == "client":
        journeys = _find_range([len(each.journeys) for each in layout.systems], system)
        return {journey.name: place for journey, place in zip(of_system.journeys, journeys, strict=True)}
    if kind == "job":
        return {job.job.name: n for n, job in enumerate(state.jobs) if job.component in components}
    if kind == "topic":
        topics = _find_range([len(each.topics) for each in layout.systems], system)
        return {topic.name: place for topic, place in zip(of_system.topics, topics, strict=True)}
    zones = state.paths.isolated.shape[1]
    return {zone: system * zones + n for n, zone in enumerate(of_system.zones)}


def list_flags(state: State) -> list[tuple[int, str]]:
    """The flags with the components that read them, in a fixed order."""
    return list(state.flags)


def list_zone(layout: Layout, state: State, place: int) -> list[int]:
    """The instances that stand in a zone, spares included."""
    system, zone = divmod(place, state.paths.isolated.shape[1])
    here = (state.paths.instance_zone == zone) & (state.paths.component_system[layout.instance_component] == system)
    return [int(instance) for instance in np.nonzero(here)[0]]


def _find_range(sizes: Iterable[int], system: int) -> range:
    first = 0
    for number, size in enumerate(sizes):
        if number == system:
            return range(first, first + size)
        first += size
    raise OperationError(f"There is no system {system}.")
