"""Plans: what is effective, premature, done already, outside the range, wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.progress import UNTOUCHED, Condition, Harm, Outcome, Plan, PlanStep, Progress, Remedy

PLAN = Plan(
    stages=(
        (PlanStep("disable_feature_flag", "export"),),
        (PlanStep("restart_service", "a"), PlanStep("restart_service", "b")),
        (PlanStep("scale_service", "c", replicas=(6, 12)),),
        (PlanStep("execute_runbook_step", "verify_db_health", verify=True),),
    ),
    harms=(Harm("a_early", "restart_service a", Condition(), "a came up and fell over"),),
)
FLAG, A, B = "disable_feature_flag export", "restart_service a", "restart_service b"


@pytest.mark.parametrize(
    ("remedy", "progress", "verifies", "outcome"),
    [
        (Remedy("disable_feature_flag", "export"), UNTOUCHED, False, Outcome.EFFECTIVE),
        (Remedy("restart_service", "a"), UNTOUCHED, False, Outcome.INEFFECTIVE),
        (Remedy("restart_service", "a"), {FLAG}, False, Outcome.EFFECTIVE),
        (Remedy("restart_service", "b"), {FLAG}, False, Outcome.EFFECTIVE),
        (Remedy("restart_service", "b"), {FLAG, B}, False, Outcome.INEFFECTIVE),
        (Remedy("scale_service", "c", 6), {FLAG, A}, False, Outcome.INEFFECTIVE),
        (Remedy("scale_service", "c", 6), {FLAG, A, B}, False, Outcome.EFFECTIVE),
        (Remedy("scale_service", "c", 13), {FLAG, A, B}, False, Outcome.INEFFECTIVE),
        (Remedy("execute_runbook_step", "verify_queue_lag"), UNTOUCHED, True, Outcome.INEFFECTIVE),
        (Remedy("execute_runbook_step", "promote_db_replica"), UNTOUCHED, False, Outcome.WRONG),
        (Remedy("restart_service", "z"), UNTOUCHED, False, Outcome.WRONG),
    ],
)
def test_outcomes(remedy: Remedy, progress: set[str], verifies: bool, outcome: Outcome) -> None:
    assert PLAN.apply(remedy, frozenset(progress), verifies=verifies)[0] is outcome


def test_a_premature_step_does_its_harm_and_may_be_tried_again() -> None:
    outcome, harmed = PLAN.apply(Remedy("restart_service", "a"), UNTOUCHED, verifies=False)
    assert (outcome, harmed) == (Outcome.INEFFECTIVE, frozenset({"a_early"}))
    outcome, done = PLAN.apply(Remedy("restart_service", "a"), harmed | {FLAG}, verifies=False)
    assert (outcome, done) == (Outcome.EFFECTIVE, frozenset({"a_early", FLAG, A}))


@given(st.lists(st.sampled_from([step.step for step in PLAN.steps] + ["restart_service z"]), max_size=20))
def test_progress_only_grows_and_never_skips_a_stage(steps: list[str]) -> None:
    progress: Progress = UNTOUCHED
    for step in steps:
        action, target = step.split()
        _, after = PLAN.apply(Remedy(action, target, 6), progress, verifies=False)
        assert progress <= after
        progress = after
    done = [all(step.step in progress for step in stage) for stage in PLAN.stages]
    begun = [any(step.step in progress for step in stage) for stage in PLAN.stages]
    assert all(done[:index] == [True] * index for index, started in enumerate(begun) if started)


def test_conditions() -> None:
    condition = Condition.parse(["done", "!harm"])
    assert condition.is_met(frozenset({"done", "else"}))
    assert not condition.is_met(frozenset({"done", "harm"}))
    assert not condition.is_met(UNTOUCHED)
    assert Condition().is_met(UNTOUCHED)
