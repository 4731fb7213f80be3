"""Searches the cause: follows the failing calls to what fails, then finds the change that made it fail."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import parse_changes
from cloud_incident.evaluation.agents.responder.failures import UNKNOWN, UNREACHABLE, find_failure
from cloud_incident.evaluation.agents.responder.findings import Findings
from cloud_incident.evaluation.agents.responder.trace import trace
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import ChangeEntry, ObservedPath

_DEEPEST = 4
"""Services on the way down the failing calls."""
_HIGHEST = 4
"""Services on the way up to the entry of the system."""
_RECENT_HOURS = 3
_OLD_HOURS = 24
_CONVINCING = 3
"""A change of this weight ends the search."""
_FIX_STEPS = 8
"""The steps that a remediation needs at least. The search may use only the others."""


def investigate(desk: Desk) -> Play[Findings]:
    """Find the service where the incident started, how it failed, and the change that caused it."""
    paging = _find_paging(desk)
    if paging:
        calls, callers = yield from desk.look_up_paths(paging)
        if all(path.health == "unknown" for path in callers):
            return (yield from trace(desk, paging, calls))
    found = yield from _descend(desk)
    yield from _blame(desk, found)
    return found


def choose_first(desk: Desk) -> str:
    """Choose the service to look at first: the one that pages, or that the alert places the failure in."""
    return _find_paging(desk) or _choose_start(desk)


def _find_paging(desk: Desk) -> str:
    """Find the service that the labels of the alert name; empty if they name none that is known."""
    paging = str(desk.alert.get("labels", {}).get("service", ""))
    return paging if paging in desk.shown["known_services"] else ""


def _choose_start(desk: Desk) -> str:
    """Choose the first alerted service that the text of the alert places the failure in; otherwise the first one."""
    text = f"{desk.alert.get('summary', '')} {desk.alert.get('description', '')}"
    return next((name for name in desk.alerted if f" in {name}" in text), desk.alerted[0])


def _descend(desk: Desk) -> Play[Findings]:
    """Follow the worst call of each service, down to a service whose own calls are healthy."""
    service = _choose_start(desk)
    walked = [service]
    while True:
        calls, callers = yield from desk.look_up_paths(service)
        worst = max((path for path in calls if path.service not in walked), key=attrgetter("illness"), default=None)
        if _are_paths_broken(calls):
            return (yield from _search_platform(desk, service, callers))
        if worst is None or not worst.illness or len(walked) >= _DEEPEST:
            return (yield from _look_into(desk, walked, calls, callers))
        refused = find_failure(worst.detail)
        if refused is not None and refused.refusal:
            return (yield from _ask_the_refused(desk, service, worst, calls))
        service = worst.service
        walked.append(service)


def _are_paths_broken(calls: list[ObservedPath]) -> bool:
    """Whether several callees cannot be reached at the same time, so that the cause is hardly one of them."""
    unreached = [path for path in calls if path.illness and _is_unreachable(path.detail.casefold())]
    return len(unreached) > 1


def _is_unreachable(detail: str) -> bool:
    return find_failure(detail) is UNREACHABLE or (
        "connect" in detail and any(word in detail for word in ("fail", "time", "cannot", "unable"))
    )


def _look_into(desk: Desk, walked: list[str], calls: list[ObservedPath], callers: list[ObservedPath]) -> Play[Findings]:
    """Read the logs of the service at the end of the failing calls, and collect who may have caused its failure."""
    broken = walked[-1]
    logs = yield from desk.look("query_logs", broken)
    outsiders = [path.service for path in callers if path.illness and path.service not in {*walked, *desk.alerted}]
    around = [path.service for path in calls if path.service not in walked]
    return Findings(
        victim=walked[-2] if len(walked) > 1 else broken,
        broken=broken,
        failure=find_failure(logs) or UNKNOWN,
        suspects=[*outsiders, *reversed(walked), *around],
        outsiders=set(outsiders),
    )


def _ask_the_refused(desk: Desk, victim: str, worst: ObservedPath, calls: list[ObservedPath]) -> Play[Findings]:
    """Examine a caller that is turned away: what it presents is wrong, and a callee may have given it that."""
    logs = yield from desk.look("query_logs", victim)
    sources = [path.service for path in calls if path.service != worst.service]
    failure = find_failure(logs) or find_failure(worst.detail) or UNKNOWN
    return Findings(victim, worst.service, failure=failure, suspects=[*sources, worst.service, victim])


def _search_platform(desk: Desk, victim: str, callers: list[ObservedPath]) -> Play[Findings]:
    """Suspect what the entry of the system depends on: something beneath all services breaks the paths between them."""
    climbed = [victim]
    beside: list[str] = []
    while callers and len(climbed) < _HIGHEST:
        top = max(callers, key=attrgetter("illness")).service
        if top in climbed:
            break
        climbed.append(top)
        calls, callers = yield from desk.look_up_paths(top)
        beside += [path.service for path in calls if not path.illness and path.service not in (*climbed, *beside)]
    suspects = [*reversed(beside), *reversed(climbed)]
    return Findings(victim, victim, failure=UNREACHABLE, suspects=suspects)


def _blame(desk: Desk, found: Findings) -> Play[None]:
    """Look at the changes of the suspects in turn until one convinces; otherwise blame the likeliest one."""
    spare = _FIX_STEPS if TASKS[desk.shown["task_id"]].asks_repair else 0
    best = 0
    found.root = found.broken
    for suspect in found.suspects:
        if desk.steps_left <= spare or best >= _CONVINCING:
            return
        for change in parse_changes((yield from desk.look("check_recent_deploys", suspect))):
            weight = _weigh_change(desk, found, suspect, change)
            if weight > best:
                best, found.root, found.change = weight, suspect, change


def _weigh_change(desk: Desk, found: Findings, suspect: str, change: ChangeEntry) -> int:
    """Weigh a change as the cause, 0 to 5: by its time, its subject, and the service that made it."""
    hours = (desk.fired_at - change.at).total_seconds() / 3600
    if not 0 <= hours <= _OLD_HOURS or change.kind == "rollback":
        return 0
    text = f"{change.version} {change.note}".casefold()
    matter = 2 * any(word in text for word in found.failure.changes)
    return matter + (hours <= _RECENT_HOURS) + 2 * (suspect in found.outsiders)
