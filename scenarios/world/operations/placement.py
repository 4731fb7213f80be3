"""Operations on where instances stand, and on the network between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.operations.operation import Operation, list_zone
from scenarios.world.operations.services import add_instances, remove_instance
from scenarios.world.standing import STOPPED
from scenarios.world.state import Task

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State

EVICTION = "evict"
"""The task of a drain that takes one instance out."""
_EVICTION_SECONDS = 10.0
"""A drain takes out one instance of each component in this time."""


def evict(layout: Layout, state: State, instance: int) -> None:
    """Take an instance out, and start a spare elsewhere if there is one."""
    if not state.wanted[instance]:
        return
    component = int(layout.instance_component[instance])
    remove_instance(layout, state, instance)
    placed = add_instances(layout, state, component, 1)
    state.note(component, "evicted" if placed else "evicted_pending", instance=instance)


def _cordon_zone(layout: Layout, state: State, place: int) -> None:
    _mark(layout, state, place, closed=True)


def _uncordon_zone(layout: Layout, state: State, place: int) -> None:
    """Let a zone take instances again: those come back that found no other place."""
    if not _mark(layout, state, place, closed=False):
        return
    own = layout.instance_component
    for component in sorted({int(own[instance]) for instance in list_zone(layout, state, place)}):
        missing = layout.components[component].instances - int(np.count_nonzero(state.wanted[own == component]))
        add_instances(layout, state, component, max(0, missing))


def _drain_zone(layout: Layout, state: State, place: int) -> None:
    _mark(layout, state, place, closed=True)
    turns: dict[int, int] = {}
    for instance in list_zone(layout, state, place):
        if state.wanted[instance]:
            component = int(layout.instance_component[instance])
            turns[component] = turns.get(component, 0) + 1
            state.tasks.append(Task(state.time + _EVICTION_SECONDS * turns[component], EVICTION, instance))


def _mark(layout: Layout, state: State, place: int, *, closed: bool) -> bool:
    """Close or open a zone. Returns whether it was otherwise."""
    system, zone = divmod(place, state.paths.isolated.shape[1])
    same = bool(state.cordoned[system, zone]) == closed
    state.cordoned[system, zone] = closed
    name = layout.systems[system].zones[zone]
    for component in sorted({int(layout.instance_component[instance]) for instance in list_zone(layout, state, place)}):
        what = "cordon_zone" if closed else "uncordon_zone"
        state.note(component, f"{what}_refused" if same else what, zone=name)
    return not same


def _restore_routes(layout: Layout, state: State, component: int) -> None:
    """Load the saved routes of a router again. One that does not run announces none."""
    own = layout.instance_component == component
    if np.all(state.phase[own] == STOPPED):
        state.note(component, "restore_routes_refused")
        return
    state.note(component, "restore_routes", changed=state.paths.restore(component))


OPERATIONS = (
    Operation("cordon_zone", "zone", _cordon_zone, "Place no new instances in the zone."),
    Operation(
        "uncordon_zone",
        "zone",
        _uncordon_zone,
        "Place instances in the zone again, also those that found no other place.",
    ),
    Operation(
        "drain_zone",
        "zone",
        _drain_zone,
        "Move the instances of the zone to other zones, one of each service after the other.",
        seconds=5,
        disruptive=True,
    ),
    Operation("restore_routes", "service", _restore_routes, "Load the saved routes of a router again.", seconds=30),
)
