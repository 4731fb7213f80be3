"""Finding the cause where every service only knows its own calls: down to where they end, then around that place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.conditions import Condition, alarm_in, condition_in
from cloud_incident.evaluation.agents.responder.evidence import Change, Metric, changes, metrics, status
from cloud_incident.evaluation.agents.responder.findings import Findings

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import Path

_FRESH_MINUTES = 14
"""A change that breaks something at once lies this far before the alert at most."""
_DEEPEST = 5
_FULL = 80.0
"""From this share on something is used up rather than busy."""
_KEPT = 2
"""Steps kept for what is beneath."""
_FIX_STEPS = 7
"""What remediation takes at least: no more than the rest is spent on the search."""
_SERVING = re.compile(r"per_second|failed_ratio|duration_p|journey|retries")
"""Metrics that every victim moves."""
_BUSY = re.compile(r"cpu|threads|pool|waiting|oldest_message|backlog|connections_in_use|lag")
"""Metrics that more load or slower callees move too."""
_HINTS = {
    "unresolved": ("dns", "name", "resolv"),
    "refused": ("secret", "vault", "key", "identity", "token", "auth", "iam"),
    "unreachable": ("net", "backbone", "fabric", "dns", "name", "resolv", "cluster", "fleet", "platform"),
    "slow": ("net", "backbone", "fabric"),
    "crash": ("cluster", "fleet", "platform", "kube", "node"),
    "errors": ("config", "settings", "net", "backbone", "fabric"),
    "stale": ("dns", "name", "resolv"),
}
"""What is asked first about a class of trouble, by what it is called. Where nothing tells, the first stands."""
_MONITORS = ("monitor", "probe", "watch", "alert", "synthetic", "check")


def trace(desk: Desk, start: str, calls: list[Path]) -> Play[Findings]:
    """Find the service where it started, from the calls of the one that paged."""
    found = Findings(victim=start, broken=start, root=start, walked=[start])
    ends = yield from _descend(desk, found, start, calls)
    if ends is None:
        yield from _alarm_or_beneath(desk, found, start, calls)
    else:
        yield from _around(desk, found, *ends)
    return found


def spare(desk: Desk) -> int:
    """Steps that the search may take still."""
    return desk.left - (_FIX_STEPS if desk.shown["task_id"] == "remediation_planning" else 0)


def _descend(
    desk: Desk, found: Findings, start: str, calls: list[Path]
) -> Play[tuple[Path, list[Path], list[Path], list[Path]] | None]:
    """Follow the worst calls. The last unhealthy path, the calls of its caller, what it calls and what calls it."""
    walked = [start]
    above: list[Path] = []
    callers: list[Path] = []
    last: Path | None = None
    while True:
        ill = [path for path in calls if path.illness and path.service not in walked]
        if not ill or len(walked) > _DEEPEST or spare(desk) <= 1:
            break
        last = max(ill, key=lambda path: (path.illness, path.share))
        found.victim, found.broken, found.root = walked[-1], last.service, last.service
        above = calls
        walked.append(last.service)
        calls, callers = yield from desk.paths(last.service)
    found.walked = walked
    return (last, above, calls, callers) if last is not None else None


def _around(
    desk: Desk, found: Findings, last: Path, above: list[Path], calls: list[Path], callers: list[Path]
) -> Play[None]:
    """What is wrong at the end of the unhealthy calls, or with who uses it, or beneath it."""
    end, trouble = last.service, last.trouble
    condition = condition_in((yield from desk.look("query_logs", end)), trouble)
    if condition is not None and not condition.client:
        yield from _settle(desk, found, end, condition)
        return
    rows: list[Metric] = []
    if condition is None:
        rows = metrics((yield from desk.look("check_metrics", end)))
        if _serves_well(rows):
            yield from _beneath(desk, found, trouble, [above])
            return
    if condition is None and (yield from _is_to_blame(desk, found, end, trouble)):
        return
    if (condition is not None or _telling(rows)) and (yield from _blame_client(desk, found, callers, condition)):
        return
    if condition is not None and (yield from _is_to_blame(desk, found, end, trouble)):
        return
    if trouble == "late" and spare(desk) > _KEPT:
        condition = condition_in((yield from desk.look("query_logs", found.victim)), trouble)
        if condition is not None:
            yield from _settle(desk, found, found.victim, condition)
            return
    if not _telling(rows):
        yield from _beneath(desk, found, "" if trouble == "late" else trouble, [calls, above])


def _is_to_blame(desk: Desk, found: Findings, service: str, trouble: str) -> Play[bool]:
    """Whether the state of a service explains what its callers see, or a change of it just before."""
    found.change = yield from _fresh(desk, service)
    if found.change is None and spare(desk) > _KEPT:
        yield from desk.look("check_service_status", service)
    found.condition = condition_in(own_words(desk, service), trouble)
    return found.change is not None or found.condition is not None


def own_words(desk: Desk, service: str) -> str:
    """What a service says of itself beside its logs: state, notes, and the names of metrics that it moved itself."""
    told = status(desk.seen.get(("check_service_status", service), ""))
    moved = _telling(metrics(desk.seen.get(("check_metrics", service), "")))
    return "\n".join([*told.get("state", []), *told.get("note", []), *(row.name for row in moved)])


def _settle(desk: Desk, found: Findings, root: str, condition: Condition | None) -> Play[None]:
    """It is this service: how, and after which change."""
    found.root, found.condition = root, condition
    if desk.shown["task_id"] == "remediation_planning" or condition is None:
        found.change = yield from _fresh(desk, root)


def _fresh(desk: Desk, service: str) -> Play[Change | None]:
    """The change of a service shortly before the alert, if there is one."""
    for change in changes((yield from desk.look("check_recent_deploys", service))):
        minutes = (desk.fired_at - change.at).total_seconds() / 60
        if 0 <= minutes <= _FRESH_MINUTES and change.kind != "rollback":
            return change
    return None


def _blame_client(desk: Desk, found: Findings, callers: list[Path], condition: Condition | None) -> Play[bool]:
    """Which of the clients does it: one that was changed just before, those beside the failing calls first."""
    beside = [path.service for path in callers if path.service not in found.walked]
    for client in [*beside, *(path.service for path in callers if path.service in found.walked)]:
        if spare(desk) <= 0:
            break
        change = yield from _fresh(desk, client)
        if change is not None:
            found.root, found.change, found.condition = client, change, condition
            return True
    return False


def _beneath(desk: Desk, found: Findings, trouble: str, stands_on: list[list[Path]]) -> Play[None]:
    """What those who suffer run on or hold: the first that shows something of its own."""
    names = list(dict.fromkeys(path.service for calls in stands_on for path in calls if path.beneath))
    hints = _HINTS.get(trouble, ())

    def place(name: str) -> int:
        return next((number for number, hint in enumerate(hints) if hint in name), len(hints))

    names.sort(key=place)
    if names:
        found.root = names[0]
    for name in names:
        if spare(desk) <= 0:
            return
        condition = condition_in((yield from desk.look("query_logs", name)), trouble)
        if condition is not None:
            yield from _settle(desk, found, name, condition)
            return
    for name in names:
        if spare(desk) <= 0:
            return
        change = yield from _fresh(desk, name)
        if change is not None:
            found.root, found.change = name, change
            return


def _alarm_or_beneath(desk: Desk, found: Findings, start: str, calls: list[Path]) -> Play[None]:
    """Nothing that it calls is unwell: either it is hit itself, or there is no incident."""
    rows = metrics((yield from desk.look("check_metrics", start)))
    if not _serves_well(rows):
        yield from _beneath(desk, found, "", [calls])
        return
    monitors = [name for name in desk.shown["known_services"] if any(word in name for word in _MONITORS)]
    called = [path.service for path in calls if not path.beneath]
    for name in [*called, *monitors[:1]]:
        if spare(desk) <= 0:
            return
        told = status((yield from desk.look("check_service_status", name)))
        condition = alarm_in("\n".join(told.get("state", []) + told.get("note", [])))
        if condition is not None:
            found.root, found.broken, found.condition = name, name, condition
            return


def _serves_well(rows: list[Metric]) -> bool:
    """Whether nobody who calls it would notice anything, as far as it can tell itself."""
    return not any(row.moved for row in rows if _SERVING.search(row.name) and "per_second" not in row.name)


def _telling(rows: list[Metric]) -> list[Metric]:
    """The metrics that moved and that no victim of something else would move."""
    own = [row for row in rows if row.moved and not _SERVING.search(row.name)]
    return [row for row in own if not _BUSY.search(row.name) or (row.unit == "%" and row.now >= _FULL)]
