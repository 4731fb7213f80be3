"""Judges the severity of an alert by its impact on users."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import MetricReading, parse_metrics

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import ObservedPath

_CORE = ("checkout", "order", "payment", "purchase", "signin", "sign_in", "sign-in", "login", "auth_")
"""Words in the names of metrics for sign-in, checkout and payment: the journeys that the severity matrix calls core."""
_BAD = ("error", "fail", "5xx", "503", "refus", "reject", "timeout", "pending", "declin", "wait")
_SLOW = ("duration", "latency", "_ms", "ttfb")
_MOST = 0.5
"""Share of a core journey that fails, from which on the severity is P1."""
_SOME = 0.03
"""Share of anything that fails, from which on users notice it."""
_SLOWER = 3
"""Factor on its usual latency, from which on a service is slow."""

_RANKS_BY_MEANING = {"core": "core", "main functions": "major", "can wait": "minor", "for staff only": "internal"}
"""The rank of a journey, by the words in which a summary tells its meaning for the business."""
_JOURNEY = re.compile(r'journey="([^"]+)"')
_DOOR_NAMES = ("cdn", "edge-cache", "content", "delivery", "edge", "ingress", "proxy", "front", "gateway", "router")
"""Words in the names of services that users enter through, the outermost first. They only order what is looked at."""
_HALF, _CORE_PART, _MAJOR_PART, _FELT = 50.0, 6.0, 12.0, 2.5
"""Failing journeys in percent: half of a core one, parts of a core and a major one, and the least that users feel."""
_DOOR_SLOWER = 2.5
"""Factor on its usual latency, from which on a service that users enter through is slow."""
_LATE_WORDS = ("message", "consumer", "lag", "behind")


def assess_severity(desk: Desk) -> Play[str]:
    """Assess the severity, P1 to P4, by the severity matrix: from the journeys if they are ranked, or the alert."""
    ranks = parse_journey_ranks(str(desk.shown["incident_summary"]))
    if ranks:
        return (yield from _assess_by_journeys(desk, ranks))
    return (yield from _assess_by_alert(desk))


def parse_journey_ranks(summary: str) -> dict[str, str]:
    """Parse the ranks of journeys in a summary: `core`, `major`, `minor` or `internal`, by journey."""
    ranking = summary.rpartition("business:")[2] if "business:" in summary else ""
    found: dict[str, str] = {}
    for part in ranking.rstrip(".").split(";"):
        meaning, _, names = part.partition(":")
        rank = _RANKS_BY_MEANING.get(meaning.strip())
        if rank:
            found.update((name.strip(), rank) for name in names.split(","))
    return found


def _assess_by_journeys(desk: Desk, ranks: dict[str, str]) -> Play[str]:
    """Look at the services that users enter through, the outermost first, until their metrics tell of journeys."""
    names = desk.shown["known_services"]
    doors = [name for hint in _DOOR_NAMES for name in names if hint in name]
    rows: list[MetricReading] = []
    for name in list(dict.fromkeys([*doors, *desk.alerted]))[: desk.steps_left]:
        rows += parse_metrics((yield from desk.look("check_metrics", name)))
        if any(_JOURNEY.search(row.name) for row in rows):
            break
    summary = str(desk.alert.get("summary", ""))
    return judge_journeys(rows, ranks, late=any(word in summary for word in _LATE_WORDS))


def judge_journeys(rows: list[MetricReading], ranks: dict[str, str], *, late: bool = False) -> str:
    """Judge the severity, P1 to P4, from the metrics of a service that users enter through.

    A slow service is as severe as the most important journey through it. With `late` the alert tells of background work
    that waits; the metrics of journeys do not show that.
    """
    failing = dict.fromkeys(("core", "major", "minor", "internal"), 0.0)
    through: set[str] = set()
    for row in rows:
        found = _JOURNEY.search(row.name)
        rank = ranks.get(found[1], "") if found else ""
        if rank:
            through.add(rank)
            failing[rank] = max(failing[rank], row.now - row.normal)
    slow = any(row.now > _DOOR_SLOWER * row.normal > 0 for row in rows if "_duration_" in row.name)
    if failing["core"] >= _HALF:
        return "P1"
    if failing["core"] >= _CORE_PART or failing["major"] >= _MAJOR_PART:
        return "P2"
    if slow and failing["minor"] < _FELT and failing["internal"] < _FELT:
        return "P2" if through & {"core", "major"} else "P3"
    return (
        "P3" if failing["minor"] >= _FELT or (late and "minor" not in through and "minor" in ranks.values()) else "P4"
    )


def _assess_by_alert(desk: Desk) -> Play[str]:
    """Follow the calls from the alerted service to the caller that suffers most, and judge its metrics."""
    alerting = desk.alerted[0]
    _, callers = yield from desk.look_up_paths(alerting)
    nearer_to_users = _find_worst_caller(callers, desk.alerted) or alerting
    return judge_metrics(parse_metrics((yield from desk.look("check_metrics", nearer_to_users))))


def _find_worst_caller(callers: list[ObservedPath], alerted: list[str]) -> str:
    """Find the caller that suffers most; of several, the one that the alert names first. Empty if none suffers."""
    ill = [path for path in callers if path.illness]
    order = {name: -place for place, name in enumerate(alerted)}
    return max(ill, key=lambda path: (path.illness, order.get(path.service, -len(order)))).service if ill else ""


def judge_metrics(rows: list[MetricReading]) -> str:
    """Judge the severity, P1 to P4, from the metrics of a service close to users."""
    core = [_compute_loss(row) for row in rows if any(word in row.name for word in _CORE)]
    rest = max((_compute_loss(row) for row in rows), default=0.0)
    if core:
        if max(core) >= _MOST:
            return "P1"
        if max(core) >= _SOME:
            return "P2"
        return "P3" if rest >= _SOME else "P4"
    slow = any(_is_slower(row) for row in rows)
    return "P2" if slow or rest >= _SOME else "P4"


def _compute_loss(row: MetricReading) -> float:
    """Compute the share that is lost of what a metric counts, 0.0 to 1.0."""
    if row.unit == "%" and any(word in row.name for word in _BAD):
        return max(0.0, row.now - row.normal) / 100
    rises_when_bad = any(word in row.name for word in (*_BAD, *_SLOW))
    if rises_when_bad or row.normal <= 0 or not (row.unit == "%" or "/" in row.unit):
        return 0.0
    return max(0.0, 1 - row.now / row.normal)


def _is_slower(row: MetricReading) -> bool:
    return any(word in row.name for word in _SLOW) and row.now > _SLOWER * row.normal > 0
