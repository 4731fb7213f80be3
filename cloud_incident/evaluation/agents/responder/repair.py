"""Repairs an incident: removes the cause, then mends what it broke, callees before callers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import parse_status
from cloud_incident.evaluation.agents.responder.failures import UNREACHABLE
from cloud_incident.evaluation.agents.responder.mending import mend
from cloud_incident.evaluation.agents.responder.verification import choose_verifications, verify
from scenarios.library import load_runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import ObservedPath
    from cloud_incident.evaluation.agents.responder.findings import Findings

_FIRST = re.compile(r"(\w+) (?:goes |go |comes |come )?first\b")
_UNFINISHED = re.compile(r"in progress|attempt \d|read (?:once|only)? ?(?:at|when|on)|at (?:process )?start\b")
_COMPOUND = re.compile(r"(?<![\w-])[a-z]+(?:[-_][a-z]+)+(?![\w-])")


def repair(desk: Desk, found: Findings) -> Play[None]:
    """Repair what was found, look at the recovery, and run the verifications."""
    if found.walked:
        yield from mend(desk, found)
        return
    yield from _remove_cause(desk, found)
    if found.failure.crash and found.broken != found.root:
        yield from desk.fix("restart_service", found.broken)
    looked_at = found.victim if found.failure is UNREACHABLE else found.broken
    repairs = len(desk.done)
    calls, callers = yield from desk.look_up_paths(looked_at, again=True)
    for service in (yield from _find_still_broken(desk, found, calls, callers)):
        yield from desk.fix("restart_service", service)
    checks = choose_verifications(desk, found)
    if len(desk.done) > repairs and desk.steps_left > len(checks):
        yield from desk.look("check_dependencies", looked_at, again=True)
    yield from verify(desk, checks)


def _remove_cause(desk: Desk, found: Findings) -> Play[None]:
    """Undo the change that caused the incident, and apply the owner's repairs before or after it, as its note says."""
    rows = parse_status((yield from desk.look("check_service_status", found.root)))
    note = found.change.note if found.change else ""
    mending = _list_owner_repairs(found, rows.get("runbook", []))
    first = [step for step in mending if set(_FIRST.findall(note)) & set(step.split("_"))]
    for step in first:
        yield from desk.fix("execute_runbook_step", step)
    undone = yield from _undo_change(desk, found, rows)
    for step in mending:
        if step not in first:
            yield from desk.fix("execute_runbook_step", step)
    if not undone and mending:
        yield from _undo_change(desk, found, rows)


def _list_owner_repairs(found: Findings, steps: list[str]) -> list[str]:
    """List the runbook steps of the owner that repair this kind of failure."""
    catalogue = load_runbook_catalogue()
    listed = [catalogue[step] for step in steps if step in catalogue]
    return [step.name for step in listed if not step.verify and step.domain in found.failure.domains]


def _undo_change(desk: Desk, found: Findings, rows: dict[str, list[str]]) -> Play[bool]:
    """Undo the change, and give whether it worked. If no change was found, restart the service."""
    if found.change is None:
        return (yield from desk.fix("restart_service", found.root))
    flag, _, value = (part.strip() for part in found.change.version.partition("="))
    if found.change.kind != "flag" or value == "off":
        return (yield from desk.fix("rollback_deploy", found.root))
    off = yield from desk.fix("disable_feature_flag", flag)
    if off and _UNFINISHED.search(" ".join(rows.get("state", []) + rows.get("note", [])).casefold()):
        yield from desk.fix("restart_service", found.root)
    return off


def _find_still_broken(
    desk: Desk, found: Findings, calls: list[ObservedPath], callers: list[ObservedPath]
) -> Play[list[str]]:
    """Find who needs a restart now that the cause is gone: who still suffers, and who holds what the cause gave."""
    around = calls if found.failure is UNREACHABLE else callers
    suffering = [path.service for path in around if path.illness > 0 and path.service != found.root]
    if not found.failure.held:
        return suffering
    held = _find_shared_words(desk, found, desk.seen.get(("check_service_status", found.root), ""))
    well = [path.service for path in callers if not path.illness and path.service != found.root]
    for service in well:
        if desk.steps_left <= len(suffering):
            break
        rows = yield from desk.look("check_service_status", service)
        if _find_shared_words(desk, found, rows) & held:
            suffering.append(service)
    return suffering


def _find_shared_words(desk: Desk, found: Findings, rows: str) -> set[str]:
    """Find the names in a status that the logs of the victim mention too, except services and runbook steps."""
    in_logs = set(_COMPOUND.findall(desk.seen.get(("query_logs", found.victim), "").casefold()))
    return set(_COMPOUND.findall(rows.casefold())) & in_logs - set(desk.shown["known_services"]) - set(
        load_runbook_catalogue()
    )
