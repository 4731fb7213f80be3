"""alert_classification: how near the submitted severity is to the true one."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from graders.reasons import give_reason
from graders.score import Point
from scenarios.vocabulary import SEVERITIES, SeverityAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.conduct import Conduct
    from scenarios.incident import Truth

_BY_DISTANCE = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(0))


RULES = (
    f"{float(_BY_DISTANCE[0])} for the exact severity, {float(_BY_DISTANCE[1])} one level off, "
    f"{float(_BY_DISTANCE[2])} two levels off. Evidence and the number of steps do not count in it."
)
"""What earns points, as the on-call guide says it."""


def share_for_severity(submitted: str, truth: str) -> Fraction:
    """What a severity earns, 0 to 1, by its distance from the true one."""
    return _BY_DISTANCE[_count_levels(submitted, truth)]


def _count_levels(submitted: str, truth: str) -> int:
    return abs(SEVERITIES.index(submitted) - SEVERITIES.index(truth))


def grade_severity(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, SeverityAnswer):
        raise TypeError("alert_classification is graded on a severity")
    distance = _count_levels(answer.severity, truth.severity)
    answers = {"submitted": answer.severity, "truth": truth.severity}
    yield Point(
        "severity",
        share_for_severity(answer.severity, truth.severity),
        Fraction(1),
        (
            give_reason("severity_off", count=distance, **answers)
            if distance
            else give_reason("severity_exact", **answers),
        ),
    )
