"""Repairs a running system: mends the suspected cause, waits, looks, and tries once more if that did not help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import choose
from cloud_incident.evaluation.agents.responder.evidence import parse_metrics, parse_status
from cloud_incident.evaluation.agents.responder.running.calls import LATE, UNAUTHENTICATED
from cloud_incident.evaluation.agents.responder.running.judging import read_jobs
from cloud_incident.evaluation.agents.responder.running.walking import look_around, walk
from scenarios.vocabulary import ACTIONS, REMEDIATIONS

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.running.calls import Call
    from cloud_incident.evaluation.agents.responder.running.diagnosing import Diagnosis
    from cloud_incident.evaluation.agents.responder.running.judging import Verdict

_KEPT = 2
"""Steps kept to wait and to look."""
_FIRING = "firing"
_WATCH = "watch"
_RUNBOOK = "execute_runbook_step"
_READY = re.compile(r"(\d+)/(\d+)")
_EVICTED = re.compile(r"Evicted.*?(?:\(x(\d+) )")
_MORE = 2
"""So many more instances get what has no room."""
_FAILS = re.compile(r"5xx|504|50\d|class=\"5|499|429|40[13]|timeout|reset|rejected|error", re.IGNORECASE)
"""Names of metrics that count what fails."""
_CLIENT = re.compile(r"^\s*client (\S+) .*?([\d.]+) requests/s from outside \(normal ([\d.]+)\)", re.MULTILINE)
_FEW, _WORSE = 2.0, 3.0
"""So many more per second than usual, and by this factor more, is not well."""


def repair(desk: Desk, found: Diagnosis) -> Play[None]:
    """Repair what was found, and look at the recovery. What did not help is followed by the next that may."""
    verdict = found.verdict
    for mend in verdict.hypothesis.mends if verdict else ():
        if verdict is None or desk.steps_left <= _KEPT:
            return
        for what in mend:
            yield from _do(desk, found, verdict, what)
        yield from operate(desk, _WATCH, "")
        if (yield from _is_well(desk, found)):
            return
        if (yield from _relieve(desk, found)):
            yield from _is_well(desk, found)
            return


def _is_well(desk: Desk, found: Diagnosis) -> Play[bool]:
    """Look whether users are served again: whether the page has cleared, and nothing fails where they enter."""
    if desk.alert.get("status") == _FIRING:
        return False
    rows = parse_metrics((yield from desk.look("check_metrics", found.way[0].service, again=True)))
    return not any(_FAILS.search(row.name) and row.now > _FEW + _WORSE * row.normal for row in rows)


def _relieve(desk: Desk, found: Diagnosis) -> Play[bool]:
    """Give more room to who still has none, and tell whether there is one: what has waited may keep it busy.

    Nobody is given room who is in the same trouble as before the repair.
    """
    if desk.steps_left <= _KEPT:
        return False
    for hop in found.way:
        desk.seen.pop(("check_dependencies", hop.service), None)
    way = yield from walk(desk, found.way[0].service, _KEPT)
    last = way[-1]
    if last.call is None or last.call.symptom not in LATE or desk.steps_left <= 1:
        return False
    yield from _scale(desk, last.service)
    yield from operate(desk, _WATCH, "")
    return True


def _do(desk: Desk, found: Diagnosis, verdict: Verdict, what: str) -> Play[None]:
    """Do one thing of a repair, on all that it has to be done on."""
    for target in (yield from _list_targets(desk, found, verdict, what)):
        if desk.steps_left <= _KEPT:
            return
        match what:
            case "restart_callers":
                yield from operate(desk, "restart_service", target)
            case "scale_service":
                yield from _scale(desk, target)
            case _:
                yield from operate(desk, what, target)


def _list_targets(desk: Desk, found: Diagnosis, verdict: Verdict, what: str) -> Play[list[str]]:
    """List what something has to be done on: jobs, flags, clients or services."""
    status = desk.seen.get(("check_service_status", verdict.root), "")
    jobs = [job for job in read_jobs(status, found.trouble.began) if job.at <= found.trouble.began]
    match what:
        case "pause_job":
            return [job.name for job in jobs][-1:]
        case "block_client":
            return _find_floods((yield from desk.look("check_dependencies", verdict.root)))
        case "warm_caches":
            return list(dict.fromkeys(job.source for job in jobs))[-1:]
        case "disable_feature_flag":
            return [verdict.change.version.partition("=")[0].strip()] if verdict.change else []
        case "restart_callers":
            callers = (yield from look_around(desk, verdict.root)).callers
            return _list_holders(callers) or [found.way[-2 if len(found.way) > 1 else -1].service]
    return [verdict.root]


def _find_floods(panel: str) -> list[str]:
    """The clients from outside that ask far more than usual, the one that asks most first."""
    found = [(float(now), name) for name, now, usual in _CLIENT.findall(panel) if float(now) > _WORSE * float(usual)]
    return [name for _, name in sorted(found, reverse=True)]


def _list_holders(callers: tuple[Call, ...]) -> list[str]:
    """Who is turned away, the one that loses most first."""
    ill = [call for call in callers if call.symptom == UNAUTHENTICATED and call.ill]
    return [call.service for call in sorted(ill, key=lambda call: -call.lost)]


def _scale(desk: Desk, service: str) -> Play[None]:
    """Scale a service to more instances than it should have had."""
    rows = parse_status((yield from desk.look("check_service_status", service)))
    ready = _READY.search(" ".join([*rows.get("pods ready", []), *rows.get("units active", [])]))
    lost = sum(int(found[1] or 1) for found in map(_EVICTED.search, rows.get("event", [])) if found)
    now = int(ready[2]) if ready else 1
    yield from operate(desk, "scale_service", service, replicas=now + lost + _MORE)


def operate(desk: Desk, what: str, target: str, **options: int) -> Play[bool]:
    """Carry out an operation, and give whether it was taken. One that the runbook does not list is left."""
    if desk.steps_left <= 0 or (what, target) in desk.done:
        return False
    before = desk.shown["step_count"]
    if what in REMEDIATIONS:
        desk.shown = yield choose(what, **{ACTIONS[what].subject: target}, **options)
    elif re.search(rf"(?<!\w){what}(?!\w)", str(desk.shown["incident_summary"])):
        named = {"target": target} if target else {}
        desk.shown = yield choose(_RUNBOOK, runbook_action=what, **named)
    else:
        return False
    if desk.shown["step_count"] == before:
        return False
    if what != _WATCH:
        desk.done.append((what, target))
    return True
