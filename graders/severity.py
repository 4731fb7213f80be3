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


def severity_share(submitted: str, truth: str) -> Fraction:
    """What a severity earns, 0 to 1, by its distance from the true one."""
    return _BY_DISTANCE[_distance(submitted, truth)]


def _distance(submitted: str, truth: str) -> int:
    return abs(SEVERITIES.index(submitted) - SEVERITIES.index(truth))


def severity_points(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, SeverityAnswer):
        raise TypeError("alert_classification is graded on a severity")
    distance = _distance(answer.severity, truth.severity)
    verdict = "exact" if distance == 0 else f"{distance} level{'s' if distance > 1 else ''} off"
    yield Point(
        "severity",
        severity_share(answer.severity, truth.severity),
        Fraction(1),
        f"Submitted {answer.severity}; the incident is {truth.severity}: {verdict}.",
    )
