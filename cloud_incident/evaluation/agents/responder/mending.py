"""Repairs a known condition: applies what mends it, looks at the recovery, and runs the checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.conditions import find_condition
from cloud_incident.evaluation.agents.responder.evidence import parse_status
from cloud_incident.evaluation.agents.responder.trace import quote_service
from scenarios.library import load_runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.findings import Findings

_DEFAULT_MENDS = ("undo", "restart")
"""What is done if the condition is unknown."""
_MORE_REPLICAS = 3
_MOST_CHECKS = 3
_MOST_HOLDERS = 2
_RESTART_TROUBLES = frozenset({"crash", "errors"})
"""Classes of trouble in which the callee has to be restarted; in the others it is the caller."""
_KEPT_STEPS = 2
"""Steps kept for a look at the recovery and a check."""
_READY = re.compile(r"\d+/(\d+)")


def mend(desk: Desk, found: Findings) -> Play[None]:
    """Mend the condition that was found, look at the recovery, and run the checks that the owner lists."""
    rows = parse_status((yield from desk.look("check_service_status", found.root)))
    if found.condition is None:
        found.condition = find_condition(quote_service(desk, found.root))
    listed = [step for step in rows.get("runbook", []) if step in load_runbook_catalogue()]
    todo = list(found.condition.mends if found.condition else _DEFAULT_MENDS)
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
    """Apply the mends in order as far as the steps go, and give those that were too early."""
    early = []
    for what in todo:
        if desk.steps_left <= _KEPT_STEPS:
            break
        if not (yield from _apply(desk, found, rows, listed, what)) and desk.too_early:
            early.append(what)
    return early


def _apply(desk: Desk, found: Findings, rows: dict[str, list[str]], listed: list[str], what: str) -> Play[bool]:
    """Apply one mend, and give whether it took effect. A mend that cannot be applied counts as done."""
    match what:
        case "undo":
            return (yield from _undo_change(desk, found))
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


def _undo_change(desk: Desk, found: Findings) -> Play[bool]:
    """Undo the change: switch a flag off, roll everything else back."""
    if found.change is None:
        return True
    flag, _, value = (part.strip() for part in found.change.version.partition("="))
    if found.change.kind == "flag" and value != "off":
        return (yield from desk.fix("disable_feature_flag", flag))
    return (yield from desk.fix("rollback_deploy", found.root))


def _restart_holders(desk: Desk, found: Findings) -> Play[bool]:
    """Restart the services that still suffer from something beneath them that has been mended."""
    for holder in reversed([name for name in found.walked if name != found.broken] or found.walked):
        if desk.steps_left <= _KEPT_STEPS:
            break
        calls, _ = yield from desk.look_up_paths(holder, again=True)
        ill = [path for path in calls if path.illness]
        failing = [path.service for path in ill if path.trouble in _RESTART_TROUBLES]
        for service in (failing or [holder])[:_MOST_HOLDERS] if ill else []:
            yield from desk.fix("restart_service", service)
        if ill:
            break
    return True
