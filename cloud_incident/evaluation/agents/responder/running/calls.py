"""Reads what a service of a running system tells about its calls: how many fail, of what, how late, and since when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from cloud_incident.evaluation.agents.responder.evidence import ObservedPath, parse_call_paths, parse_time

UNAUTHENTICATED, FORBIDDEN, THROTTLED = "unauthenticated", "forbidden", "throttled"
CERTIFICATE, UNRESOLVED, UNCONNECTED = "certificate", "unresolved", "unconnected"
CROWDED, FULL, OVERLOADED, SLOW, FAILING = "crowded", "full", "overloaded", "slow", "failing"

_SYMPTOMS = (
    (CERTIFICATE, r"tls|x509|cert"),
    (UNRESOLVED, r"no such host|nxdomain|servfail|resol|unknownhost|enotfound|name or service|host not found"),
    (CROWDED, r"too many (?:clients|connections)|slots are reserved|max number of clients"),
    (FULL, r"no space|disk full|read-only|enospc|could not extend"),
    (UNCONNECTED, r"refused|no route|unreachable|\b111\b|broken pipe|reset by peer"),
    (UNAUTHENTICATED, r"\b401\b|unauthorized|authentication|password|wrongpass|noauth"),
    (FORBIDDEN, r"\b403\b|forbidden|denied|rbac|noperm|not authorized"),
    (THROTTLED, r"\b429\b|too many requests|quota"),
    (OVERLOADED, r"\b503\b|overflow|limiting connections|unavailable|pool"),
    (SLOW, r"time ?-?out|timed out|deadline|\b504\b|\b110\b|canceling statement|aborted"),
    (FAILING, r"\b5(?:xx|\d\d)\b|internal"),
)
"""What a caller meets, by words of the reason that it gives; the most telling first."""
REFUSALS = frozenset({CERTIFICATE, UNRESOLVED, UNCONNECTED, UNAUTHENTICATED, FORBIDDEN, THROTTLED, CROWDED, FULL})
"""The callee itself turns calls away, or cannot be reached: what it calls is no cause of that."""
LATE = frozenset({OVERLOADED, SLOW})
"""The callee takes too long, or has no room for more because of that."""

_SHARE = re.compile(r"(?P<all>over [\d.]+ %|all)? ?(?:(?P<share>[\d.]+) %)? fail")
_REASON = re.compile(r"fail(?:, most of them)?: (.*?)(?:, p99|, failing since|$)")
_RATE = re.compile(r"([\d.]+) calls/s \(normal ([\d.]+)\)")
_SILENT = re.compile(r"no calls .*\(normal ([\d.]+)\)")
_P99 = re.compile(r"p99(?: of the others)? ([\d.]+) (ms|s)\b(?: \(normal ([\d.]+) (ms|s)\))?")
_SINCE = re.compile(r"failing since (?:(\w+ \d+) )?(\d+):(\d+)")
_AS_OF = re.compile(r"as of (\S+)|to (\S+Z)")
_MILLISECONDS = {"ms": 1.0, "s": 1000.0}
_SLOWER = 2.0
"""Factor on its usual p99, from which on calls are slow."""


class Call(NamedTuple):
    """The calls to a callee, or from a caller, in the last minutes.

    `share` is what fails in percent, `since` when that began, if it is told. `rate` and `usual` are calls per second,
    `takes` is the p99 in milliseconds, 0.0 if it is not told, and `slower` the factor on the usual one.
    """

    service: str
    health: str
    share: float
    symptom: str
    since: datetime | None
    rate: float
    usual: float
    takes: float
    slower: float

    @property
    def ill(self) -> bool:
        """Whether the calls go badly."""
        return self.health in {"degraded", "failing", "down"}

    @property
    def late(self) -> bool:
        """Whether the calls take too long."""
        return self.symptom in LATE or self.slower >= _SLOWER

    @property
    def lost(self) -> float:
        """How many calls fail per second."""
        return self.rate * self.share / 100

    @property
    def growth(self) -> float:
        """The factor on the usual number of calls."""
        return self.rate / self.usual if self.usual else 1.0


class Surroundings(NamedTuple):
    """What a service calls, and what calls it."""

    calls: tuple[Call, ...]
    callers: tuple[Call, ...]


def is_running(text: str) -> bool:
    """Whether the evidence of `check_dependencies` comes from a system that runs: its calls are counted."""
    return _RATE.search(text) is not None or _SILENT.search(text) is not None


def read_time(text: str) -> datetime:
    """Read as of when evidence is, from its heading."""
    found = _AS_OF.search(text.partition("\n")[0])
    if found is None:
        raise ValueError("the evidence does not say as of when it is")
    return parse_time(found[1] or found[2])


def read_surroundings(text: str) -> Surroundings:
    """Read the evidence of `check_dependencies`."""
    if not text:
        return Surroundings((), ())
    now = read_time(text)
    calls, callers = parse_call_paths(text)
    return Surroundings(
        tuple(_read_call(path, now) for path in calls), tuple(_read_call(path, now) for path in callers)
    )


def name_symptom(reason: str) -> str:
    """Name what a caller meets, from the words of a reason; empty if they tell nothing."""
    lowered = reason.casefold()
    return next((symptom for symptom, words in _SYMPTOMS if re.search(words, lowered)), "")


def _read_call(path: ObservedPath, now: datetime) -> Call:
    detail = path.detail
    share = _SHARE.search(detail)
    reason = _REASON.search(detail)
    rate = _RATE.search(detail)
    silent = _SILENT.search(detail)
    return Call(
        service=path.service,
        health=path.health,
        share=0.0 if share is None else 100.0 if share["all"] else float(share["share"] or 0.0),
        symptom=name_symptom(reason[1]) if reason else "",
        since=_read_since(detail, now),
        rate=float(rate[1]) if rate else 0.0,
        usual=float(rate[2]) if rate else float(silent[1]) if silent else 0.0,
        **_read_p99(detail),
    )


def _read_since(detail: str, now: datetime) -> datetime | None:
    found = _SINCE.search(detail)
    if found is None:
        return None
    began = now.replace(hour=int(found[2]), minute=int(found[3]))
    if found[1]:
        day = datetime.strptime(f"{now.year} {found[1]}", "%Y %b %d")  # noqa: DTZ007 - only month and day are taken
        began = began.replace(month=day.month, day=day.day)
        return began.replace(year=now.year - 1) if began > now else began
    return began - timedelta(days=1) if began > now else began


def _read_p99(detail: str) -> dict[str, float]:
    found = _P99.search(detail)
    if found is None:
        return {"takes": 0.0, "slower": 1.0}
    takes = float(found[1]) * _MILLISECONDS[found[2]]
    usual = float(found[3]) * _MILLISECONDS[found[4]] if found[3] else 0.0
    return {"takes": takes, "slower": takes / usual if usual else 1.0}
