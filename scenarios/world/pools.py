"""Pools of connections: what they hold, what they lose with the other side, and whether they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.flows import add_up
from scenarios.world.processes import count_connections, find_accepting
from scenarios.world.state import RUNNING

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import State

_RECONNECT_SECONDS = 10.0
"""The time constant with which a pool that checks its connections opens new ones."""


def step_pools(layout: Layout, state: State) -> tuple[Floats, Floats, Floats]:
    """Open again what can be opened. By call: free connections, the share of dead pools, the share turned away."""
    calls = len(layout.call_weight)
    alive = (state.phase[layout.link_instance] == RUNNING) * 1.0
    target = layout.route_component[layout.call_target[layout.link_call]]
    accepting = find_accepting(layout, state)[target] > 0
    comes_back = layout.call_checks[layout.link_call] & accepting
    rate = state.step / _RECONNECT_SECONDS
    state.usable = np.where(comes_back, state.usable + (1.0 - state.usable) * rate / (1.0 + rate), state.usable)
    # A pool that checks has no dead connection for long: what it cannot open is refused, and counts as that.
    usable = np.where(layout.call_checks[layout.link_call], 1.0, state.usable)
    counted = np.where(layout.call_counts_connections[layout.link_call], usable, 1.0)
    callers = np.maximum(add_up(layout.link_call, alive, calls), 1e-12)
    share = np.where(
        add_up(layout.link_call, alive, calls) > 0, add_up(layout.link_call, alive * counted, calls) / callers, 1.0
    )
    pools = add_up(layout.link_call, alive * counted * layout.link_pool, calls)
    limit = layout.component["connections"] * state.connections
    over = np.where(limit > 0, np.maximum(0.0, 1.0 - limit / np.maximum(count_connections(layout, state), 1e-12)), 0.0)
    return pools, 1.0 - share, over[layout.route_component[layout.call_target]]
