"""Operations on what is let in: clients that are blocked, load that is shed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State

_SHED = 0.3
"""The share of its requests that a service which sheds load turns away at once."""


def _block_client(layout: Layout, state: State, journey: int) -> None:
    _let_in(layout, state, journey, blocked=1.0)


def _unblock_client(layout: Layout, state: State, journey: int) -> None:
    _let_in(layout, state, journey, blocked=0.0)


def _let_in(layout: Layout, state: State, journey: int, *, blocked: float) -> None:
    names = [each.name for system in layout.systems for each in system.journeys]
    component = int(layout.route_component[layout.journey_entry[journey]])
    what = "block_client" if blocked else "unblock_client"
    same = state.blocked[journey] == blocked
    state.blocked[journey] = blocked
    state.note(component, f"{what}_refused" if same else what, client=names[journey])


def _shed_load(_: Layout, state: State, component: int) -> None:
    same = state.shed[component] == _SHED
    state.shed[component] = _SHED
    state.note(component, "shed_load_refused" if same else "shed_load", share=_SHED)


def _stop_shedding(_: Layout, state: State, component: int) -> None:
    same = state.shed[component] == 0.0
    state.shed[component] = 0.0
    state.note(component, "stop_shedding_refused" if same else "stop_shedding")


OPERATIONS = (
    Operation("block_client", "client", _block_client, "Refuse the requests of a client.", seconds=5, disruptive=True),
    Operation("unblock_client", "client", _unblock_client, "Let the requests of a client in again.", seconds=5),
    Operation(
        "shed_load",
        "service",
        _shed_load,
        "Turn a share of the requests of a service away at once.",
        seconds=5,
        disruptive=True,
    ),
    Operation("stop_shedding", "service", _stop_shedding, "Turn no request away to shed load.", seconds=5),
)
