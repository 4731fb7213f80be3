"""How severe an alert is: its impact on users, followed from what alerts towards those who use it."""

from __future__ import annotations

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


def assess(desk: Desk) -> Play[str]:
    """The severity by the matrix."""
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
