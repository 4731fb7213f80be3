"""Searches the cause where each service knows only its own calls: follows them to their end, then looks around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.conditions import KnownCondition, find_alarm, find_condition
from cloud_incident.evaluation.agents.responder.evidence import (
    ChangeEntry,
    MetricReading,
    parse_changes,
    parse_metrics,
    parse_status,
)
from cloud_incident.evaluation.agents.responder.findings import Findings
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import ObservedPath

_FRESH_MINUTES = 14
"""A change that breaks something at once is at most this old when the alert fires."""
_DEEPEST = 5
"""Services on the way down the failing calls."""
_FULL = 80.0
"""Percent of use from which on something is used up rather than busy."""
_KEPT = 2
"""Steps kept for a look at what is beneath."""
_FIX_STEPS = 7
"""The steps that a remediation needs at least. The search may use only the others."""
_SERVING = re.compile(r"per_second|failed_ratio|duration_p|journey|retries")
"""Names of metrics that change at every victim."""
_BUSY = re.compile(r"cpu|threads|pool|waiting|oldest_message|backlog|connections_in_use|lag")
"""Names of metrics that also change with more load or slower callees."""
_HINTS = {
    "unresolved": ("dns", "name", "resolv"),
    "refused": ("secret", "vault", "key", "identity", "token", "auth", "iam"),
    "unreachable": ("net", "backbone", "fabric", "dns", "name", "resolv", "cluster", "fleet", "platform"),
    "slow": ("net", "backbone", "fabric"),
    "crash": ("cluster", "fleet", "platform", "kube", "node"),
    "errors": ("config", "settings", "net", "backbone", "fabric"),
    "stale": ("dns", "name", "resolv"),
}
"""Words in the names of services to examine first, by class of trouble. If none shows a sign, the first is blamed."""
_MONITORS = ("monitor", "probe", "watch", "alert", "synthetic", "check")


def trace(desk: Desk, start: str, calls: list[ObservedPath]) -> Play[Findings]:
    """Find the service where the incident started, from the calls of the service that paged."""
    found = Findings(victim=start, broken=start, root=start, walked=[start])
    ends = yield from _descend(desk, found, start, calls)
    if ends is None:
        yield from _search_alarm_or_beneath(desk, found, start, calls)
    else:
        yield from _examine_end(desk, found, *ends)
    return found


def count_spare_steps(desk: Desk) -> int:
    """Count the steps that the search may still take."""
    return desk.steps_left - (_FIX_STEPS if TASKS[desk.shown["task_id"]].asks_repair else 0)


def _descend(
    desk: Desk, found: Findings, start: str, calls: list[ObservedPath]
) -> Play[tuple[ObservedPath, list[ObservedPath], list[ObservedPath], list[ObservedPath]] | None]:
    """Follow the worst calls to their end.

    Returns the last unhealthy path, the calls of its caller, what it calls and what calls it; None if all is healthy.
    """
    walked = [start]
    above: list[ObservedPath] = []
    callers: list[ObservedPath] = []
    last: ObservedPath | None = None
    while True:
        ill = [path for path in calls if path.illness and path.service not in walked]
        if not ill or len(walked) > _DEEPEST or count_spare_steps(desk) <= 1:
            break
        last = max(ill, key=lambda path: (path.illness, path.share))
        found.victim, found.broken, found.root = walked[-1], last.service, last.service
        above = calls
        walked.append(last.service)
        calls, callers = yield from desk.look_up_paths(last.service)
    found.walked = walked
    return (last, above, calls, callers) if last is not None else None


def _examine_end(
    desk: Desk,
    found: Findings,
    last: ObservedPath,
    above: list[ObservedPath],
    calls: list[ObservedPath],
    callers: list[ObservedPath],
) -> Play[None]:
    """Examine the end of the unhealthy calls, its callers, and what is beneath it."""
    end, trouble = last.service, last.trouble
    condition = find_condition((yield from desk.look("query_logs", end)), trouble)
    if condition is not None and not condition.client:
        yield from _settle_on(desk, found, end, condition)
        return
    rows: list[MetricReading] = []
    if condition is None:
        rows = parse_metrics((yield from desk.look("check_metrics", end)))
        if _is_serving_well(rows):
            yield from _search_beneath(desk, found, trouble, [above])
            return
    if condition is None and (yield from _check_blame(desk, found, end, trouble)):
        return
    if (condition is not None or _list_own_anomalies(rows)) and (
        yield from _blame_client(desk, found, callers, condition)
    ):
        return
    if condition is not None and (yield from _check_blame(desk, found, end, trouble)):
        return
    if trouble == "late" and count_spare_steps(desk) > _KEPT:
        condition = find_condition((yield from desk.look("query_logs", found.victim)), trouble)
        if condition is not None:
            yield from _settle_on(desk, found, found.victim, condition)
            return
    if not _list_own_anomalies(rows):
        yield from _search_beneath(desk, found, "" if trouble == "late" else trouble, [calls, above])


def _check_blame(desk: Desk, found: Findings, service: str, trouble: str) -> Play[bool]:
    """Check whether the state of a service or a recent change explains what its callers see."""
    found.change = yield from _find_recent_change(desk, service)
    if found.change is None and count_spare_steps(desk) > _KEPT:
        yield from desk.look("check_service_status", service)
    found.condition = find_condition(quote_service(desk, service), trouble)
    return found.change is not None or found.condition is not None


def quote_service(desk: Desk, service: str) -> str:
    """Quote what a service tells about itself besides its logs: state, notes, and metrics that it changed itself."""
    rows = parse_status(desk.seen.get(("check_service_status", service), ""))
    moved = _list_own_anomalies(parse_metrics(desk.seen.get(("check_metrics", service), "")))
    return "\n".join([*rows.get("state", []), *rows.get("note", []), *(row.name for row in moved)])


def _settle_on(desk: Desk, found: Findings, root: str, condition: KnownCondition | None) -> Play[None]:
    """Settle on a service as the root, and find the change that caused its condition."""
    found.root, found.condition = root, condition
    if TASKS[desk.shown["task_id"]].asks_repair or condition is None:
        found.change = yield from _find_recent_change(desk, root)


def _find_recent_change(desk: Desk, service: str) -> Play[ChangeEntry | None]:
    """Find the change of a service shortly before the alert; None if there is none."""
    for change in parse_changes((yield from desk.look("check_recent_deploys", service))):
        minutes = (desk.fired_at - change.at).total_seconds() / 60
        if 0 <= minutes <= _FRESH_MINUTES and change.kind != "rollback":
            return change
    return None


def _blame_client(
    desk: Desk, found: Findings, callers: list[ObservedPath], condition: KnownCondition | None
) -> Play[bool]:
    """Blame a client that was changed just before the alert, and give whether there is one.

    The clients beside the failing calls are examined first.
    """
    beside = [path.service for path in callers if path.service not in found.walked]
    for client in [*beside, *(path.service for path in callers if path.service in found.walked)]:
        if count_spare_steps(desk) <= 0:
            break
        change = yield from _find_recent_change(desk, client)
        if change is not None:
            found.root, found.change, found.condition = client, change, condition
            return True
    return False


def _search_beneath(desk: Desk, found: Findings, trouble: str, stands_on: list[list[ObservedPath]]) -> Play[None]:
    """Search what the suffering services run on or hold for the first that shows a condition or a recent change."""
    names = list(dict.fromkeys(path.service for calls in stands_on for path in calls if path.is_beneath))
    hints = _HINTS.get(trouble, ())

    def rank_by_hint(name: str) -> int:
        return next((number for number, hint in enumerate(hints) if hint in name), len(hints))

    names.sort(key=rank_by_hint)
    if names:
        found.root = names[0]
    for name in names:
        if count_spare_steps(desk) <= 0:
            return
        condition = find_condition((yield from desk.look("query_logs", name)), trouble)
        if condition is not None:
            yield from _settle_on(desk, found, name, condition)
            return
    for name in names:
        if count_spare_steps(desk) <= 0:
            return
        change = yield from _find_recent_change(desk, name)
        if change is not None:
            found.root, found.change = name, change
            return


def _search_alarm_or_beneath(desk: Desk, found: Findings, start: str, calls: list[ObservedPath]) -> Play[None]:
    """All callees are healthy: search beneath the service, or find out why the alert fired without an incident."""
    rows = parse_metrics((yield from desk.look("check_metrics", start)))
    if not _is_serving_well(rows):
        yield from _search_beneath(desk, found, "", [calls])
        return
    monitors = [name for name in desk.shown["known_services"] if any(word in name for word in _MONITORS)]
    called = [path.service for path in calls if not path.is_beneath]
    for name in [*called, *monitors[:1]]:
        if count_spare_steps(desk) <= 0:
            return
        state = parse_status((yield from desk.look("check_service_status", name)))
        condition = find_alarm("\n".join(state.get("state", []) + state.get("note", [])))
        if condition is not None:
            found.root, found.broken, found.condition = name, name, condition
            return


def _is_serving_well(rows: list[MetricReading]) -> bool:
    """Whether the callers of a service would notice nothing, according to its own metrics."""
    return not any(row.moved for row in rows if _SERVING.search(row.name) and "per_second" not in row.name)


def _list_own_anomalies(rows: list[MetricReading]) -> list[MetricReading]:
    """List the metrics that changed and that would not change at a victim of something else."""
    own = [row for row in rows if row.moved and not _SERVING.search(row.name)]
    return [row for row in own if not _BUSY.search(row.name) or (row.unit == "%" and row.now >= _FULL)]
