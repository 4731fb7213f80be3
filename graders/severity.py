"""alert_classification: how near the submitted severity is to the true one."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from graders.score import Point
from scenarios.actions import SEVERITIES, SeverityAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.conduct import Conduct
    from scenarios.incident import Truth

_BY_DISTANCE = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(0))


def severity_points(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, SeverityAnswer):
        raise TypeError("alert_classification is graded on a severity")
    distance = abs(SEVERITIES.index(answer.severity) - SEVERITIES.index(truth.severity))
    verdict = "exact" if distance == 0 else f"{distance} level{'s' if distance > 1 else ''} off"
    yield Point(
        "severity",
        _BY_DISTANCE[distance],
        Fraction(1),
        f"Submitted {answer.severity}; the incident is {truth.severity}: {verdict}.",
    )
