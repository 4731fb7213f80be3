"""What is earned without knowing the cause, and without repairing it, whatever else was done and said."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from graders import grade
from scenarios.incident import Achieved, Known, Pace
from scenarios.vocabulary import TASKS
from tests.graders.test_grades import RIGHT, STEPS, SUMMARY, TRUTH, conduct

if TYPE_CHECKING:
    from graders import Conduct

UNKNOWN = Known(Fraction(0), Fraction(0))
KNOWN = st.fractions(0, 1).map(lambda share: Known(share, max(Fraction(0), 2 * share - 1)))
SAID = (*SUMMARY.replace(". ", ".|").split("|"), RIGHT, "We restarted auth-service.", "We disabled the flag dark_mode.")
SHARES = st.one_of(st.just(Fraction(1)), st.fractions(0, 1))
SUMMARIES = st.one_of(
    st.just(SUMMARY),
    st.lists(st.sampled_from(SAID), min_size=1, max_size=8).map(" ".join),
    st.text(min_size=1, max_size=200).filter(lambda text: bool(text.strip()) and text.isprintable()),
)


@st.composite
def conducts(draw: st.DrawFn, known: st.SearchStrategy[Known], share: st.SearchStrategy[Fraction]) -> dict[str, Any]:
    """How an episode may have been worked: every number that a grader reads, in any combination."""
    effective = draw(st.one_of(st.just(STEPS), st.sets(st.sampled_from(sorted(STEPS))).map(frozenset)))
    achieved = draw(share)
    fewest = draw(st.integers(1, 15))
    return {
        "known": draw(known),
        "achieved": Achieved(achieved, by_outcome=draw(st.booleans())),
        "effective": effective,
        "attempted": effective | frozenset(draw(st.sets(st.sampled_from(sorted(STEPS))))),
        "wrong": draw(st.one_of(st.just(0), st.integers(0, 12))),
        # Nothing is verified that is not all repaired: `env_core.episode` sees to that.
        "verified": achieved == 1 and draw(st.booleans()),
        "steps": draw(st.integers(1, 15)),
        "pace": Pace(fewest, fewest + draw(st.integers(0, 2)), draw(st.sampled_from((5, 6, 8)))),
    }


def score(task: str, action: str, answer: dict[str, str], worked: dict[str, Any]) -> float:
    made: Conduct = conduct(action, answer, **worked)
    return grade(TASKS[task], TRUTH, made).score


@given(SUMMARIES, conducts(st.just(UNKNOWN), SHARES))
def test_a_repair_of_what_is_not_known_earns_a_fifth_at_most(summary: str, worked: dict[str, Any]) -> None:
    assert score("remediation_planning", "submit_resolution", {"summary": summary}, worked) <= 0.2


@given(SUMMARIES, conducts(KNOWN, st.just(Fraction(0))))
def test_who_repairs_nothing_earns_a_fifth_at_most(summary: str, worked: dict[str, Any]) -> None:
    assert score("remediation_planning", "submit_resolution", {"summary": summary}, worked) <= 0.2


@given(st.sampled_from(("analytics-service", "postgres-db")), SUMMARIES, conducts(st.just(UNKNOWN), SHARES))
def test_a_cause_that_is_not_known_earns_three_tenths_at_most(service: str, text: str, worked: dict[str, Any]) -> None:
    answer = {"service": service, "failure_mode": text[:500]}
    assert score("root_cause_analysis", "submit_root_cause", answer, worked) <= 0.3


def test_each_of_these_bounds_is_reached() -> None:
    unseen = {"known": UNKNOWN, "verified": True}
    assert score("remediation_planning", "submit_resolution", {"summary": SUMMARY}, unseen) == 0.2
    answer = {"service": "analytics-service", "failure_mode": RIGHT}
    assert score("root_cause_analysis", "submit_root_cause", answer, {"known": UNKNOWN}) == 0.3
