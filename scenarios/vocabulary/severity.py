"""Severity levels, the matrix that defines them, and the numbers that the matrix rests on."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["P1", "P2", "P3", "P4"]
SEVERITIES: tuple[Severity, ...] = ("P1", "P2", "P3", "P4")
"""All severities, the most severe first."""

MOST_FAIL = 0.5
"""From this share of failing requests on, a core journey makes a P1."""
PART_FAILS = 0.06
"""From this share on, a core journey makes a P2, and one that can wait makes a P3."""
MAIN_FAILS = 0.12
"""From this share on, a main function makes a P2."""
TIMES_SLOWER = 3.0
"""A journey that takes this many times as long as usual counts like one that fails for a part of its users."""


class SeverityRow(NamedTuple):
    """One row of the severity matrix."""

    severity: Severity
    name: str
    criterion: str


SEVERITY_MATRIX: tuple[SeverityRow, ...] = (
    SeverityRow(
        "P1",
        "Critical",
        f"{MOST_FAIL:.0%} or more of the requests of a core journey fail. Core is what the business lives on: sign-in, "
        "ordering, paying and the like.",
    ),
    SeverityRow(
        "P2",
        "Major",
        f"{PART_FAILS:.0%} or more of the requests of a core journey fail, or {MAIN_FAILS:.0%} or more of those of "
        f"another main function, or either takes {TIMES_SLOWER:.0f} times as long as usual.",
    ),
    SeverityRow(
        "P3",
        "Minor",
        "Core and main functions work. Something that can wait (previews, reports, recommendations) fails in "
        f"{PART_FAILS:.0%} or more of its requests, falls back, or takes {TIMES_SLOWER:.0f} times as long.",
    ),
    SeverityRow("P4", "Negligible", "Less than that: cosmetic, internal tools only, or nothing that users notice."),
)
"""The matrix as the on-call guide prints it, the most severe level first. The generator draws incidents by it."""


def list_severities() -> str:
    """The severities and their criteria, a line each."""
    return "\n".join(f"- {level} {name}: {criterion}" for level, name, criterion in SEVERITY_MATRIX)
