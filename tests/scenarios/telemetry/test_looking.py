"""What is seen of a moment stays so, whatever happens later, and whatever a system is played beside."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

import scenarios.world
from scenarios.telemetry import TelemetryError, look
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.world import OPERATIONS, Run, System

if TYPE_CHECKING:
    from scenarios.evidence import Evidence

SYSTEM = System.load(Path(scenarios.world.__file__).parent / "systems" / "analytics-export.yaml")
NAMES = [component.name for component in SYSTEM.components]
HONEST = {
    1920: ("disable_feature_flag", "full_history_export"),
    1980: ("restart_service", "analytics-service"),
    2040: ("restart_service", "postgres-db"),
    2280: ("restart_service", "auth-service"),
    2340: ("restart_service", "order-service"),
}


def draw_orders(seed: int) -> dict[int, tuple[str, str]]:
    """An order now and then, right or not."""
    dice = Random(seed)  # noqa: S311 - the same orders in every run
    orders = {}
    for second in range(300, 2700, 60):
        if dice.random() < 0.4:
            operation = dice.choice(("restart_service", "rollback_deploy"))
            orders[second] = (operation, dice.choice(NAMES))
    return orders


def look_everywhere(run: Run, *, system: int = 0, as_of: float | None = None) -> list[str]:
    return [look(run, name, part, system=system, as_of=as_of).text for name in DIAGNOSTICS for part in NAMES]


@pytest.mark.slow
@pytest.mark.parametrize(
    "orders",
    [HONEST, draw_orders(1), draw_orders(2)],
    ids=["honest", "random-1", "random-2"],
)
def test_what_was_seen_of_a_moment_stays_so(orders: dict[int, tuple[str, str]]) -> None:
    run, dice = Run(SYSTEM), Random(7)  # noqa: S311 - the same looks in every run
    seen: list[tuple[float, str, str, Evidence]] = []
    while run.time < 2700:
        if run.time in orders:
            run.order(*orders[int(run.time)])
        run.advance(60)
        if run.time >= 180:
            diagnostic, name = dice.choice(list(DIAGNOSTICS)), dice.choice(NAMES)
            seen.append((run.time, diagnostic, name, look(run, diagnostic, name)))
        for as_of, diagnostic, name, evidence in dice.sample(seen, min(3, len(seen))):
            assert look(run, diagnostic, name, as_of=as_of) == evidence
    assert len(seen) > 40
    for as_of, diagnostic, name, evidence in seen:
        assert look(run, diagnostic, name, as_of=as_of) == evidence


@pytest.fixture(scope="module")
def begun() -> Run:
    """The run before the first of these orders; whoever plays on forks it."""
    run = Run(SYSTEM)
    run.advance(1920)
    return run


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "target"), HONEST.values())
def test_an_order_is_seen_later_and_not_at_once(begun: Run, operation: str, target: str) -> None:
    run = begun.fork()
    before = look_everywhere(run)
    run.order(operation, target)
    assert look_everywhere(run) == before
    run.advance(60)
    assert look_everywhere(run) != before
    assert look_everywhere(run, as_of=1920) == before


@pytest.mark.slow
def test_a_system_is_seen_alike_whatever_is_played_beside_it() -> None:
    other = SYSTEM.model_copy(update={"seed": 77, "changes": ()})
    both, alone, second = Run(SYSTEM, other), Run(SYSTEM), Run(other)
    for run in (both, alone, second):
        run.advance(1500)
    assert look_everywhere(both) == look_everywhere(alone)
    assert look_everywhere(both, system=1) == look_everywhere(second)
    assert look_everywhere(alone) != look_everywhere(second)


def test_only_finished_ticks_are_seen() -> None:
    run = Run(SYSTEM)
    run.advance(600)
    seen = look(run, "query_logs", "api-gateway")
    run.advance(10)
    later = look(run, "query_logs", "api-gateway")
    assert (seen.as_of, later.as_of) == ("2026-03-03T13:56Z", "2026-03-03T13:56:10Z")
    assert later.body() == seen.body()
    run.advance(5)
    assert look(run, "query_logs", "api-gateway").body() != seen.body()


@pytest.mark.parametrize(
    ("diagnostic", "component", "as_of", "told"),
    [
        ("check_weather", "redis-cache", None, "check_weather"),
        ("query_logs", "redis", None, "redis-cache"),
        ("query_logs", "redis-cache", 601.0, "yet to come"),
        ("query_logs", "redis-cache", 179.0, "3 minutes"),
    ],
)
def test_what_cannot_be_seen_is_refused(diagnostic: str, component: str, as_of: float | None, told: str) -> None:
    run = Run(SYSTEM)
    run.advance(600)
    with pytest.raises(TelemetryError, match=told):
        look(run, diagnostic, component, as_of=as_of)


def test_instances_that_were_added_are_shown_from_then_on_and_those_taken_out_no_more() -> None:
    run = Run(SYSTEM)
    run.advance(180)
    before = look(run, "check_service_status", "catalog-service").text
    run.order("scale_service", "catalog-service")
    run.advance(60)
    assert "3/3" in before
    assert "5/5" in look(run, "check_service_status", "catalog-service").text
    assert look(run, "check_service_status", "catalog-service", as_of=180).text == before
    run.order("drain_zone", "zone-a")
    run.advance(120)
    assert "no other takes the instance" in look(run, "check_service_status", "postgres-db").text


@pytest.fixture(scope="module")
def early() -> Run:
    run = Run(SYSTEM)
    run.advance(180)
    return run


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.target == "service"])
def test_each_operation_leaves_an_entry_in_the_change_log(early: Run, name: str) -> None:
    run = early.fork()
    before = look(run, "check_recent_deploys", "order-service").text.count("on-call")
    run.order(name, "order-service")
    run.advance(120)
    assert look(run, "check_recent_deploys", "order-service").text.count("on-call") == before + 1
