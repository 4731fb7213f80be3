"""Zones: what is cut off is lost, health checks find out, and routes that are put back bring it back."""

from __future__ import annotations

import pytest

from scenarios.world import InvalidSystemError, Run, System
from tests.scenarios.world.small import build, measure_success

ZONES = ("zone-a", "zone-b", "zone-c")


def build_shop(*changes: dict[str, object], software: str = "envoy", work: float = 0.02) -> System:
    """A balancer in one zone, six instances of a shop over three."""
    return build(
        [
            {"name": "edge", "software": software, "zones": ["zone-a"], "routes": [{"name": "buy", "work": 0.002}]},
            {"name": "shop", "software": "go-service", "instances": 6, "routes": [{"name": "buy", "work": work}]},
        ],
        [{"source": "edge/buy", "target": "shop/buy", "deadline": 2, "pool": 400}],
        journeys=[{"name": "buy", "entry": "edge/buy", "demand": 60, "deadline": 3}],
        zones=ZONES,
        links=[{"between": ("zone-a", "zone-b"), "latency": 0.001}],
        changes=changes,
    )


def test_zone_that_is_cut_off_costs_its_share_until_health_checks_leave_it_out() -> None:
    run = Run(build_shop({"at": 120, "what": "link_loss", "target": "zone-b zone-a", "to": 1}), noise=False)
    run.advance(300)
    assert measure_success(run, "edge/buy", 60, 120) == pytest.approx(1.0)
    assert measure_success(run, "edge/buy", 120, 150) == pytest.approx(2 / 3, abs=0.1)
    assert measure_success(run, "edge/buy", 180, 300) > 0.999
    assert run.record.ledger < 1e-9


def test_caller_without_health_checks_goes_on_losing_its_share_until_the_network_is_back() -> None:
    cut = {"at": 120, "what": "link_loss", "target": "zone-a zone-b", "to": 1}
    back = {"at": 300, "what": "link_loss", "target": "zone-a zone-b", "to": 0}
    run = Run(build_shop(cut, back, software="go-service"), noise=False)
    run.advance(450)
    assert measure_success(run, "edge/buy", 180, 300) == pytest.approx(2 / 3, abs=0.01)
    assert measure_success(run, "edge/buy", 330, 450) > 0.999


def test_instances_that_can_be_reached_carry_what_the_others_did() -> None:
    run = Run(build_shop({"at": 120, "what": "zone_loss", "target": "zone-b", "to": 1}, work=2.0), noise=False)
    run.advance(120)
    before = float(run.record.get("load")[-1, 1])
    run.advance(180)
    assert float(run.record.get("load")[-1, 1]) == pytest.approx(before * 1.5, rel=0.02)


def test_link_that_is_slow_makes_the_calls_over_it_slow() -> None:
    run = Run(build_shop({"at": 120, "what": "link_latency", "target": "zone-a zone-c", "to": 0.3}), noise=False)
    run.advance(240)
    median = run.record.get("p50")[:, 0]
    assert median[-1] - median[6] == pytest.approx(0.1, abs=0.01)  # a third of all calls cross


def test_system_with_one_zone_has_no_network_to_lose_anything() -> None:
    with pytest.raises(InvalidSystemError, match="zone-b"):
        build([{"name": "edge", "software": "envoy", "zones": ["zone-b"], "routes": []}], [])
