"""Scores: points with reasons, added exactly and rounded once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """Points given of the most that could be had, and why. Deductions are negative, with a `most` of 0."""

    name: str
    points: Fraction
    most: Fraction
    reason: str


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
