"""Takes further looks, once a cause is suspected, that rule out what else could show the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.running.calls import read_surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.running.diagnosing import Diagnosis

_MOST_CALLEES = 3


def confirm(desk: Desk, found: Diagnosis, kept: int) -> Play[None]:
    """Look at what the suspect tells itself, and at those beside it, as long as more than `kept` steps are left."""
    for action, service in _list_looks(desk, found):
        if desk.steps_left <= kept:
            return
        yield from desk.look(action, service)


def _list_looks(desk: Desk, found: Diagnosis) -> Iterator[tuple[str, str]]:
    """List looks, those that tell most first: the suspect, what it calls, who calls it, and what else goes badly."""
    way = [hop.service for hop in found.way]
    root = found.verdict.root if found.verdict else way[-1]
    yield "query_logs", root
    yield "check_metrics", root
    around = read_surroundings(desk.seen.get(("check_dependencies", root), ""))
    callees = sorted(around.calls, key=lambda call: -call.usual)[:_MOST_CALLEES]
    for call in reversed(callees[:2]):
        yield "query_logs", call.service
    if len(way) > 1:
        yield "query_logs", way[-2]
    yield "query_logs", way[-1]
    if len(way) > 1:
        beside = read_surroundings(desk.seen.get(("check_dependencies", way[-2]), "")).calls
        for call in sorted(beside, key=lambda call: -call.lost):
            if call.ill and call.service not in way:
                yield "check_dependencies", call.service
    for call in callees:
        yield "check_recent_deploys", call.service
    for service in reversed(way):
        yield "check_recent_deploys", service
        yield "query_logs", service
