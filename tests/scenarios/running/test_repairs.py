"""The incident of RP-001 as it follows from the tick: what mends it, and why nothing less does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from scenarios.telemetry import find_pages, is_well
from scenarios.world import Run, load_system
from tests.slow import mark_slow_after

SPACING = 120
"""Seconds from one operation to the next."""
AFTERWARDS = 20 * 60
"""For how long it has to hold."""

REPAIR = (
    ("disable_feature_flag", "full_history_export"),
    ("restart_service", "analytics-service"),
    ("restart_service", "postgres-db"),
    ("restart_service", "auth-service"),
    ("restart_service", "order-service"),
)


@pytest.fixture(scope="module")
def paged() -> Run:
    """The run at the minute at which on-call looks."""
    run = Run(load_system("analytics-export"))
    run.advance(30 * 60)
    return run


def is_well_after(paged: Run, *orders: tuple[str, str]) -> bool:
    """Whether every journey is well at the end, for the last two minutes."""
    run = paged.fork()
    for order in orders:
        run.order(*order)
        run.advance(SPACING)
    run.advance(AFTERWARDS)
    return is_well(run, int(run.time))


def test_on_call_is_paged_for_it_and_it_does_not_heal_by_itself(paged: Run) -> None:
    (page,) = find_pages(paged, int(paged.time))
    assert page.rule.name == "StorefrontCoreJourneysFailing"
    assert 20 * 60 < page.fired < 23 * 60
    assert not is_well_after(paged)


def test_the_plan_mends_it(paged: Run) -> None:
    assert is_well_after(paged, *REPAIR)


@pytest.mark.parametrize("place", mark_slow_after(1, range(len(REPAIR))))
def test_every_step_is_needed(paged: Run, place: int) -> None:
    assert not is_well_after(paged, *REPAIR[:place], *REPAIR[place + 1 :])


@pytest.mark.parametrize("late", mark_slow_after(1, [1, 2, 3]))
def test_the_order_matters(paged: Run, late: int) -> None:
    """A step of the first four that comes after the next one does not mend it; the last two commute."""
    swapped = [*REPAIR[: late - 1], REPAIR[late], REPAIR[late - 1], *REPAIR[late + 1 :]]
    assert not is_well_after(paged, *swapped)


def test_the_last_two_commute(paged: Run) -> None:
    assert is_well_after(paged, *REPAIR[:3], REPAIR[4], REPAIR[3])


@pytest.mark.parametrize("service", mark_slow_after(1, ["payment-service", "catalog-service"]))
def test_what_has_nothing_to_do_with_it_does_not_mend_it(paged: Run, service: str) -> None:
    assert not is_well_after(paged, ("restart_service", service))
    assert not is_well_after(paged, ("rollback_deploy", "order-service"))


def test_what_an_engineer_would_be_told(paged: Run) -> None:
    """The reasons, as the run notes them: killed again with a run planned with the flag, pools that find nobody."""
    run = paged.fork()
    for order in (REPAIR[1], REPAIR[2]):  # the flag is still on
        run.order(*order)
        run.advance(SPACING)
    run.advance(AFTERWARDS)
    names = run.layout.component_names
    told = [(names[event.component], event.what) for event in run.state.events if event.at >= paged.time]
    assert ("postgres-db", "oom") in told
    assert ("postgres-db", "gave_up") in told
    run = paged.fork()
    run.order("restart_service", "auth-service")
    run.advance(SPACING)
    failed = [event for event in run.state.events if event.at >= paged.time and event.what == "pool_failed"]
    assert {names[event.component] for event in failed} == {"auth-service"}
    assert all(a.at <= b.at for a, b in pairwise(failed))
