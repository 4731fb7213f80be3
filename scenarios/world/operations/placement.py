"""Operations on where instances stand, and on the network between them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.operations.operation import Operation, list_zone
from scenarios.world.operations.services import add_instances, remove_instance
from scenarios.world.standing import RUNNING, STOPPED
from scenarios.world.state import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.world.layout import Layout
    from scenarios.world.state import State

_EVICTION = "evict"
"""The task of a drain that finds one instance another place."""
_LEAVING = "leave"
"""The task of a drain that takes one instance out."""
_FIRST_SECONDS = 10.0
"""How long a drain takes until it moves the first instance of each component."""
_SETTLES = 2.5
"""After so many time constants of its warmth a fresh instance is more than nine tenths as fast as it will be."""


def _evict(layout: Layout, state: State, instance: int) -> None:
    """Start a spare of an instance elsewhere, which is to take over. What finds no other place stays where it is.

    As with a disruption budget: nothing is taken out before another serves in its place.
    """
    component, paths = int(layout.instance_component[instance]), state.paths
    closed = state.cordoned[paths.component_system[component], paths.instance_zone[instance]]
    if not state.wanted[instance] or not closed:
        return
    if add_instances(layout, state, component, 1):
        state.tasks.append(Task(state.time + _find_settling(layout, component), _LEAVING, instance))
    else:
        state.note(component, "evicted_pending", instance=instance)


def _leave(layout: Layout, state: State, instance: int) -> None:
    """Take an instance out if another one serves, and its spare has had the time to get warm."""
    if not state.wanted[instance]:
        return
    component = int(layout.instance_component[instance])
    serving = (layout.instance_component == component) & (state.phase == RUNNING)
    serving[instance] = False
    if not np.any(serving):
        state.note(component, "evicted_pending", instance=instance)
        return
    remove_instance(layout, state, instance)
    state.note(component, "evicted", instance=instance)


def _find_settling(layout: Layout, component: int) -> float:
    """Seconds from the start of a fresh instance until it serves about as fast as the others."""
    part = layout.components[component]
    return part.get("start_seconds") + _SETTLES * part.get("warm_seconds")


STEPS: Mapping[str, Callable[[Layout, State, int], None]] = MappingProxyType({_EVICTION: _evict, _LEAVING: _leave})
"""What a drain does with an instance, by the name of the task."""


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
    turns: dict[int, float] = {}
    for instance in list_zone(layout, state, place):
        if state.wanted[instance]:
            component = int(layout.instance_component[instance])
            turn = turns.get(component, state.time + _FIRST_SECONDS)
            state.tasks.append(Task(turn, _EVICTION, instance))
            turns[component] = turn + _find_settling(layout, component)


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
        "Move the instances of the zone to other zones, one of each service after the other; what finds none stays.",
        seconds=5,
        disruptive=True,
    ),
    Operation("restore_routes", "service", _restore_routes, "Load the saved routes of a router again.", seconds=30),
)
