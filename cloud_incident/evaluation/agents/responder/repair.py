"""Repairing: take the cause away, then mend what it broke, from what others depend on to what depends on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import status
from cloud_incident.evaluation.agents.responder.failures import UNREACHABLE
from cloud_incident.evaluation.agents.responder.mending import mend
from cloud_incident.evaluation.agents.responder.verification import verifications, verify
from scenarios.library import load_runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import Path
    from cloud_incident.evaluation.agents.responder.findings import Findings

_FIRST = re.compile(r"(\w+) (?:goes |go |comes |come )?first\b")
_UNFINISHED = re.compile(r"in progress|attempt \d|read (?:once|only)? ?(?:at|when|on)|at (?:process )?start\b")
_COMPOUND = re.compile(r"(?<![\w-])[a-z]+(?:[-_][a-z]+)+(?![\w-])")


def repair(desk: Desk, found: Findings) -> Play[None]:
    """Repair what was found, see that it has recovered, and run the verifications."""
    if found.walked:
        yield from mend(desk, found)
        return
    yield from _take_away(desk, found)
    if found.failure.crash and found.broken != found.root:
        yield from desk.fix("restart_service", found.broken)
    looked_at = found.victim if found.failure is UNREACHABLE else found.broken
    repairs = len(desk.done)
    calls, callers = yield from desk.paths(looked_at, again=True)
    for service in (yield from _still_broken(desk, found, calls, callers)):
        yield from desk.fix("restart_service", service)
    checks = verifications(desk, found)
    if len(desk.done) > repairs and desk.left > len(checks):
        yield from desk.look("check_dependencies", looked_at, again=True)
    yield from verify(desk, checks)


def _take_away(desk: Desk, found: Findings) -> Play[None]:
    """Undo the change that did it, with the repairs that its owner names before or after as the notes say."""
    rows = status((yield from desk.look("check_service_status", found.root)))
    told = found.change.note if found.change else ""
    mending = _owners_repairs(found, rows.get("runbook", []))
    first = [step for step in mending if set(_FIRST.findall(told)) & set(step.split("_"))]
    for step in first:
        yield from desk.fix("execute_runbook_step", step)
    undone = yield from _undo(desk, found, rows)
    for step in mending:
        if step not in first:
            yield from desk.fix("execute_runbook_step", step)
    if not undone and mending:
        yield from _undo(desk, found, rows)


def _owners_repairs(found: Findings, steps: list[str]) -> list[str]:
    """The steps listed by the owner that repair this kind of failure."""
    catalogue = load_runbook_catalogue()
    listed = [catalogue[step] for step in steps if step in catalogue]
    return [step.name for step in listed if not step.verify and step.domain in found.failure.domains]


def _undo(desk: Desk, found: Findings, rows: dict[str, list[str]]) -> Play[bool]:
    """Take back the change. Without one the best that can be done for what is broken is to start it afresh."""
    if found.change is None:
        return (yield from desk.fix("restart_service", found.root))
    flag, _, value = (part.strip() for part in found.change.version.partition("="))
    if found.change.kind != "flag" or value == "off":
        return (yield from desk.fix("rollback_deploy", found.root))
    off = yield from desk.fix("disable_feature_flag", flag)
    if off and _UNFINISHED.search(" ".join(rows.get("state", []) + rows.get("note", [])).casefold()):
        yield from desk.fix("restart_service", found.root)
    return off


def _still_broken(desk: Desk, found: Findings, calls: list[Path], callers: list[Path]) -> Play[list[str]]:
    """Who needs a restart now that the cause is gone: those that suffer still, and those that hold what it gave."""
    around = calls if found.failure is UNREACHABLE else callers
    suffering = [path.service for path in around if path.illness > 0 and path.service != found.root]
    if not found.failure.held:
        return suffering
    held = _shared_words(desk, found, desk.seen.get(("check_service_status", found.root), ""))
    well = [path.service for path in callers if not path.illness and path.service != found.root]
    for service in well:
        if desk.left <= len(suffering):
            break
        rows = yield from desk.look("check_service_status", service)
        if _shared_words(desk, found, rows) & held:
            suffering.append(service)
    return suffering


def _shared_words(desk: Desk, found: Findings, rows: str) -> set[str]:
    """Names of things in a status that the victim's logs speak of too, services and runbook steps aside."""
    told = set(_COMPOUND.findall(desk.seen.get(("query_logs", found.victim), "").casefold()))
    return set(_COMPOUND.findall(rows.casefold())) & told - set(desk.shown["known_services"]) - set(
        load_runbook_catalogue()
    )
