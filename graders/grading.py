"""Grading: the grader of each task."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from graders.resolution import resolution_points
from graders.root_cause import root_cause_points
from graders.score import Grade, Point
from graders.severity import severity_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graders.conduct import Conduct
    from scenarios.incident import Truth
    from scenarios.tasks import Task, TaskId

GRADERS: dict[TaskId, Callable[[Truth, Conduct], Iterable[Point]]] = {
    "alert_classification": severity_points,
    "root_cause_analysis": root_cause_points,
    "remediation_planning": resolution_points,
}


def grade(task: Task, truth: Truth, conduct: Conduct) -> Grade:
    """Grade an episode that has ended. Without a submission the score is 0."""
    if conduct.submission is None:
        nothing = f"Nothing was submitted; {task.submission} was due."
        return Grade.total([Point("submission", Fraction(0), Fraction(1), nothing)])
    return Grade.total(GRADERS[task.id](truth, conduct))
