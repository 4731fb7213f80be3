"""Scores: points with reasons, added exactly and rounded once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from graders.reasons import render_reasons

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graders.reasons import Reason

DECIMALS = 4
"""Decimal places of a score."""


@dataclass(frozen=True, slots=True)
class Point:
    """Points given of the most that could be had, and why. Deductions are negative, with a `most` of 0."""

    name: str
    points: Fraction
    most: Fraction
    reasons: tuple[Reason, ...]

    @property
    def reason(self) -> str:
        """The reasons as one sentence."""
        return f"{render_reasons(self.reasons)}."


@dataclass(frozen=True, slots=True)
class Grade:
    """A score from 0.0 to 1.0, rounded once to four decimals, and the points that make it."""

    score: float
    breakdown: tuple[Point, ...]

    @classmethod
    def total(cls, points: Iterable[Point]) -> Grade:
        """The sum of the points, kept within 0 and 1."""
        breakdown = tuple(points)
        total = sum((point.points for point in breakdown), Fraction(0))
        return cls(float(round(min(max(total, Fraction(0)), Fraction(1)), DECIMALS)), breakdown)
