"""Finding the cause: down the failing calls to what fails, then to the change that made it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import changes
from cloud_incident.evaluation.agents.responder.failures import UNKNOWN, UNREACHABLE, failure_in
from cloud_incident.evaluation.agents.responder.findings import Findings
from cloud_incident.evaluation.agents.responder.trace import trace

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import Change, Path

_DEEPEST = 4
_HIGHEST = 4
_RECENT_HOURS = 3
_OLD_HOURS = 24
_CONVINCING = 3
_FIX_STEPS = 8
"""What remediation takes at least: no more than the rest is spent on the search."""


def investigate(desk: Desk) -> Play[Findings]:
    """Find the service where it started, how it failed, and the change that made it."""
    paging = str(desk.alert.get("labels", {}).get("service", ""))
    if paging in desk.shown["known_services"]:
        calls, callers = yield from desk.paths(paging)
        if all(path.health == "unknown" for path in callers):
            return (yield from trace(desk, paging, calls))
    found = yield from _descend(desk)
    yield from _blame(desk, found)
    return found


def _start(desk: Desk) -> str:
    """The first alerted service that the alert says it fails in; otherwise the first one."""
    told = f"{desk.alert.get('summary', '')} {desk.alert.get('description', '')}"
    return next((name for name in desk.alerted if f" in {name}" in told), desk.alerted[0])


def _descend(desk: Desk) -> Play[Findings]:
    """Follow the worst call of each service down to one whose own calls are well."""
    service = _start(desk)
    walked = [service]
    while True:
        calls, callers = yield from desk.paths(service)
        worst = max((path for path in calls if path.service not in walked), key=_illness, default=None)
        if _paths_are_broken(calls):
            return (yield from _look_beneath(desk, service, callers))
        if worst is None or not worst.illness or len(walked) >= _DEEPEST:
            return (yield from _look_into(desk, walked, calls, callers))
        refused = failure_in(worst.detail)
        if refused is not None and refused.refusal:
            return (yield from _ask_the_refused(desk, service, worst, calls))
        service = worst.service
        walked.append(service)


def _illness(path: Path) -> int:
    return path.illness


def _paths_are_broken(calls: list[Path]) -> bool:
    """Several callees fail to be reached at the same time: then it is hardly one of them."""
    unreached = [path for path in calls if path.illness and _not_reached(path.detail.casefold())]
    return len(unreached) > 1


def _not_reached(detail: str) -> bool:
    return failure_in(detail) is UNREACHABLE or (
        "connect" in detail and any(word in detail for word in ("fail", "time", "cannot", "unable"))
    )


def _look_into(desk: Desk, walked: list[str], calls: list[Path], callers: list[Path]) -> Play[Findings]:
    """At the end of the failing calls: what its logs say, and who of its callers may have done it."""
    broken = walked[-1]
    logs = yield from desk.look("query_logs", broken)
    outsiders = [path.service for path in callers if path.illness and path.service not in {*walked, *desk.alerted}]
    around = [path.service for path in calls if path.service not in walked]
    return Findings(
        victim=walked[-2] if len(walked) > 1 else broken,
        broken=broken,
        failure=failure_in(logs) or UNKNOWN,
        suspects=[*outsiders, *reversed(walked), *around],
        outsiders=set(outsiders),
    )


def _ask_the_refused(desk: Desk, victim: str, worst: Path, calls: list[Path]) -> Play[Findings]:
    """A caller that is turned away has something wrong with it: where did it get that from?"""
    logs = yield from desk.look("query_logs", victim)
    sources = [path.service for path in calls if path.service != worst.service]
    failure = failure_in(logs) or failure_in(worst.detail) or UNKNOWN
    return Findings(victim, worst.service, failure=failure, suspects=[*sources, worst.service, victim])


def _look_beneath(desk: Desk, victim: str, callers: list[Path]) -> Play[Findings]:
    """Broken paths are the work of something beneath all services: what the entry of the system stands on."""
    climbed = [victim]
    beside: list[str] = []
    while callers and len(climbed) < _HIGHEST:
        top = max(callers, key=_illness).service
        if top in climbed:
            break
        climbed.append(top)
        calls, callers = yield from desk.paths(top)
        beside += [path.service for path in calls if not path.illness and path.service not in (*climbed, *beside)]
    suspects = [*reversed(beside), *reversed(climbed)]
    return Findings(victim, victim, failure=UNREACHABLE, suspects=suspects)


def _blame(desk: Desk, found: Findings) -> Play[None]:
    """Look at the changes of one suspect after another until one convinces; otherwise settle for the likeliest."""
    spare = _FIX_STEPS if desk.shown["task_id"] == "remediation_planning" else 0
    best = 0
    found.root = found.broken
    for suspect in found.suspects:
        if desk.left <= spare or best >= _CONVINCING:
            return
        for change in changes((yield from desk.look("check_recent_deploys", suspect))):
            weight = _weight(desk, found, suspect, change)
            if weight > best:
                best, found.root, found.change = weight, suspect, change


def _weight(desk: Desk, found: Findings, suspect: str, change: Change) -> int:
    """How much speaks for a change as the cause: its time, its matter, and who made it."""
    hours = (desk.fired_at - change.at).total_seconds() / 3600
    if not 0 <= hours <= _OLD_HOURS or change.kind == "rollback":
        return 0
    told = f"{change.version} {change.note}".casefold()
    matter = 2 * any(word in told for word in found.failure.changes)
    return matter + (hours <= _RECENT_HOURS) + 2 * (suspect in found.outsiders)
