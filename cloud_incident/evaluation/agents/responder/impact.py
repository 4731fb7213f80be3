"""How severe an alert is: its impact on users, followed from what alerts towards those who use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import Metric, metrics

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import Path

_CORE = ("checkout", "order", "payment", "purchase", "signin", "sign_in", "sign-in", "login", "auth_")
"""Sign-in, checkout and payment, the journeys that the severity matrix calls core, as metrics name them."""
_BAD = ("error", "fail", "5xx", "503", "refus", "reject", "timeout", "pending", "declin", "wait")
_SLOW = ("duration", "latency", "_ms", "ttfb")
_MOST = 0.5
_SOME = 0.03
_SLOWER = 3


_CLASSES = {"core": "core", "main functions": "major", "can wait": "minor", "for staff only": "internal"}
"""How a summary speaks of what journeys mean to the business."""
_JOURNEY = re.compile(r'journey="([^"]+)"')
_DOORS = ("cdn", "edge-cache", "content", "delivery", "edge", "ingress", "proxy", "front", "gateway", "router")
"""What doors are called, the outermost first. It orders what is looked at; whether it is one is seen in its metrics."""
_HALF, _CORE_PART, _MAJOR_PART, _FELT = 50.0, 6.0, 12.0, 2.5
_DOOR_SLOWER = 2.5
_LATE = ("message", "consumer", "lag", "behind")


def assess(desk: Desk) -> Play[str]:
    """The severity by the matrix, from what journeys suffer where that is told, otherwise from what alerts."""
    ranks = ranked(str(desk.shown["incident_summary"]))
    if ranks:
        return (yield from _by_journeys(desk, ranks))
    return (yield from _by_alert(desk))


def ranked(summary: str) -> dict[str, str]:
    """The journeys that a summary ranks, and whether each is `core`, `major`, `minor` or `internal`."""
    told = summary.rpartition("business:")[2] if "business:" in summary else ""
    found: dict[str, str] = {}
    for part in told.rstrip(".").split(";"):
        said, _, names = part.partition(":")
        rank = _CLASSES.get(said.strip())
        if rank:
            found.update((name.strip(), rank) for name in names.split(","))
    return found


def _by_journeys(desk: Desk, ranks: dict[str, str]) -> Play[str]:
    """Look at the doors that users come through, the outermost first."""
    names = desk.shown["known_services"]
    doors = [name for hint in _DOORS for name in names if hint in name]
    rows: list[Metric] = []
    for name in list(dict.fromkeys([*doors, *desk.alerted]))[: desk.left]:
        rows += metrics((yield from desk.look("check_metrics", name)))
        if any(_JOURNEY.search(row.name) for row in rows):
            break
    told = str(desk.alert.get("summary", ""))
    return severity_of_journeys(rows, ranks, late=any(word in told for word in _LATE))


def severity_of_journeys(rows: list[Metric], ranks: dict[str, str], *, late: bool = False) -> str:
    """P1 to P4 from the metrics of doors. What is slow at a door is as grave as the gravest journey through it.

    With `late` the alert tells of work in the background that waits, which no door shows.
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


def _by_alert(desk: Desk) -> Play[str]:
    """Followed from what alerts to whoever suffers from it."""
    alerting = desk.alerted[0]
    _, callers = yield from desk.paths(alerting)
    nearer_to_users = _worst(callers, desk.alerted) or alerting
    return severity(metrics((yield from desk.look("check_metrics", nearer_to_users))))


def _worst(callers: list[Path], alerted: list[str]) -> str:
    """Of the callers that suffer the worst one, in doubt the one that the alert names first."""
    ill = [path for path in callers if path.illness]
    order = {name: -place for place, name in enumerate(alerted)}
    return max(ill, key=lambda path: (path.illness, order.get(path.service, -len(order)))).service if ill else ""


def severity(rows: list[Metric]) -> str:
    """P1 to P4 from the metrics of a service that users meet."""
    core = [_loss(row) for row in rows if any(word in row.name for word in _CORE)]
    rest = max((_loss(row) for row in rows), default=0.0)
    if core:
        if max(core) >= _MOST:
            return "P1"
        if max(core) >= _SOME:
            return "P2"
        return "P3" if rest >= _SOME else "P4"
    slow = any(_slower(row) for row in rows)
    return "P2" if slow or rest >= _SOME else "P4"


def _loss(row: Metric) -> float:
    """The share of what a metric counts that is lost, from 0 to 1."""
    if row.unit == "%" and any(word in row.name for word in _BAD):
        return max(0.0, row.now - row.normal) / 100
    rises_when_bad = any(word in row.name for word in (*_BAD, *_SLOW))
    if rises_when_bad or row.normal <= 0 or not (row.unit == "%" or "/" in row.unit):
        return 0.0
    return max(0.0, 1 - row.now / row.normal)


def _slower(row: Metric) -> bool:
    return any(word in row.name for word in _SLOW) and row.now > _SLOWER * row.normal > 0
