"""Reading the text of evidence: call paths, changes, metrics, status."""

from __future__ import annotations

import re
from datetime import datetime
from statistics import mean
from typing import NamedTuple

_MUCH = 1.4
_BEGINNING = 3
"""So many of the samples shown tell how it was before."""
_COLUMNS = re.compile(r" {2,}")
_RANK = {"down": 3, "failing": 2, "degraded": 1}
_SHARE = re.compile(r"(\d+(?:\.\d+)?) %")
_TROUBLES = (
    ("unresolved", ("not resolved", "name resolution", "lookup", "no such host")),
    ("refused", ("refused by the peer", "not authenticated", "sessions refused", "unauthorized", "authentication")),
    ("throttled", ("429", "turned away", "rate limit")),
    ("unreachable", ("time out", "timed out", "are reset", "no route", "unreachable")),
    ("crash", ("come and go", "crash", "restarting", "connection refused")),
    ("stale", ("freshness", "consistency", "stale", "out of date")),
    ("late", ("messages wait", "oldest message", "behind", "lag")),
    ("errors", ("5xx", "500", "503", "errors")),
    ("slow", ("p99", "deadline", "slow")),
)
"""Classes of trouble and what call paths say of them, the most special first."""


class Path(NamedTuple):
    """The calls between the service asked about and another."""

    service: str
    health: str
    detail: str

    @property
    def illness(self) -> int:
        """0 for healthy and unknown paths, and more the worse it is."""
        return _RANK.get(self.health, 0)

    @property
    def share(self) -> float:
        """The share of its calls that fail, in percent; 0.0 where it is not told."""
        return float(found[1]) if (found := _SHARE.search(self.detail)) else 0.0

    @property
    def trouble(self) -> str:
        """The class of trouble of an unhealthy path, such as `slow` or `refused`; empty if it is well or says none."""
        if not self.illness:
            return ""
        return next((name for name, words in _TROUBLES if any(word in self.detail for word in words)), "")

    @property
    def beneath(self) -> bool:
        """Whether this is something that a service runs on or holds rather than calls: nobody counts requests to it."""
        return self.health == "healthy" and not self.detail


class Change(NamedTuple):
    """One entry of a change history."""

    at: datetime
    kind: str
    version: str
    note: str


class Metric(NamedTuple):
    """One metric: what it usually is, what it is now, and the samples up to now, the oldest first."""

    name: str
    unit: str
    normal: float
    now: float
    recent: tuple[float, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether it left its normal value within the time that is shown, and by much."""
        least = 2.0 if self.unit == "%" else 0.05 * abs(self.normal) + 0.01
        ratio = (abs(self.now) + least) / (abs(self.normal) + least)
        if not self.recent or 1 / _MUCH < ratio < _MUCH:
            return False
        begun = mean(self.recent[:_BEGINNING])
        return abs(begun - self.normal) < abs(begun - self.now)


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
    return [
        Metric(row[0], row[1], float(row[2]), float(row[3]), tuple(float(one) for one in row[4].split()))
        for row in rows
        if len(row) == 5
    ]


def status(text: str) -> dict[str, list[str]]:
    """The rows of a status by their names, such as `flag`, `runbook` and `note`."""
    rows: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        name, _, value = line.partition("  ")
        rows.setdefault(name, []).append(value.strip())
    return rows
