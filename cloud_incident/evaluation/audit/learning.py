"""Is there something to learn: levels that differ, room above the scripted responder, scores that vary?"""

from __future__ import annotations

from itertools import pairwise
from statistics import pstdev
from typing import TYPE_CHECKING

from cloud_incident.evaluation.audit.bounds import FEWEST, at_most, drop
from cloud_incident.evaluation.audit.check import Check, Found, Group, Spec
from cloud_incident.evaluation.intervals import mean
from scenarios.vocabulary import TaskId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context

LEAST_FALL = 0.05
"""From one level of difficulty to the next, in the responder's mean score."""
MOST_MEAN = 0.95
LEAST_SPREAD = 0.05
_AGENT = "responder"

Scores = dict[TaskId, float]


class Learning(Group[Scores]):
    """Difficulty separation, headroom, variance."""

    specs = (
        Spec(
            "statistical.difficulty_separation",
            "In root_cause_analysis the responder earns less at each level of difficulty than at the one before",
            f"{LEAST_FALL} less or more at each",
        ),
        Spec(
            "statistical.headroom",
            "The responder leaves room for better agents",
            f"mean under {MOST_MEAN} in every task",
        ),
        Spec(
            "statistical.variance_bound",
            "The responder's scores differ from incident to incident, and an incident's are always the same",
            f"standard deviation {LEAST_SPREAD} or more in every task; see also runtime.episode_determinism",
        ),
    )

    def measure(self, case: Case) -> Scores:
        return {task_id: earned[_AGENT] for task_id, earned in case.scores([_AGENT]).items()}

    def judge(self, found: Sequence[Found[Scores]], context: Context) -> Iterator[Check]:
        separation, headroom, variance = self.specs
        yield _separated(separation, found)
        by_task = {task_id: [one.value[task_id] for one in found] for task_id in context.sample.tasks}
        bounded = {task_id: at_most(scores, MOST_MEAN, task_id) for task_id, scores in by_task.items()}
        yield Check(
            headroom,
            "fail" if any(one.broken for one in bounded.values()) else "pass",
            {task_id: round(one.value, 4) for task_id, one in bounded.items()},
            "; ".join(one.note for one in bounded.values() if one.note),
        )
        spreads: dict[str, float | int | str] = {
            task_id: round(pstdev(scores), 4) for task_id, scores in by_task.items()
        }
        flat = [task_id for task_id, scores in by_task.items() if pstdev(scores) < LEAST_SPREAD]
        few = len(found) < FEWEST
        note = f"{', '.join(flat)}: n = {len(found)} is too small to tell" if flat and few else ", ".join(flat)
        yield Check(variance, "fail" if flat and not few else "pass", spreads, note)


_SEPARATED: TaskId = "root_cause_analysis"
"""The task that difficulty is about: severity is told by few looks at any size of system."""


def _separated(spec: Spec, found: Sequence[Found[Scores]]) -> Check:
    levels: dict[int, list[float]] = {}
    for one in found:
        levels.setdefault(one.specimen.difficulty, []).append(one.value.get(_SEPARATED, mean(list(one.value.values()))))
    ordered = sorted(levels)
    measured: dict[str, float | int | str] = {f"level {level}": round(mean(levels[level]), 4) for level in ordered}
    if len(ordered) < 2:
        return Check(spec, "skip", measured, "the sample has one level of difficulty")
    steps = [*pairwise(ordered)]
    if len(ordered) > 2:
        steps.append((ordered[0], ordered[-1]))
    falls = [
        drop(levels[one], levels[other], LEAST_FALL * (other - one), f"from level {one} to {other}: the fall")
        for one, other in steps
    ]
    notes = [fall.note for fall in falls if fall.note]
    return Check(spec, "fail" if any(fall.broken for fall in falls) else "pass", measured, "; ".join(notes))
