"""Reading the text of evidence: call paths, changes, metrics, status."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

_COLUMNS = re.compile(r" {2,}")
_RANK = {"down": 3, "failing": 2, "degraded": 1}


class Path(NamedTuple):
    """The calls between the service asked about and another."""

    service: str
    health: str
    detail: str

    @property
    def illness(self) -> int:
        """0 for healthy and unknown paths, and more the worse it is."""
        return _RANK.get(self.health, 0)


class Change(NamedTuple):
    """One entry of a change history."""

    at: datetime
    kind: str
    version: str
    note: str


class Metric(NamedTuple):
    """One metric: what it usually is and what it is now."""

    name: str
    unit: str
    normal: float
    now: float


def call_paths(text: str) -> tuple[list[Path], list[Path]]:
    """What a service calls, and what calls it."""
    calls: list[Path] = []
    called_by: list[Path] = []
    section = calls
    for line in text.splitlines()[1:]:
        if line in {"calls", "called by"}:
            section = calls if line == "calls" else called_by
        elif line.strip() != "(nothing)":
            head, _, detail = line.strip().partition(" · ")
            service, _, health = head.partition(" ")
            section.append(Path(service, health.strip(), detail))
    return calls, called_by


def moment(text: str) -> datetime:
    """A UTC time as evidence and alerts print it."""
    return datetime.fromisoformat(text)


def changes(text: str) -> list[Change]:
    """The change history, newest first."""
    found: list[Change] = []
    for line in text.splitlines()[1:]:
        if line.startswith("    ") and found:
            found[-1] = found[-1]._replace(note=f"{found[-1].note} {line.strip()}".strip())
        elif line[:1].isdigit():
            at, kind, *version = _COLUMNS.split(line)
            found.append(Change(moment(at), kind, " ".join(version[:-1]), ""))
    return found


def metrics(text: str) -> list[Metric]:
    """The metrics of a service."""
    rows = (_COLUMNS.split(line) for line in text.splitlines()[2:])
    return [Metric(row[0], row[1], float(row[2]), float(row[3])) for row in rows if len(row) == 5]


def status(text: str) -> dict[str, list[str]]:
    """The rows of a status by their names, such as `flag`, `runbook` and `note`."""
    rows: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        name, _, value = line.partition("  ")
        rows.setdefault(name, []).append(value.strip())
    return rows
