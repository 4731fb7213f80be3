"""Pools of connections: what they hold, what they lose with the other side, and whether they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.flows import add_up
from scenarios.world.processes import count_connections
from scenarios.world.state import RUNNING

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import State

RECONNECT_SECONDS = 10.0
"""The time constant with which a pool that checks its connections opens new ones."""


def step_pools(layout: Layout, state: State) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Open again what can be opened.

    By call: free connections, the share of dead pools, that of pools that were never opened, the share turned away.
    By component: the connections to it.
    """
    calls = len(layout.call_weight)
    running = (state.phase == RUNNING) * 1.0
    alive = running[layout.link_instance]
    accepting = add_up(layout.instance_component, running, len(layout.components))[layout.link_target] > 0
    rate = state.step / RECONNECT_SECONDS
    state.usable = np.where(
        layout.link_checks & accepting, state.usable + (1.0 - state.usable) * rate / (1.0 + rate), state.usable
    )
    # A pool that checks has no dead connection for long: what it cannot open is refused, and counts as that.
    counted = np.where(layout.link_checks | ~layout.link_counts_connections, 1.0, state.usable) * alive
    callers = add_up(layout.link_call, alive, calls)
    share = np.where(callers > 0, add_up(layout.link_call, counted, calls) / np.maximum(callers, 1e-12), 1.0)
    size = layout.link_pool
    if np.any(state.kept):
        size = np.maximum(0.0, size - state.kept[layout.link_instance])
    pools = add_up(layout.link_call, counted * size, calls)
    limit = layout.component["connections"] * state.connections * (1.0 - _find_taken(layout, state))
    connections = count_connections(layout, state)
    over = np.where(
        layout.component["connections"] > 0, np.maximum(0.0, 1.0 - limit / np.maximum(connections, 1e-12)), 0.0
    )
    return (
        pools,
        1.0 - share,
        _find_unopened(layout, state, alive, counted, callers),
        over[layout.call_component],
        connections,
    )


def _find_taken(layout: Layout, state: State) -> Floats:
    """The share of the connections of each component that sessions of jobs have."""
    taken = np.zeros(len(layout.components))
    for job in state.jobs:
        if job.job.sessions and job.since is not None and job.planned:
            taken[job.store] += job.job.sessions
    return np.minimum(1.0, taken)


def _find_unopened(layout: Layout, state: State, alive: Floats, counted: Floats, callers: Floats) -> Floats:
    """The share of callers whose pool never had a connection, by call."""
    if not state.unopened.any():
        return np.zeros(len(callers))
    empty = alive * state.unopened * (1.0 - counted)
    return np.asarray(add_up(layout.link_call, empty, len(callers)) / np.maximum(callers, 1.0))
