"""Grading: the grader of each task."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from graders import resolution, root_cause, severity
from graders.reasons import give_reason
from graders.score import Grade, Point
from scenarios.vocabulary import (
    ALERT_CLASSIFICATION,
    REMEDIATION_PLANNING,
    ROOT_CAUSE_ANALYSIS,
    TASKS,
    Attachments,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graders.conduct import Conduct
    from scenarios.incident import Truth
    from scenarios.vocabulary import Task


class Grader(NamedTuple):
    """What grades a task: the points that a conduct earns, and the rules in words, as the on-call guide prints them.

    `of_proved` are the rules on a proved incident that runs.
    """

    points: Callable[[Truth, Conduct], Iterable[Point]]
    rules: str
    of_proved: str


GRADERS: Attachments[Task, Grader] = Attachments(
    "graders",
    TASKS.values(),
    {
        ALERT_CLASSIFICATION: Grader(severity.grade_severity, severity.RULES, severity.RULES),
        ROOT_CAUSE_ANALYSIS: Grader(root_cause.grade_root_cause, root_cause.RULES, root_cause.PROVED_RULES),
        REMEDIATION_PLANNING: Grader(resolution.grade_resolution, resolution.RULES, resolution.PROVED_RULES),
    },
)


def grade(task: Task, truth: Truth, conduct: Conduct) -> Grade:
    """Grade an episode that has ended. Without a submission the score is 0."""
    if conduct.submission is None:
        due = give_reason("nothing_submitted", submission=task.submission.name)
        return Grade.total([Point("submission", Fraction(0), Fraction(1), (due,))])
    return Grade.total(GRADERS[task].points(truth, conduct))
