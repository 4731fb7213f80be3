"""Summaries where nothing was to be repaired, and what is earned there without knowing it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import grade
from scenarios.incident import Achieved, Calm, Known, Pace
from scenarios.vocabulary import TASKS
from tests.graders.test_grades import TRUTH, conduct

OVER = replace(TRUTH, calm=Calm(("ShopSignInFailing", "api-gateway", "sign-in"), is_over=True))
UNFELT = replace(TRUTH, calm=Calm(("ShopSignInFailing", "api-gateway", "sign-in"), is_over=False))
PAGE = "ShopSignInFailing has paged for api-gateway."
CAUSE = "The unbounded export of analytics-service had run out of memory."
END = "Everything recovered by itself before we looked."
LEFT = "We left all of it alone."
SUMMARY = f"{PAGE} {CAUSE} {END} {LEFT}"
KEPT = Achieved(Fraction(1), by_outcome=True, calm=True)


def points(summary: str, truth: Any = OVER, **known: Any) -> dict[str, float]:
    usual: dict[str, Any] = {
        "achieved": KEPT,
        "plan": (),
        "effective": frozenset(),
        "attempted": frozenset(),
        "pace": Pace(5, 7, 8),
    }
    made = conduct("submit_resolution", {"summary": summary}, **{**usual, **known})
    return {point.name: float(point.points) for point in grade(TASKS["remediation_planning"], truth, made).breakdown}


def test_all_of_it_is_paid_where_nothing_was_harmed() -> None:
    assert points(SUMMARY) == {
        "submission": 0.1,
        "plan": 0.4,
        "efficiency": 0.3,
        "verified recovery": 0.1,
        "summary": 0.1,
    }


@pytest.mark.parametrize("missing", [PAGE, CAUSE, END, LEFT])
def test_each_row_is_asked_for(missing: str) -> None:
    assert points(SUMMARY.replace(missing, "That is all there is to say."))["summary"] == pytest.approx(0.08)


@pytest.mark.parametrize(
    "page",
    [
        "The alert on api-gateway fired at noon.",
        "We were paged because sign-in failed.",
        "ShopSignInFailing woke us up at noon.",
    ],
)
def test_a_page_is_told_by_its_rule_or_by_what_it_is_about(page: str) -> None:
    assert points(f"{page} {CAUSE} {END} {LEFT}")["summary"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "end",
    [
        "Users are back to normal.",
        "The trouble is over.",
        "It has healed on its own.",
        "The errors subsided within two minutes.",
        "It was a transient spike.",
        "No request fails any more, it has cleared.",
    ],
)
def test_an_end_is_told_in_many_words(end: str) -> None:
    assert points(f"{PAGE} {CAUSE} {end} {LEFT}")["summary"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "end", ["It has not recovered.", "Users are still failing.", "It was a false alarm, nobody felt it."]
)
def test_what_is_not_so_is_no_end(end: str) -> None:
    assert points(f"{PAGE} {CAUSE} {end} {LEFT}")["summary"] == pytest.approx(0.08)


@pytest.mark.parametrize(
    "end", ["It was a false alarm.", "No user was affected.", "Nobody felt it.", "It is harmless."]
)
def test_of_what_nobody_felt_that_is_said(end: str) -> None:
    assert points(f"{PAGE} {CAUSE} {end} {LEFT}", UNFELT)["summary"] == pytest.approx(0.1)
    assert points(SUMMARY, UNFELT)["summary"] == pytest.approx(0.08)


@pytest.mark.parametrize(
    "left",
    [
        "No repair was needed.",
        "We changed nothing.",
        "We did not restart anything.",
        "Nothing had to be done.",
        "There was nothing to repair.",
        "No action was taken on our side.",
        "We didn't touch any service.",
        "We made no changes.",
        "All services were left as they were.",
    ],
)
def test_what_was_left_alone_is_told_in_many_words(left: str) -> None:
    assert points(f"{PAGE} {CAUSE} {END} {left}")["summary"] == pytest.approx(0.1)


def test_what_was_done_all_the_same_is_told_instead() -> None:
    done = {"attempted": frozenset({"restart_service analytics-service"})}
    assert points(SUMMARY, **done)["summary"] == pytest.approx(0.08)
    assert points(SUMMARY.replace(LEFT, "We restarted analytics-service."), **done)["summary"] == pytest.approx(0.1)


def test_what_nobody_did_is_a_false_claim() -> None:
    assert points(f"{SUMMARY} We restarted analytics-service.")["summary"] == pytest.approx(0.06)


@pytest.mark.parametrize(("share", "counts"), [(Fraction(89, 100), False), (Fraction(9, 10), True)])
def test_nothing_counts_below_nine_tenths_of_what_can_be_known(share: Fraction, *, counts: bool) -> None:
    found = points(SUMMARY, known=Known(share, max(Fraction(0), 2 * share - 1), 20, 2))
    assert (found["plan"] > 0) == (found["verified recovery"] > 0) == counts
    assert found["summary"] == pytest.approx(0.1 if counts else 0.06)


@given(
    st.sampled_from(
        [SUMMARY, PAGE, f"{CAUSE} {END}", "It was a false alarm. Nothing was wrong. We left all of it alone."]
    ),
    st.sampled_from([OVER, UNFELT]),
    st.integers(0, 5),
    st.booleans(),
    st.fractions(0, 1),
    st.booleans(),
)
def test_who_has_harmed_or_does_not_know_earns_a_fifth_at_most(
    summary: str,
    truth: Any,
    wrong: int,
    kept: bool,
    share: Fraction,
    verified: bool,
) -> None:
    known = Known(share, max(Fraction(0), 2 * share - 1), 20, 2)
    achieved = KEPT._replace(share=Fraction(kept))
    verified = verified and kept and not wrong
    found = points(summary, truth, known=known, achieved=achieved, wrong=wrong, verified=verified)
    if wrong or not kept or share < Fraction(9, 10):
        assert sum(found.values()) <= 0.2 + 1e-9
