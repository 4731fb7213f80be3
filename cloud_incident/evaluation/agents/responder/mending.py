"""Repairing by condition: what its owner lists for it, in the order of the trade, then a look and the checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.conditions import condition_in
from cloud_incident.evaluation.agents.responder.evidence import status
from cloud_incident.evaluation.agents.responder.trace import own_words
from scenarios.library import load_runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.findings import Findings

_BY_HABIT = ("undo", "restart")
"""What is done where nothing is known but what was changed."""
_MORE_REPLICAS = 3
_MOST_CHECKS = 3
_MOST_HOLDERS = 2
_GONE = frozenset({"crash", "errors"})
"""Classes of trouble of a callee whose instances have to be started afresh; otherwise it is who calls."""
_ENDING = 2
"""Steps kept for a look at the recovery and a check."""
_READY = re.compile(r"\d+/(\d+)")


def mend(desk: Desk, found: Findings) -> Play[None]:
    """Mend what was found, see that it has recovered, and run the checks that its owner lists."""
    rows = status((yield from desk.look("check_service_status", found.root)))
    if found.condition is None:
        found.condition = condition_in(own_words(desk, found.root))
    listed = [step for step in rows.get("runbook", []) if step in load_runbook_catalogue()]
    todo = list(found.condition.mends if found.condition else _BY_HABIT)
    if "undo" in todo and found.change is None:
        todo.remove("undo")
    left = yield from _try_all(desk, found, rows, listed, todo)
    if left:
        yield from _try_all(desk, found, rows, listed, left)
    yield from desk.look(
        "check_metrics" if found.condition and not found.condition.seen else "check_dependencies",
        found.victim,
        again=True,
    )
    checks = [step for step in listed if load_runbook_catalogue()[step].verify]
    domains = {load_runbook_catalogue()[step].domain for step in todo if step in load_runbook_catalogue()}
    checks.sort(
        key=lambda step: (
            load_runbook_catalogue()[step].domain not in domains,
            load_runbook_catalogue()[step].domain != "journeys",
        )
    )
    for step in checks[:_MOST_CHECKS]:
        yield from desk.fix("execute_runbook_step", step)


def _try_all(
    desk: Desk, found: Findings, rows: dict[str, list[str]], listed: list[str], todo: list[str]
) -> Play[list[str]]:
    """Do one after another what can be done; those that were too early."""
    early = []
    for what in todo:
        if desk.left <= _ENDING:
            break
        if not (yield from _do(desk, found, rows, listed, what)) and desk.too_early:
            early.append(what)
    return early


def _do(desk: Desk, found: Findings, rows: dict[str, list[str]], listed: list[str], what: str) -> Play[bool]:
    """One of the things that mend a condition; whether it took effect, or cannot be done at all."""
    match what:
        case "undo":
            return (yield from _undo(desk, found))
        case "restart":
            return (yield from desk.fix("restart_service", found.root))
        case "clear":
            return (yield from desk.fix("clear_cache", found.root))
        case "scale":
            ready = _READY.search(" ".join(rows.get("replicas ready", [])))
            now = int(ready[1]) if ready else 1
            return (yield from desk.fix("scale_service", found.root, replicas=now + _MORE_REPLICAS))
        case "holders":
            return (yield from _restart_holders(desk, found))
    return (yield from desk.fix("execute_runbook_step", what)) if what in listed else True


def _undo(desk: Desk, found: Findings) -> Play[bool]:
    """Take the change back: a flag is switched off, everything else rolled back."""
    if found.change is None:
        return True
    flag, _, value = (part.strip() for part in found.change.version.partition("="))
    if found.change.kind == "flag" and value != "off":
        return (yield from desk.fix("disable_feature_flag", flag))
    return (yield from desk.fix("rollback_deploy", found.root))


def _restart_holders(desk: Desk, found: Findings) -> Play[bool]:
    """Who was hit by something beneath may stay so: who still comes and goes, or whose calls are still unwell."""
    for holder in reversed([name for name in found.walked if name != found.broken] or found.walked):
        if desk.left <= _ENDING:
            break
        calls, _ = yield from desk.paths(holder, again=True)
        ill = [path for path in calls if path.illness]
        gone = [path.service for path in ill if path.trouble in _GONE]
        for service in (gone or [holder])[:_MOST_HOLDERS] if ill else []:
            yield from desk.fix("restart_service", service)
        if ill:
            break
    return True
