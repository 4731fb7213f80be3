"""Severity levels and the matrix that defines them."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["P1", "P2", "P3", "P4"]
SEVERITIES: tuple[Severity, ...] = ("P1", "P2", "P3", "P4")
"""All severities, the most severe first."""


class SeverityRow(NamedTuple):
    """One row of the severity matrix."""

    severity: Severity
    name: str
    criterion: str


SEVERITY_MATRIX: tuple[SeverityRow, ...] = (
    SeverityRow(
        "P1",
        "Critical",
        "A core journey (sign-in, checkout, payment) fails for most users, or data or large revenue is being lost now.",
    ),
    SeverityRow(
        "P2",
        "Major",
        "A core journey is degraded or fails for a part of the users, or a major function is slow or down; "
        "most revenue still flows.",
    ),
    SeverityRow(
        "P3",
        "Minor",
        "A secondary feature fails or falls back gracefully; core journeys and revenue are untouched.",
    ),
    SeverityRow("P4", "Negligible", "Cosmetic, internal only, or no effect on users at all."),
)
"""The matrix as the on-call guide prints it, the most severe level first."""
