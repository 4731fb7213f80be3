"""What releases and features do: averages over the instances that run, of what differs from one release to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.standing import Standing
    from scenarios.world.state import State


def average_releases(layout: Layout, state: State, standing: Standing) -> tuple[Floats, Floats]:
    """Work and errors of each component, on average over the releases that its running instances have."""
    if not layout.features:
        return standing.work, standing.errors
    on = tuple([state.flags[component, feature.flag] for component, feature in layout.features])
    return layout.memory.get((standing, on), _switch_features, layout, standing, on)


def _switch_features(layout: Layout, standing: Standing, on: tuple[bool, ...]) -> tuple[Floats, Floats]:
    """The same with the features that are on."""
    work, errors = standing.work.copy(), standing.errors.copy()
    for (component, feature), is_on in zip(layout.features, on, strict=True):
        if is_on:
            work[component] *= feature.work
            errors[component] = min(1.0, errors[component] + feature.errors)
    return work, errors


def find_tries(layout: Layout, standing: Standing) -> Floats:
    """The share of failed first and second attempts of each call that are tried again."""
    return layout.memory.get((standing,), _find_tries, layout, standing)


def _find_tries(layout: Layout, standing: Standing) -> Floats:
    if not np.any(layout.release_attempts):
        return layout.call_again
    set_to = layout.release_attempts[standing.release]
    again = layout.call_again.copy()
    source = layout.call_caller
    told = standing.average(layout, set_to > 0.0)[source]
    for row, most in ((0, 1.0), (1, 2.0)):
        share = standing.average(layout, set_to > most)
        again[row] = share[source] + (1.0 - told) * again[row]
    return again


def multiply_messages(layout: Layout, standing: Standing, weights: Floats) -> Floats:
    """How often a request makes each call, when some releases send more to brokers than they should."""
    factors = layout.memory.get((standing,), _find_factors, layout, standing)
    return weights if factors is None else np.asarray(np.where(layout.call_to_broker, weights * factors, weights))


def _find_factors(layout: Layout, standing: Standing) -> Floats | None:
    """How many times as many messages each caller sends, None if no release sends more."""
    if not np.any(layout.release_sends != 1.0):
        return None
    sends = standing.average(layout, layout.release_sends[standing.release])
    return np.asarray(np.where(sends > 0.0, sends, 1.0)[layout.call_caller])


def keep_connections(layout: Layout, state: State, standing: Standing) -> None:
    """Let instances take connections of their pools that they do not give back."""
    keeps = layout.memory.get((standing,), _find_keeping, layout, standing)
    if keeps is not None:
        state.kept = np.where(standing.running, state.kept + keeps * state.step, 0.0)


def _find_keeping(layout: Layout, standing: Standing) -> Floats | None:
    """The connections that each instance takes in a second, None if no release ever takes any."""
    return layout.release_keeps[standing.release] if np.any(layout.release_keeps) else None
