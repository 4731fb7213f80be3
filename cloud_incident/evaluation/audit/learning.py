"""Checks that there is something to learn: difficulties differ, better agents have room, scores vary."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from cloud_incident.evaluation.audit.bounds import check_at_most, check_drop, check_spread
from cloud_incident.evaluation.audit.check import Check, CheckGroup, CheckResult, Measurement, judge_figures
from scenarios.vocabulary import ROOT_CAUSE_ANALYSIS, TaskId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext

LEAST_FALL = 0.05
"""The least fall of the responder's mean score from one difficulty to the next."""
MOST_MEAN = 0.95
"""The highest mean score of the responder that leaves room for better agents."""
LEAST_SPREAD = 0.05
"""The least standard deviation of the responder's scores."""
_AGENT = "responder"

Scores = dict[TaskId, float]


class LearningChecks(CheckGroup[Scores]):
    """Difficulty separation, headroom, variance."""

    specs = (
        Check(
            "statistical.difficulty_separation",
            "In root_cause_analysis the responder earns less at each level of difficulty than at the one before",
            f"{LEAST_FALL} less or more at each",
        ),
        Check(
            "statistical.headroom",
            "The responder leaves room for better agents",
            f"mean under {MOST_MEAN} in every task",
        ),
        Check(
            "statistical.variance_bound",
            "The responder's scores differ from incident to incident, and an incident's are always the same",
            f"standard deviation {LEAST_SPREAD} or more in every task; see also runtime.episode_determinism",
        ),
    )

    def measure(self, case: Case) -> Scores:
        return {task_id: earned[_AGENT] for task_id, earned in case.collect_scores([_AGENT]).items()}

    def judge(self, found: Sequence[Measurement[Scores]], context: AuditContext) -> Iterator[CheckResult]:
        separation, headroom, variance = self.specs
        yield _judge_separation(separation, found)
        by_task = {task_id: [measurement.value[task_id] for measurement in found] for task_id in context.sample.tasks}
        bounded = {task_id: check_at_most(scores, MOST_MEAN, task_id) for task_id, scores in by_task.items()}
        shown = {task_id: round(figure.value, 4) for task_id, figure in bounded.items()}
        yield judge_figures(headroom, shown, list(bounded.values()))
        spreads = {task_id: check_spread(scores, LEAST_SPREAD, task_id) for task_id, scores in by_task.items()}
        shown = {task_id: round(spread.value, 4) for task_id, spread in spreads.items()}
        yield judge_figures(variance, shown, list(spreads.values()))


_SEPARATED: TaskId = ROOT_CAUSE_ANALYSIS.id
"""The task that difficulty changes. The severity takes few looks in a system of any size."""


def _judge_separation(spec: Check, found: Sequence[Measurement[Scores]]) -> CheckResult:
    levels: dict[int, list[float]] = {}
    for measurement in found:
        scores = measurement.value
        levels.setdefault(measurement.specimen.difficulty, []).append(scores.get(_SEPARATED, fmean(scores.values())))
    ordered = sorted(levels)
    measured: dict[str, float | int | str] = {f"level {level}": round(fmean(levels[level]), 4) for level in ordered}
    if len(ordered) < 2:
        return CheckResult(spec, "skip", measured, "the sample has one level of difficulty")
    steps = [*pairwise(ordered)]
    if len(ordered) > 2:
        steps.append((ordered[0], ordered[-1]))
    falls = [
        check_drop(
            levels[lower], levels[upper], LEAST_FALL * (upper - lower), f"from level {lower} to {upper}: the fall"
        )
        for lower, upper in steps
    ]
    return judge_figures(spec, measured, falls)
