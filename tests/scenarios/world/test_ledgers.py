"""Nothing is made or lost: what is sent arrives, fails or waits, whatever befalls a system."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from scenarios.world import Run, System
from scenarios.world.record import COUNTS, LEVELS, TICK
from tests.scenarios.world.drawing import FEW, MANY, MINUTES, Drawn, draw_played, draw_systems

END = 60.0 * MINUTES


def _play(drawn: Drawn) -> Run:
    run = Run(drawn.system)
    drawn.play(run, END)
    return run


def _measure_traffic(run: Run) -> float:
    """The most requests of a tick anywhere, at least one."""
    record = run.record
    return max(1.0, *(float(np.max(record.get(name), initial=0.0)) for name in ("sent", "arrived", "users_failed")))


def _check_steps_close(drawn: Drawn) -> None:
    run = _play(drawn)
    assert run.record.ledger <= 1e-9 * _measure_traffic(run)


@FEW
@given(draw_played())
def test_every_step_closes_its_ledger(drawn: Drawn) -> None:
    _check_steps_close(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_every_step_of_many_systems_closes_its_ledger(drawn: Drawn) -> None:
    _check_steps_close(drawn)


def _check_numbers(drawn: Drawn) -> None:
    with np.errstate(all="raise", under="ignore"):
        run = _play(drawn)
    for name in (*COUNTS, *LEVELS):
        values = run.record.get(name)
        assert np.isfinite(values).all(), name
        assert not np.signbit(values).any(), f"{name}: {values[np.signbit(values)]}"


@FEW
@given(draw_played())
def test_no_number_is_negative_or_none(drawn: Drawn) -> None:
    _check_numbers(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_no_number_of_many_systems_is_negative_or_none(drawn: Drawn) -> None:
    _check_numbers(drawn)


def _check_users(system: System) -> None:
    steady = tuple(change for change in system.changes if change.what != "demand")
    run = Run(system.model_copy(update={"changes": steady}), noise=False)
    run.advance(END)
    layout, record = run.layout, run.record
    came = np.zeros(len(layout.route_names))
    for entry, demand in zip(layout.journey_entry, layout.journey_demand, strict=True):
        came[entry] += demand * END
    went = run.state.flows.users + 0.0
    for good, failed in zip(record.get("users_good"), record.get("users_failed"), strict=True):
        went += good + failed
    assert np.abs(came - went).max() <= 1e-9 * came.max()


@FEW
@given(draw_systems())
def test_users_are_served_or_turned_away_or_wait(system: System) -> None:
    _check_users(system)


@pytest.mark.slow
@MANY
@given(draw_systems())
def test_users_of_many_systems_are_served_or_turned_away_or_wait(system: System) -> None:
    _check_users(system)


def _check_callees(drawn: Drawn) -> None:
    run = _play(drawn)
    layout, record = run.layout, run.record
    counted = record.get("arrived") + record.get("rejected")
    for tick, reached in enumerate(record.get("reached")):
        for target, requests in zip(layout.call_target, reached, strict=True):
            counted[tick, target] -= requests
    entries = np.isin(np.arange(len(layout.route_names)), layout.journey_entry)
    scale = 1e-9 * _measure_traffic(run)
    assert np.abs(counted[:, ~entries]).max(initial=0.0) <= scale
    # What is left at an entry is what users asked for: none more than were answered since or wait still.
    left = counted[:, entries].sum()
    went = record.get("users_good").sum() + record.get("users_failed").sum() + run.state.flows.users.sum()
    assert abs(left - went) <= scale * len(record)


@FEW
@given(draw_played())
def test_a_callee_counts_what_reached_it(drawn: Drawn) -> None:
    _check_callees(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_callees_of_many_systems_count_what_reached_them(drawn: Drawn) -> None:
    _check_callees(drawn)


def _check_sent(drawn: Drawn) -> None:
    run = Run(drawn.system)
    layout, step = run.layout, run.state.step
    while run.time < END:
        due = np.zeros(len(layout.call_weight))
        for _ in range(round(TICK / step)):
            flows = run.state.flows
            due += flows.begun[layout.call_source] * layout.call_weight + flows.owed[1] + flows.owed[2]
            drawn.play(run, run.time + step)
        sent = run.record.get("sent", len(run.record) - 1)[0]
        assert np.abs(sent - due).max(initial=0.0) <= 1e-9 * max(1.0, due.max(initial=0.0))


@FEW
@given(draw_played())
def test_what_is_sent_is_new_or_owed(drawn: Drawn) -> None:
    _check_sent(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_what_many_systems_send_is_new_or_owed(drawn: Drawn) -> None:
    _check_sent(drawn)
