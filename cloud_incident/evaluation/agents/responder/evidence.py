"""Parses the text of evidence: call paths, changes, metrics, status."""

from __future__ import annotations

import re
from datetime import datetime
from statistics import mean
from typing import NamedTuple

_MUCH = 1.4
"""By this factor a metric differs much."""
_BEGINNING = 3
"""How many of the oldest samples tell the value before the incident."""
_GAP = "-"
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
"""Classes of trouble, and words in the detail of call paths that show them; the most specific class comes first."""


class ObservedPath(NamedTuple):
    """The calls between the service that was looked at and another one."""

    service: str
    health: str
    detail: str

    @property
    def illness(self) -> int:
        """How bad the path is: 0 if it is healthy or unknown, up to 3."""
        return _RANK.get(self.health, 0)

    @property
    def share(self) -> float:
        """The share of failing calls in percent; 0.0 if the detail does not tell it."""
        return float(found[1]) if (found := _SHARE.search(self.detail)) else 0.0

    @property
    def trouble(self) -> str:
        """The class of trouble, such as `slow` or `refused`; empty if the path is healthy or its detail shows none."""
        if not self.illness:
            return ""
        return next((name for name, words in _TROUBLES if any(word in self.detail for word in words)), "")

    @property
    def is_beneath(self) -> bool:
        """Whether the service runs on the other one or holds something of it: no requests between them are counted."""
        return self.health == "healthy" and not self.detail


class ChangeEntry(NamedTuple):
    """One entry of a change history."""

    at: datetime
    kind: str
    version: str
    note: str


class MetricReading(NamedTuple):
    """One metric: its usual value, its value now, and the samples up to now, the oldest first."""

    name: str
    unit: str
    normal: float
    now: float
    recent: tuple[float, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether it left its usual value during the time shown, and by much."""
        least = 2.0 if self.unit == "%" else 0.05 * abs(self.normal) + 0.01
        ratio = (abs(self.now) + least) / (abs(self.normal) + least)
        if not self.recent or 1 / _MUCH < ratio < _MUCH:
            return False
        begun = mean(self.recent[:_BEGINNING])
        return abs(begun - self.normal) < abs(begun - self.now)


def parse_call_paths(text: str) -> tuple[list[ObservedPath], list[ObservedPath]]:
    """Parse the evidence of `check_dependencies`: what the service calls, and what calls it.

    Users and clients outside are no services, and are left out.
    """
    calls: list[ObservedPath] = []
    called_by: list[ObservedPath] = []
    section = calls
    for line in text.splitlines()[1:]:
        if line in {"calls", "called by"}:
            section = calls if line == "calls" else called_by
        elif line.strip() != "(nothing)":
            head, _, detail = line.strip().partition(" · ")
            name, _, health = head.rpartition(" ")
            service = name.rstrip()
            if " " not in service:
                section.append(ObservedPath(service, health, detail))
    return calls, called_by


def parse_time(text: str) -> datetime:
    """Parse a UTC time as evidence and alerts print it."""
    return datetime.fromisoformat(text)


def parse_changes(text: str) -> list[ChangeEntry]:
    """Parse the evidence of `check_recent_deploys`: the changes, newest first."""
    found: list[ChangeEntry] = []
    for line in text.splitlines()[1:]:
        if line.startswith("    ") and found:
            found[-1] = found[-1]._replace(note=f"{found[-1].note} {line.strip()}".strip())
        elif line[:1].isdigit():
            at, kind, *version = _COLUMNS.split(line)
            found.append(ChangeEntry(parse_time(at), kind, " ".join(version[:-1]), ""))
    return found


def parse_metrics(text: str) -> list[MetricReading]:
    """Parse the evidence of `check_metrics`."""
    rows = (_COLUMNS.split(line) for line in text.splitlines()[2:])
    return [
        MetricReading(row[0], row[1], _read(row[2]), _read(row[3]), tuple(_read(sample) for sample in row[4].split()))
        for row in rows
        if len(row) == 5
    ]


def _read(sample: str) -> float:
    """A sample; of one that is missing, 0: who serves nobody tells nothing."""
    return 0.0 if sample == _GAP else float(sample)


def parse_status(text: str) -> dict[str, list[str]]:
    """Parse the evidence of `check_service_status`: its rows by name, such as `flag`, `runbook` and `note`."""
    rows: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        name, _, value = line.partition("  ")
        rows.setdefault(name, []).append(value.strip())
    return rows
