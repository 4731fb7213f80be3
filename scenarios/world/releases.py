"""What releases and features do: averages over the instances that run, of what differs from one release to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.flows import add_rows, add_up
from scenarios.world.state import RUNNING

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import State


def average_releases(layout: Layout, state: State) -> tuple[Floats, Floats]:
    """Work and errors of each component, on average over the releases that its running instances have."""
    components = len(layout.components)
    own = layout.instance_component_rows
    places = layout.instance_release + state.release
    running = (state.phase == RUNNING) * 1.0
    rows = (running, running * layout.release_work[places], running * layout.release_errors[places])
    count, work, errors = add_rows(own, rows, components)
    some = np.maximum(count, 1.0)
    work, errors = np.where(count > 0, work / some, 1.0), errors / some
    for component, feature in layout.features:
        if state.flags[component, feature.flag]:
            work[component] *= feature.work
            errors[component] = min(1.0, errors[component] + feature.errors)
    return work, errors


def find_tries(layout: Layout, state: State) -> Floats:
    """The share of failed first and second attempts of each call that are tried again."""
    if not np.any(layout.release_attempts):
        return layout.call_again
    set_to = layout.release_attempts[layout.instance_release + state.release]
    again = layout.call_again.copy()
    source = layout.route_component[layout.call_source]
    for row, most in ((0, 1.0), (1, 2.0)):
        share, told = _average(layout, state, (set_to > most) * 1.0), _average(layout, state, (set_to > 0.0) * 1.0)
        again[row] = share[source] + (1.0 - told[source]) * again[row]
    return again


def multiply_messages(layout: Layout, state: State, weights: Floats) -> Floats:
    """How often a request makes each call, when some releases send more to brokers than they should."""
    if not np.any(layout.release_sends != 1.0):
        return weights
    sends = _average(layout, state, layout.release_sends[layout.instance_release + state.release])
    factors = np.where(sends > 0.0, sends, 1.0)[layout.route_component[layout.call_source]]
    return np.asarray(np.where(layout.call_to_broker, weights * factors, weights))


def keep_connections(layout: Layout, state: State) -> None:
    """Let instances take connections of their pools that they do not give back."""
    if not np.any(layout.release_keeps):
        return
    keeps = layout.release_keeps[layout.instance_release + state.release]
    state.kept = np.where(state.phase == RUNNING, state.kept + keeps * state.step, 0.0)


def _average(layout: Layout, state: State, values: Floats) -> Floats:
    """The mean of a number by instance over the running instances of each component, 0 where none runs."""
    own, components = layout.instance_component, len(layout.components)
    running = (state.phase == RUNNING) * 1.0
    count = np.maximum(add_up(own, running, components), 1.0)
    return np.asarray(add_up(own, running * values, components) / count)
