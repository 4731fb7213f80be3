"""Names: who holds an old address is refused until it asks again; a resolver that is down hurts when answers end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.world import Run, System
from scenarios.world.reasons import Reason
from tests.scenarios.world.small import build, measure_success


def build_named(*changes: dict[str, Any], own: float = 60, resolver: float = 5, instances: int = 4) -> System:
    """A shop that looks a store up by its name."""
    return build(
        [
            {
                "name": "shop",
                "software": "go-service",
                "instances": instances,
                "routes": [{"name": "buy", "work": 0.02}],
                "parameters": {"address_seconds": own},
            },
            {"name": "store", "software": "postgres", "spare": 1, "routes": [{"name": "read", "work": 0.005}]},
            {"name": "names", "software": "coredns", "routes": [], "parameters": {"address_seconds": resolver}},
        ],
        [{"source": "shop/buy", "target": "store/read", "deadline": 1, "pool": 25}],
        journeys=[{"name": "buy", "entry": "shop/buy", "demand": 40, "deadline": 3}],
        resolver="names",
        changes=changes,
    )


MOVE = {"at": 120, "what": "moves", "target": "store", "to": 1}


def test_stale_callers_are_refused_one_after_the_other_until_their_answers_have_ended() -> None:
    run = Run(build_named(MOVE), noise=False)
    run.advance(240)
    assert measure_success(run, "shop/buy", 60, 120) > 0.999
    assert measure_success(run, "shop/buy", 120, 135) < 0.6
    assert 0.1 < measure_success(run, "shop/buy", 120, 180) < 0.9
    assert measure_success(run, "shop/buy", 195, 240) > 0.999
    refused = run.record.get("failed")[8:12, Reason.REFUSED.value, 0]
    assert float(refused.sum()) > 0
    assert run.record.ledger < 1e-9


def test_restart_asks_again_before_the_answer_has_ended() -> None:
    run = Run(build_named(MOVE, own=1000000), noise=False)
    run.advance(240)
    assert measure_success(run, "shop/buy", 180, 240) == 0
    run.order("restart_service", "shop")
    run.advance(120)
    assert measure_success(run, "shop/buy", 300, 360) > 0.999


def test_resolver_that_keeps_an_old_answer_is_flushed() -> None:
    kept, flushed = (Run(build_named(MOVE, own=5, resolver=1000), noise=False) for _ in range(2))
    for run in (kept, flushed):
        run.advance(180)
    flushed.order("flush_resolver", "names")
    for run in (kept, flushed):
        run.advance(120)
    assert measure_success(kept, "shop/buy", 240, 300) == 0
    assert measure_success(flushed, "shop/buy", 240, 300) > 0.999


def test_resolver_that_is_down_is_felt_when_answers_end() -> None:
    run = Run(build_named(), noise=False)
    run.advance(120)
    run.state.phase[run.layout.instance_component == 2] = 0
    run.advance(120)
    assert 0.3 < measure_success(run, "shop/buy", 120, 150) < 1
    assert measure_success(run, "shop/buy", 195, 240) == 0
    assert float(run.record.get("failed")[-1, Reason.UNRESOLVED.value, 0]) == pytest.approx(40 * 15)
    run.order("restart_service", "names")
    run.advance(60)
    assert measure_success(run, "shop/buy", 270, 300) > 0.999
    assert run.record.ledger < 1e-9


def test_failing_over_moves_a_store() -> None:
    run = Run(build_named(own=300), noise=False)
    run.advance(60)
    run.order("fail_over", "store")
    run.advance(420)
    assert measure_success(run, "shop/buy", 120, 180) < 0.9
    assert measure_success(run, "shop/buy", 420, 480) > 0.999


def test_answers_end_at_the_same_time_whatever_a_system_runs_beside() -> None:
    other, named = build_named(instances=2), build_named(MOVE)
    alone, beside = Run(named, noise=False), Run(other, named, noise=False)
    for run in (alone, beside):
        run.advance(150)
    failed = beside.record.get("failed")[:, Reason.REFUSED.value, 1]
    assert alone.record.get("failed")[:, Reason.REFUSED.value, 0].tolist() == failed.tolist()
    assert np.any(failed > 0.0)
