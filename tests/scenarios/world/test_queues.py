"""Brokers: what came is done, dropped or still there; consumers work at their pace and catch up when they can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.world import InvalidSystemError, Run, System
from tests.scenarios.world.small import build, measure_success


def build_orders(
    *changes: dict[str, Any],
    topic: dict[str, Any] | None = None,
    broker: dict[str, float] | None = None,
    workers: float = 4,
    **others: Any,
) -> System:
    """A shop that publishes forty orders a second, and a mailer that asks a store for each."""
    components: list[dict[str, Any]] = [
        {"name": "shop", "software": "go-service", "instances": 2, "routes": [{"name": "buy", "work": 0.02}]},
        {
            "name": "broker",
            "software": "kafka",
            "routes": [{"name": "orders", "work": 0.004, "writes": 1}],
            "parameters": broker or {},
        },
        {"name": "mailer", "software": "go-service", "instances": 2, "routes": [{"name": "send", "work": 0.05}]},
        {"name": "store", "software": "postgres", "routes": [{"name": "read", "work": 0.005}]},
    ]
    return build(
        components,
        [
            {"source": "shop/buy", "target": "broker/orders", "deadline": 1, "pool": 50},
            {"source": "mailer/send", "target": "store/read", "deadline": 1, "pool": 20},
        ],
        **{
            "journeys": [{"name": "buy", "entry": "shop/buy", "demand": 40, "deadline": 3}],
            "topics": [{"name": "orders", "route": "broker/orders", "partitions": 8, **(topic or {})}],
            "groups": [{"name": "mail", "topic": "orders", "route": "mailer/send", "workers": workers}],
            "changes": changes,
            **others,
        },
    )


def get_backlog(run: Run) -> float:
    """Messages that the mailer has not committed."""
    return float(run.state.queues.find_backlog()[0])


def check_ledger(run: Run) -> None:
    """What came is done, dropped or there."""
    queues = run.state.queues
    assert run.record.ledger < 1e-9
    there = queues.waits + queues.taken
    assert np.allclose(queues.came, queues.done + queues.dropped + there, rtol=0, atol=1e-6)
    assert (there >= 0).all()


def test_consumers_keep_up_and_each_message_is_done_once() -> None:
    run = Run(build_orders(), noise=False)
    run.advance(600)
    assert get_backlog(run) < 40 * 15
    assert float(run.state.queues.done.sum()) == pytest.approx(40 * 600, rel=0.03)
    good = run.record.get("good")[:, run.layout.route_names.index("broker/orders")]
    assert float(run.state.queues.came.sum()) == pytest.approx(float(good.sum()))
    check_ledger(run)


def test_backlog_grows_while_consumers_are_down_and_is_worked_off_afterwards() -> None:
    run = Run(build_orders(), noise=False)
    run.advance(120)
    run.state.phase[run.layout.instance_component == 2] = 0
    run.advance(300)
    grown = get_backlog(run)
    assert grown == pytest.approx(40 * 300, rel=0.05)
    assert measure_success(run, "shop/buy", 180, 420) > 0.999
    run.order("restart_service", "mailer")
    run.advance(120)
    assert 0 < get_backlog(run) < grown
    run.advance(600)
    assert get_backlog(run) < 40 * 15
    check_ledger(run)


def test_work_that_fails_is_done_again_until_it_succeeds() -> None:
    broken = {"at": 120, "what": "errors", "target": "store", "to": 1}
    mended = {"at": 300, "what": "errors", "target": "store", "to": 0}
    run = Run(build_orders(broken, mended), noise=False)
    run.advance(300)
    done = float(run.state.queues.done.sum())
    assert get_backlog(run) == pytest.approx(40 * 180, rel=0.1)
    run.advance(600)
    assert float(run.state.queues.done.sum()) - done > 40 * 700
    assert get_backlog(run) < 40 * 15
    check_ledger(run)


def test_too_few_workers_fall_behind_and_more_instances_catch_up() -> None:
    run = Run(build_orders(workers=1), noise=False)
    run.advance(300)
    behind = get_backlog(run)
    assert behind > 1000
    for _ in range(2):
        run.order("scale_service", "mailer")
        run.advance(60)
    run.advance(300)
    assert get_backlog(run) < behind / 2
    check_ledger(run)


def test_poison_stops_its_partition_alone_until_it_is_skipped() -> None:
    run = Run(build_orders({"at": 120, "what": "poison", "target": "orders", "to": 1}), noise=False)
    run.advance(420)
    queues = run.state.queues
    assert queues.waits[0] == pytest.approx(40 / 8 * 300, rel=0.05)
    assert float(queues.waits[1:].max()) < 40
    assert [event.what for event in run.state.events] == ["poison"]
    run.order("restart_service", "mailer")
    run.advance(120)
    assert queues.waits[0] > 40 / 8 * 400
    dropped = float(queues.dropped.sum())
    run.order("skip_message", "orders")
    run.advance(300)
    assert float(queues.dropped.sum()) - dropped == pytest.approx(1.0)
    assert get_backlog(run) < 40 * 15
    check_ledger(run)


def test_purging_drops_whatever_waits_and_counts_it() -> None:
    run = Run(build_orders({"at": 60, "what": "poison", "target": "orders", "to": 1}), noise=False)
    run.advance(360)
    waiting = float(run.state.queues.waits.sum())
    run.order("purge_queue", "orders")
    run.advance(60)
    assert float(run.state.queues.dropped.sum()) == pytest.approx(waiting, rel=0.1)
    assert get_backlog(run) < 40 * 15
    check_ledger(run)


def test_retention_drops_the_oldest_and_counts_them() -> None:
    run = Run(build_orders(topic={"retention": 300}), noise=False)
    run.advance(60)
    run.state.phase[run.layout.instance_component == 2] = 0
    run.advance(600)
    assert get_backlog(run) == pytest.approx(40 * 300, rel=0.02)
    assert float(run.state.queues.dropped.sum()) == pytest.approx(40 * 300, rel=0.05)
    check_ledger(run)


def test_broker_that_is_down_takes_nothing_and_gives_nothing() -> None:
    run = Run(build_orders(), noise=False)
    run.advance(120)
    run.state.phase[run.layout.instance_component == 1] = 0
    run.advance(120)
    came, done = float(run.state.queues.came.sum()), float(run.state.queues.done.sum())
    run.advance(60)
    assert measure_success(run, "shop/buy", 240, 300) == 0
    assert (float(run.state.queues.came.sum()), float(run.state.queues.done.sum())) == (came, done)
    run.order("restart_service", "broker")
    run.advance(240)
    assert measure_success(run, "shop/buy", 420, 540) > 0.999
    check_ledger(run)


def test_broker_whose_disk_is_full_stops_until_it_has_room() -> None:
    run = Run(build_orders(topic={"size": 0.5}, broker={"disk": 10000, "disk_data": 2000}), noise=False)
    run.advance(900)
    events = [event.what for event in run.state.events]
    assert "disk_full" in events
    assert "gave_up" in events
    assert measure_success(run, "shop/buy", 840, 900) == 0
    run.order("restart_service", "broker")
    run.advance(120)
    assert measure_success(run, "shop/buy", 960, 1020) < 0.5
    run.order("expand_volume", "broker")
    run.advance(60)
    run.order("restart_service", "broker")
    run.advance(240)
    assert measure_success(run, "shop/buy", 1260, 1320) > 0.999
    assert (run.record.get("disk") <= 1).all()


def test_route_that_takes_messages_is_asked_by_nobody_else() -> None:
    with pytest.raises(InvalidSystemError, match="mailer/send"):
        build_orders(journeys=[{"name": "mail", "entry": "mailer/send", "demand": 1, "deadline": 3}])
