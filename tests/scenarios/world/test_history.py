"""What was recorded stays as it is, and each operation acts on what comes after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from scenarios.world import OPERATIONS, Call, Component, Journey, OperationError, Release, Route, Run, System
from scenarios.world.record import COUNTS, LEVELS
from tests.scenarios.world.drawing import FEW, MANY, MINUTES, Drawn, draw_played


def _copy(run: Run) -> dict[str, bytes]:
    return {name: run.record.get(name).tobytes() for name in (*COUNTS, *LEVELS)}


def _check_history(drawn: Drawn) -> None:
    run = Run(drawn.system)
    kept: list[tuple[int, dict[str, bytes], list[str]]] = []
    for second in range(60, 60 * MINUTES + 1, 60):
        drawn.play(run, float(second))
        kept.append((len(run.record), _copy(run), [repr(event) for event in run.state.events]))
    for ticks, record, events in kept:
        now = {name: run.record.get(name, 0, ticks).tobytes() for name in record}
        assert now == record
        assert [repr(event) for event in run.state.events[: len(events)]] == events


@FEW
@given(draw_played())
def test_what_was_recorded_is_never_altered(drawn: Drawn) -> None:
    _check_history(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_what_many_systems_recorded_is_never_altered(drawn: Drawn) -> None:
    _check_history(drawn)


def _check_orders(drawn: Drawn) -> None:
    run = Run(drawn.system)
    for at, operation, target in drawn.orders:
        run.advance(at - run.time)
        before, events = _copy(run), len(run.state.events)
        run.order(operation, target)
        assert _copy(run) == before
        new = run.state.events[events:]
        assert {event.at for event in new} == {at}, f"{operation} {target}"


@FEW
@given(draw_played())
def test_each_order_leaves_an_event_and_no_trace_in_the_past(drawn: Drawn) -> None:
    _check_orders(drawn)


@pytest.mark.slow
@MANY
@given(draw_played())
def test_orders_in_many_systems_leave_an_event_and_no_trace_in_the_past(drawn: Drawn) -> None:
    _check_orders(drawn)


def _build_pair(**store: float) -> System:
    return System(
        name="pair",
        components=(
            Component(
                name="shop",
                software="jvm-service",
                instances=2,
                routes=(Route(name="buy", work=0.02),),
                releases=(Release(version="1.0.0"), Release(version="1.1.0", errors=0.5)),
                flags=("new-page",),
                parameters={"checks_connections": 0.0},
            ),
            Component(
                name="db",
                software="postgres",
                instances=2,
                routes=(Route(name="rows", work=0.01),),
                parameters=store,
            ),
        ),
        calls=(Call(source="shop/buy", target="db/rows", deadline=2.0, pool=20),),
        journeys=(Journey(name="buy", entry="shop/buy", demand=20, deadline=3),),
    )


def test_a_restart_takes_one_instance_after_the_other() -> None:
    run = Run(_build_pair())
    run.advance(60)
    run.order("restart_service", "shop")
    run.advance(120)
    running = run.record.get("running")[:, 0]
    assert running[:4].tolist() == [2, 2, 2, 2]
    assert 1 in running.tolist()
    assert 0 not in running.tolist()
    assert running[-1] == 2


def test_a_release_is_rolled_back_and_the_errors_end_with_it() -> None:
    system = _build_pair()
    change = {"at": 60, "what": "release", "target": "shop", "to": 1}
    run = Run(System.model_validate({**system.model_dump(), "changes": [change]}))
    run.advance(300)
    assert run.record.get("users_failed")[-1, 0] > 100
    run.order("rollback_deploy", "shop")
    run.advance(300)
    assert run.record.get("users_failed")[-1, 0] < 1


def test_what_cannot_be_rolled_back_says_so() -> None:
    run = Run(_build_pair())
    run.order("rollback_deploy", "db")
    assert [event.what for event in run.state.events] == ["rollback_refused"]


def test_a_flag_that_is_off_already_leaves_an_entry_too() -> None:
    run = Run(_build_pair())
    run.order("disable_feature_flag", "new-page")
    run.order("disable_feature_flag", "new-page")
    assert [event.details["value"] for event in run.state.events] == ["false", "false"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_on_what_is_not_there_is_refused_and_does_nothing(operation: str) -> None:
    run = Run(_build_pair())
    with pytest.raises(OperationError):
        run.order(operation, "nobody")
    assert run.state.events == []


def test_to_start_a_dead_instance_leaves_the_connections_to_the_others() -> None:
    run = Run(_build_pair(memory=5300, base_memory=5200, connection_memory=0, request_memory=0, automatic_starts=0))
    run.advance(60)
    first = run.layout.instance_component.tolist().index(1)
    run.state.leaked[first] = 500.0
    run.advance(60)
    assert run.record.get("running")[-1].tolist() == [2, 1]
    usable = run.state.usable.copy()
    run.order("restart_service", "db")
    run.advance(5)
    assert np.array_equal(run.state.usable, usable)
