"""Naive rules: how a lazy agent would name the root cause without following any cause.

Each looks at all evidence of an untouched incident, which no agent could afford, and names one service. Over many
incidents none may be right much more often than guessing, nor much less often: never the loudest would be a tell too.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import Dependencies, Deploys, Logs, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.incident import Incident

_LOUD = re.compile(
    r"\b(?:error|err|fatal|panic|crit|critical|emerg|severe|exception)\b|\b[EF]\d{4} |level=(?:error|fatal)|<[0-3]>",
    re.IGNORECASE,
)


def _best(scores: dict[str, float]) -> str:
    """The service with the highest score, the first by name among equals."""
    return min(scores, key=lambda name: (-scores[name], name))


def largest_deviation(incident: Incident) -> str:
    """The service of the metric that is furthest from its normal value, as a ratio."""
    scores: dict[str, float] = {}
    for service in incident.services:
        shown = incident.evidence("check_metrics", service, UNTOUCHED)
        if isinstance(shown, Metrics):
            scores[service] = max(deviation(one.recent[-1], one.normal) for one in shown.series)
    return _best(scores)


def deviation(now: float, normal: float) -> float:
    """How far a metric is from its normal value, as a ratio in either direction."""
    return abs(math.log((abs(now) + 1) / (abs(normal) + 1)))


def most_alerts(incident: Incident) -> str:
    """The service that most symptoms of the alert name; the first affected one among equals."""
    affected: list[str] = list(incident.alert["affected_services"])
    text = "\n".join(incident.alert["symptoms"])
    return max(affected, key=lambda name: (len(_named(name).findall(text)), -affected.index(name)))


def most_errors(incident: Incident) -> str:
    """The service whose logs have most lines that look like errors."""
    scores: dict[str, float] = {}
    for service in incident.services:
        shown = incident.evidence("query_logs", service, UNTOUCHED)
        scores[service] = sum(bool(_LOUD.search(line)) for line in shown.lines) if isinstance(shown, Logs) else 0
    return _best(scores)


def latest_change(incident: Incident) -> str:
    """The service with the most recent change."""
    latest: dict[str, str] = {}
    for service in incident.services:
        shown = incident.evidence("check_recent_deploys", service, UNTOUCHED)
        if isinstance(shown, Deploys) and shown.history:
            latest[service] = shown.history[0].at
    return max(sorted(latest), key=lambda name: latest[name]) if latest else incident.services[0]


def furthest_leaf(incident: Incident) -> str:
    """Of the services that call nothing, the one furthest below the first affected service."""
    calls: dict[str, list[str]] = {}
    for service in incident.services:
        shown = incident.evidence("check_dependencies", service, UNTOUCHED)
        calls[service] = [path.service for path in shown.calls] if isinstance(shown, Dependencies) else []
    away = {incident.alert["affected_services"][0]: 0}
    waiting = list(away)
    for service in waiting:
        for callee in calls.get(service, ()):
            if callee not in away:
                away[callee] = away[service] + 1
                waiting.append(callee)
    leaves = {service: float(far) for service, far in away.items() if not calls.get(service)}
    return _best(leaves or {service: float(far) for service, far in away.items()})


def most_named(incident: Incident) -> str:
    """The service that the evidence of the others names most."""
    counts: Counter[str] = Counter(dict.fromkeys(incident.services, 0))
    names = _any_of(incident.services)
    for service in incident.services:
        for diagnostic in ("query_logs", "check_dependencies", "check_recent_deploys", "check_service_status"):
            found = names.findall(incident.evidence(diagnostic, service, UNTOUCHED).text)
            counts.update(name for name in found if name != service)
    return _best({name: float(count) for name, count in counts.items()})


def last_change_before_alert(incident: Incident) -> str:
    """The service, none of the affected, whose change was the last before the alert fired."""
    affected, fired = set(incident.alert["affected_services"]), incident.alert["fired_at"]
    latest: dict[str, str] = {}
    for service in incident.services:
        shown = incident.evidence("check_recent_deploys", service, UNTOUCHED)
        if service not in affected and isinstance(shown, Deploys):
            before = [change.at for change in shown.history if change.at < fired]
            if before:
                latest[service] = before[0]
    return max(sorted(latest), key=lambda name: latest[name]) if latest else incident.services[0]


@lru_cache(maxsize=4096)
def _named(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


@lru_cache(maxsize=256)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(?![\w-])")


RULES: dict[str, Callable[[Incident], str]] = {
    "largest deviation": largest_deviation,
    "most alerts": most_alerts,
    "most errors in logs": most_errors,
    "latest change": latest_change,
    "last change before the alert": last_change_before_alert,
    "furthest leaf": furthest_leaf,
    "named most": most_named,
}
"""Rule → the service that it names."""
