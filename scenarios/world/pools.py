"""Pools of connections: what they hold, what they lose with the other side, and whether they come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.processes import count_connections
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Layout
    from scenarios.world.standing import Standing
    from scenarios.world.state import State

RECONNECT_SECONDS = 10.0
"""The time constant with which a pool that checks its connections opens new ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """What pools have. By call: `free` connections, the share of pools that are `broken`, of these the `unopened` that
    never had a connection, and the share of calls that is `turned_away`. By component: the `connections` to it.
    """

    free: Floats
    broken: Floats
    unopened: Floats
    turned_away: Floats
    connections: Floats


def step_pools(layout: Layout, state: State, standing: Standing) -> Pooled:
    """Open again what can be opened, and find what there is then."""
    _open_again(layout, state, standing)
    connections = count_connections(layout, state)
    taken = _find_taken(layout, state)
    seen = (
        standing,
        state.usable.tobytes(),
        state.unopened.tobytes(),
        state.kept.tobytes(),
        state.connections.tobytes(),
        taken.tobytes(),
    )
    return layout.memory.get(seen, _find_pooled, layout, state, standing, connections, taken)


def _open_again(layout: Layout, state: State, standing: Standing) -> None:
    """Pools that check their connections open new ones, where somebody accepts them."""
    seen = standing, state.usable.tobytes(), state.step
    if layout.memory.is_at_rest("usable", seen):
        return
    opening = layout.memory.get((standing,), _find_opening, layout, standing)
    rate = state.step / RECONNECT_SECONDS
    state.usable = np.where(opening, state.usable + (1.0 - state.usable) * rate / (1.0 + rate), state.usable)
    if state.usable.tobytes() == seen[1]:
        layout.memory.note_rest("usable", seen)


def _find_opening(layout: Layout, standing: Standing) -> NDArray[np.bool_]:
    """The links that open new connections."""
    return np.asarray(layout.link_checks & (standing.count[layout.link_target] > 0))


def _find_pooled(layout: Layout, state: State, standing: Standing, connections: Floats, taken: Floats) -> Pooled:
    calls = len(layout.call_weight)
    alive = standing.open_links
    # A pool that checks has no dead connection for long: what it cannot open is refused, and counts as that.
    counted = np.where(layout.link_checks | ~layout.link_counts_connections, 1.0, state.usable) * alive
    callers = standing.callers
    share = np.where(callers > 0, add_up(layout.link_call, counted, calls) / np.maximum(callers, 1e-12), 1.0)
    size = layout.link_pool
    if np.any(state.kept):
        size = np.maximum(0.0, size - state.kept[layout.link_instance])
    limit = layout.component["connections"] * state.connections * (1.0 - taken)
    over = np.where(
        layout.component["connections"] > 0, np.maximum(0.0, 1.0 - limit / np.maximum(connections, 1e-12)), 0.0
    )
    return Pooled(
        free=add_up(layout.link_call, counted * size, calls),
        broken=1.0 - share,
        unopened=_find_unopened(layout, state, standing, counted),
        turned_away=over[layout.call_component],
        connections=connections,
    )


def _find_taken(layout: Layout, state: State) -> Floats:
    """The share of the connections of each component that sessions of jobs have."""
    holding = [job for job in state.jobs if job.job.sessions and job.since is not None and job.planned]
    if not holding:
        return layout.memory.get((), _find_none_taken, layout)
    taken = np.zeros(len(layout.components))
    for job in holding:
        taken[job.store] += job.job.sessions
    return np.minimum(1.0, taken)


def _find_none_taken(layout: Layout) -> Floats:
    return np.zeros(len(layout.components))


def _find_unopened(layout: Layout, state: State, standing: Standing, counted: Floats) -> Floats:
    """The share of callers whose pool never had a connection, by call."""
    calls = len(layout.call_weight)
    if not state.unopened.any():
        return np.zeros(calls)
    empty = standing.open_links * state.unopened * (1.0 - counted)
    return np.asarray(add_up(layout.link_call, empty, calls) / standing.some_callers)
