"""Operations that raise a limit. Each takes a rolling restart, and none goes beyond what the machines have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation
from scenarios.world.operations.services import roll

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import State

_RAISE = 1.5
_MOST = 2.0
"""A limit grows by half each time, to twice what it was laid out for."""


def _raise(layout: Layout, state: State, component: int, limit: Floats, what: str) -> None:
    raised = min(_MOST, float(limit[component]) * _RAISE)
    if raised <= limit[component]:
        state.note(component, f"{what}_refused", factor=float(limit[component]))
        return
    limit[component] = raised
    state.note(component, what, factor=raised)
    roll(layout, state, component, None)


def _raise_memory(layout: Layout, state: State, component: int) -> None:
    _raise(layout, state, component, state.memory_limit, "raise_memory")


def _raise_connections(layout: Layout, state: State, component: int) -> None:
    _raise(layout, state, component, state.connections, "raise_connections")


def _raise_slots(layout: Layout, state: State, component: int) -> None:
    _raise(layout, state, component, state.slots, "raise_slots")


OPERATIONS = (
    Operation(
        "raise_memory",
        "service",
        _raise_memory,
        "Raise the memory limit by half, with a rolling restart.",
        seconds=10,
        rolls=True,
    ),
    Operation(
        "raise_connections",
        "service",
        _raise_connections,
        "Raise the limit of connections by half, with a rolling restart.",
        seconds=10,
        rolls=True,
    ),
    Operation(
        "raise_slots",
        "service",
        _raise_slots,
        "Raise the number of workers by half, with a rolling restart.",
        seconds=10,
        rolls=True,
    ),
)
