"""Latencies are in order, bounded by deadlines, and none is shorter than what it waits for; levels stay in limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from scenarios.world import Run
from scenarios.world.reasons import FAST_REASONS
from scenarios.world.record import TICK
from tests.scenarios.world.drawing import FEW, MANY, MINUTES, Drawn, draw_played

END = 60.0 * MINUTES
ROUNDING = 1.0 + 1e-9


def _check_levels(drawn: Drawn) -> None:
    run = Run(drawn.system)
    layout, state = run.layout, run.state
    own = layout.instance_component
    while run.time < END:
        drawn.play(run, run.time + state.step)
        latency = state.flows.latency
        assert (latency[1:] >= latency[:-1]).all()
        room = layout.instance["queue"]
        assert (state.flows.queue <= room * ROUNDING).all()
        assert (state.memory <= layout.instance["memory"] * state.memory_limit[own] * ROUNDING).all()
    assert (run.record.get("load") <= 1.0).all()
    assert (run.record.get("memory") <= np.array([c.get("memory") * 2.0 for c in layout.components])).all()


@FEW
@given(draw_played())
def test_quantiles_are_in_order_and_levels_within_limits(drawn: Drawn) -> None:
    _check_levels(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_quantiles_and_levels_of_many_systems(drawn: Drawn) -> None:
    _check_levels(drawn)


def _check_callers(drawn: Drawn) -> None:
    """A caller hears of its callee's latency a step later, if it calls it at all."""
    run = Run(drawn.system)
    layout, state = run.layout, run.state
    waits = (layout.call_required > 0) & (layout.call_weight >= 1.0)
    while run.time < END:
        steps = []
        for _ in range(round(TICK / state.step)):
            before = state.flows.latency
            drawn.play(run, run.time + state.step)
            steps.append((before, state.flows.latency, state.flows.reached >= 1.0))
        quick = run.record.ticks["failed"][-1][[*FAST_REASONS]]
        for before, after, reached in steps:
            slow = waits & reached & ~quick.any(axis=0)
            callee = np.minimum(before[:, layout.call_target], layout.call_deadline)
            caller = after[:, layout.call_source]
            assert (caller[:, slow] * ROUNDING >= callee[:, slow]).all()


@FEW
@given(draw_played())
def test_who_waits_is_not_faster_than_what_it_waits_for(drawn: Drawn) -> None:
    _check_callers(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_who_waits_in_many_systems_is_not_faster_than_what_it_waits_for(drawn: Drawn) -> None:
    _check_callers(drawn)


def _check_deadlines(drawn: Drawn) -> None:
    """Own work has a factor of its state, of its release, of each job on it, of its noise, and of the crowd in it."""
    run = Run(drawn.system)
    layout, state = run.layout, run.state
    of_route = layout.route_component
    factor = np.array([max(release.work for release in component.releases) for component in layout.components])
    for job in state.jobs:
        factor[job.store] *= job.job.slow
    each = np.maximum(1.0, layout.call_weight) * layout.call_attempts * layout.call_deadline
    calls = np.zeros(len(layout.route_names))
    for route, longest in zip(layout.call_source, each, strict=True):
        calls[route] += longest
    patience = layout.component["patience"][of_route]
    while run.time < END:
        drawn.play(run, run.time + state.step)
        own = layout.route_work * (factor * state.work)[of_route] * 12.0 * (1.0 + 6.25) * 1.04
        assert (state.flows.latency[-1] <= (own + calls + patience) * ROUNDING).all()


@FEW
@given(draw_played())
def test_nobody_waits_beyond_its_deadlines(drawn: Drawn) -> None:
    _check_deadlines(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_nobody_in_many_systems_waits_beyond_its_deadlines(drawn: Drawn) -> None:
    _check_deadlines(drawn)
