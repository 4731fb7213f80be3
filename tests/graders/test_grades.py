"""Grades: the formulas of the three graders, with every point explained."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import Conduct, grade
from scenarios.incident import DECAY_STEPS, Known, Pace, Truth, measure_plan
from scenarios.library import load_runbook_catalogue
from scenarios.parsing import parse_action
from scenarios.progress import Plan, PlanStep
from scenarios.vocabulary import TASKS

TRUTH = Truth(
    severity="P2",
    service="analytics-service",
    concepts=(("unbounded export", "full export"), ("out of memory", "oom*")),
    families=frozenset({"memory", "query_load"}),
)
PLAN = (
    PlanStep("disable_feature_flag", "nightly_job"),
    PlanStep("restart_service", "analytics-service"),
    PlanStep("restart_service", "postgres-db"),
    PlanStep("execute_runbook_step", "verify_db_health", verify=True),
)
STEPS = frozenset(step.step for step in PLAN)
RIGHT = "An unbounded export drove postgres out of memory"
SUMMARY = (
    "The incident started in analytics-service, whose unbounded export ran postgres-db out of memory. "
    "We disabled the flag nightly_job, restarted analytics-service and restarted postgres-db. "
    "After that the connection metrics of postgres-db were normal again."
)


def known_of(share: Fraction) -> Known:
    """What is known of a cause of which a share of a certificate was seen."""
    return Known(share, Fraction(share == 1))


def conduct(action: str = "", parameters: dict[str, Any] | None = None, **known: Any) -> Conduct:
    usual: dict[str, Any] = {
        "steps": 3,
        "pace": Pace(3, 3, DECAY_STEPS),
        "known": known_of(Fraction(known.pop("evidence", 1))),
        "achieved": measure_plan(Plan((PLAN,)), known.get("effective", STEPS)),
        "plan": PLAN,
        "effective": STEPS,
        "attempted": STEPS,
        "wrong": 0,
        "verified": True,
        "flags": frozenset({"nightly_job", "dark_mode"}),
        "runbook": load_runbook_catalogue(),
        "services": ("analytics-service", "api-gateway", "auth-service", "postgres-db"),
    }
    submission = parse_action(action, parameters).parameters if action else None
    return Conduct(submission=submission, **{**usual, **known})


def root_cause(service: str = "analytics-service", failure_mode: str = RIGHT, **known: Any) -> float:
    answer = {"service": service, "failure_mode": failure_mode}
    return grade(TASKS["root_cause_analysis"], TRUTH, conduct("submit_root_cause", answer, **known)).score


def resolution(summary: str = SUMMARY, **known: Any) -> float:
    return grade(
        TASKS["remediation_planning"], TRUTH, conduct("submit_resolution", {"summary": summary}, **known)
    ).score


@pytest.mark.parametrize(("answer", "score"), [("P2", 1.0), ("P1", 0.5), ("P3", 0.5), ("P4", 0.25)])
def test_severity(answer: str, score: float) -> None:
    graded = grade(TASKS["alert_classification"], TRUTH, conduct("submit_severity", {"severity": answer}))
    assert graded.score == score


@pytest.mark.parametrize("task", list(TASKS.values()), ids=list(TASKS))
def test_nothing_submitted_is_nothing(task: Any) -> None:
    assert grade(task, TRUTH, conduct()).score == 0.0


def test_root_cause_formula() -> None:
    assert root_cause() == 1.0
    assert root_cause(steps=5) == pytest.approx(0.6 + 0.4 * 3 / 5)
    assert root_cause(steps=8) == pytest.approx(0.6)
    assert root_cause(evidence=Fraction(1, 2)) == pytest.approx((0.35 + 0.25) * 0.75)
    assert root_cause(evidence=Fraction(0)) == pytest.approx(0.3)
    assert root_cause(evidence=Fraction(0), failure_mode="broken") == pytest.approx(0.175)
    assert root_cause(failure_mode="an unbounded export") == pytest.approx(0.35 + 0.125 + 0.4)
    assert root_cause(service="postgres-db") == pytest.approx(0.2)
    assert root_cause(service="postgres-db", evidence=Fraction(1, 3)) == pytest.approx(0.1)
    assert root_cause(service="analytics") == pytest.approx(0.2)


def test_what_explanations_are_left_counts_where_they_are_counted() -> None:
    pace = Pace(fewest=5, free=7, decay=6)

    def known(share: Fraction, left: int) -> dict[str, Any]:
        return {"pace": pace, "known": Known(share, max(Fraction(0), 2 * share - 1), 16, left)}

    assert root_cause(steps=7, **known(Fraction(1), 1)) == 1.0
    assert root_cause(steps=10, **known(Fraction(1), 1)) == pytest.approx(0.6 + 0.4 / 2)
    assert root_cause(steps=7, **known(Fraction(3, 4), 2)) == pytest.approx(0.6 * 7 / 8 + 0.4 / 2)
    assert root_cause(steps=7, **known(Fraction(1, 2), 4)) == pytest.approx(0.6 * 3 / 4)
    assert root_cause(steps=1, **known(Fraction(0), 16)) == pytest.approx(0.3)
    answer = {"service": "analytics-service", "failure_mode": RIGHT}
    given = conduct("submit_root_cause", answer, attempted=frozenset(), steps=7, **known(Fraction(3, 4), 2))
    said = " ".join(point.reason for point in grade(TASKS["root_cause_analysis"], TRUTH, given).breakdown)
    assert "leaves 2 of the 16 explanations that the alert has: 75 % of what can be known" in said
    assert "7 steps were used and 7 take nothing" in said


def test_rivals_beside_the_cause_cost_points() -> None:
    assert root_cause(failure_mode=f"{RIGHT}; also DNS") == pytest.approx(0.35 + 0.125 + 0.4)
    assert root_cause(failure_mode=f"{RIGHT}; also DNS; expired certificate") == pytest.approx(
        0.35 + 0.25 / 3 + 0.4, abs=1e-4
    )
    assert root_cause(failure_mode=f"{RIGHT}; also DNS; expired certificate; DDoS") == pytest.approx(0.75)
    assert root_cause(failure_mode=f"{RIGHT}; not DNS, certificates or DDoS") == 1.0


def test_resolution_formula() -> None:
    assert resolution() == 1.0
    assert resolution(steps=5) == pytest.approx(1 - 0.3 * 2 / 5)
    assert resolution(verified=False) == pytest.approx(0.9)
    assert resolution(wrong=1) == pytest.approx(0.9)
    assert resolution(wrong=9) == pytest.approx(0.7)
    assert resolution(evidence=Fraction(1, 2)) == pytest.approx(1 - 0.35 - 0.05)
    assert resolution(summary="ok.") == pytest.approx(0.9)
    done = frozenset({"disable_feature_flag nightly_job", "restart_service analytics-service"})
    half: dict[str, Any] = {"effective": done, "attempted": done, "verified": False}
    assert resolution(**half) == pytest.approx(0.1 + 0.35 + 0.02 + 0.02 + 0.02 + 0.04 * 2 / 3 - 0.04, abs=1e-4)


def test_summary_points() -> None:
    short = "In analytics-service an unbounded export ran out of memory. We restarted analytics-service."
    assert resolution(short) == pytest.approx(0.9 + 0.02 + 0.02 + 0.04 / 3, abs=1e-4)
    everything = f"{SUMMARY} We restarted auth-service and api-gateway."
    assert resolution(everything) == pytest.approx(1.0 - 0.08)
    assert resolution(f"{SUMMARY} We disabled the flag dark_mode.") == pytest.approx(0.96)
    assert resolution(f"{SUMMARY} We promoted the db replica.") == pytest.approx(0.96)
    assert resolution(f"{SUMMARY} We did not restart auth-service.") == 1.0
    assert resolution(f"{SUMMARY} We will restart auth-service next week.") == 1.0
    early: dict[str, Any] = {"effective": STEPS - {"restart_service postgres-db"}, "verified": False}
    assert resolution(**early) == pytest.approx(0.1 + 0.7 * 0.75 + 0.06 + 0.04 * 2 / 3 - 0.04, abs=1e-4)
    crowd = SUMMARY.replace("whose", "with auth-service and api-gateway near, whose")
    assert resolution(crowd) == pytest.approx(0.98)


@pytest.mark.slow
@given(
    evidence=st.fractions(0, 1),
    steps=st.integers(1, 15),
    wrong=st.integers(0, 12),
    verified=st.booleans(),
    effective=st.sets(st.sampled_from(sorted(STEPS))),
    text=st.text(min_size=1, max_size=200).filter(lambda text: text.strip() and text.isprintable()),
)
def test_scores_stay_within_bounds_and_are_explained(
    evidence: Fraction, steps: int, wrong: int, verified: bool, effective: set[str], text: str
) -> None:
    known = {
        "evidence": evidence,
        "steps": steps,
        "wrong": wrong,
        "verified": verified,
        "effective": frozenset(effective),
        "attempted": frozenset(effective),
    }
    for action, parameters in (
        ("submit_root_cause", {"service": "analytics-service", "failure_mode": text}),
        ("submit_resolution", {"summary": text}),
    ):
        task = TASKS["root_cause_analysis" if action == "submit_root_cause" else "remediation_planning"]
        graded = grade(task, TRUTH, conduct(action, parameters, **known))
        assert 0.0 <= graded.score <= 1.0
        assert graded.score == round(graded.score, 4)
        assert all(point.reason for point in graded.breakdown)
        total = sum(point.points for point in graded.breakdown)
        assert graded.score == pytest.approx(float(min(max(total, Fraction(0)), Fraction(1))), abs=1e-4)


@given(st.integers(3, 8), st.integers(0, 1))
def test_more_work_with_the_same_end_never_earns_more(steps: int, more: int) -> None:
    assert root_cause(steps=steps + more) <= root_cause(steps=steps)
    assert resolution(steps=steps + more) <= resolution(steps=steps)


@pytest.mark.parametrize(
    ("sentence", "lost"),
    [
        ("In api-gateway there was a release. We rolled it back.", 0.04),
        ("We restarted auth-service. Then we looked at it again.", 0.04),
        ("We looked at analytics-service. We restarted it.", 0),
        ("Nobody restarted auth-service.", 0),
        ("Kubernetes keeps restarting auth-service.", 0),
        ("Someone has to restart auth-service next week.", 0),
    ],
)
def test_a_false_claim_costs_and_a_true_sentence_does_not(sentence: str, lost: float) -> None:
    assert resolution(f"{SUMMARY} {sentence}") == pytest.approx(1.0 - lost)


def _tell_points(task: str, action: str, parameters: dict[str, Any], **known: Any) -> str:
    graded = grade(TASKS[task], TRUTH, conduct(action, parameters, **known))
    return " ".join(point.reason for point in graded.breakdown)


def test_no_fix_is_spoken_of_where_there_was_none() -> None:
    nothing: dict[str, Any] = {"effective": frozenset(), "attempted": frozenset(), "verified": False}
    answer = {"service": "analytics-service", "failure_mode": RIGHT}
    told = _tell_points("remediation_planning", "submit_resolution", {"summary": SUMMARY}, **nothing)
    assert "effective fix" not in told
    assert "effective fix" in _tell_points("remediation_planning", "submit_resolution", {"summary": SUMMARY})
    assert "before any" not in _tell_points("root_cause_analysis", "submit_root_cause", answer, **nothing)
