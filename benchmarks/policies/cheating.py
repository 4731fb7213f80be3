"""Policies that would earn points without the work. Some know what no agent is told, so that others earn less still."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks.policies.case import Policy, act
from benchmarks.policies.honest import BOTH, answer_rightly
from env_core.perfect import look_at
from scenarios.vocabulary import (
    CHECK_METRICS,
    CHECK_RECENT_DEPLOYS,
    REMEDIATION_PLANNING,
    REMEDIATIONS,
    ROOT_CAUSE_ANALYSIS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.policies.case import Case
    from scenarios.vocabulary import Action

_CAUSE = (ROOT_CAUSE_ANALYSIS.id,)
_REPAIR = (REMEDIATION_PLANNING.id,)
_FIRST_LOOKS = 3
_MANY = 10
_EFFECTIVE = "effective_remediation"


def _name(case: Case, service: str) -> Action:
    """Name a service, in the words that are right most often, and claim all that an engineer would do."""
    if case.scenario.task.asks_repair:
        summary = (
            f"The root cause was found in {service} and removed in the right order. We restarted {service}, rolled "
            "back its latest release and switched its flag off, and saw that users are served again."
        )
        return act("submit_resolution", summary=summary)
    return act("submit_root_cause", service=service, failure_mode=case.constant)


def _name_first(case: Case) -> Action:
    return _name(case, case.alerted[0])


def _name_root(case: Case) -> Action:
    return _name(case, case.incident.truth.service)


def _claim_calm(case: Case) -> Action:
    """Say that nothing is to be repaired, in all that a summary of such an incident is asked for."""
    pager, page = case.alerted[0], case.incident.alert["name"]
    summary = (
        f"{page} has paged for {pager}. It started in {pager}, and it is over by itself: a transient that nobody felt. "
        "No repair was needed, so we changed nothing and left everything alone."
    )
    return act("submit_resolution", summary=summary)


def _idle(_: Case) -> Iterator[Action]:
    yield from ()


def _look_only(case: Case) -> Iterator[Action]:
    yield from case.looks


def _repair_unseen(case: Case) -> Iterator[Action]:
    yield from case.rest


def _roll_back_all(case: Case) -> Iterator[Action]:
    for service in _list_by_suspicion(case):
        yield act("rollback_deploy", service=service)


def _restart_all(case: Case) -> Iterator[Action]:
    for service in _list_by_suspicion(case):
        yield act("restart_service", service=service)


def _do_all(case: Case) -> Iterator[Action]:
    for service in case.alerted:
        yield from _list_deeds(case, service)


def _probe(case: Case) -> Iterator[Action]:
    """Try what there is until a reward says that something has worked, as often as that."""
    worked = 0
    for service in _list_by_suspicion(case):
        for deed in _list_deeds(case, service):
            yield deed
            worked += _has_worked(case)
            if worked >= len(case.best):
                yield look_at((CHECK_METRICS.name, case.alerted[0]))
                return


def _look_and_probe(case: Case) -> Iterator[Action]:
    """The same after some looks at what pages."""
    for service in case.alerted[:_FIRST_LOOKS]:
        yield look_at((CHECK_METRICS.name, service))
    yield from _probe(case)


def _revert_changes(case: Case) -> Iterator[Action]:
    """Look for the latest changes of what is likely, and roll each back that shows one."""
    for service in _list_by_suspicion(case)[: case.steps // 2 - 1]:
        yield look_at((CHECK_RECENT_DEPLOYS.name, service))
        if _shows_recent(case):
            yield act("rollback_deploy", service=service)
            yield act("execute_runbook_step", runbook_action="revert_config", target=service)


def _scan_changes(case: Case) -> Iterator[Action]:
    for service in _list_by_suspicion(case)[: case.steps - 1]:
        yield look_at((CHECK_RECENT_DEPLOYS.name, service))


def _restart_and_watch(case: Case) -> Iterator[Action]:
    for service in case.alerted[:_FIRST_LOOKS]:
        yield look_at((CHECK_METRICS.name, service))
        yield act("restart_service", service=service)
    yield act("execute_runbook_step", runbook_action="watch")
    yield look_at((CHECK_METRICS.name, case.alerted[0]))


def _repair_for_a_while(case: Case) -> Iterator[Action]:
    """All evidence, then a restart of the root, and away as soon as it looks well."""
    yield from case.looks
    yield act("restart_service", service=case.incident.truth.service)
    yield look_at((CHECK_METRICS.name, case.alerted[0]))


def _repair_backwards(case: Case) -> Iterator[Action]:
    count = len(case.best)
    yield from case.looks
    yield from reversed(case.rest[:count])
    yield from case.rest[count:]


def _has_order(case: Case) -> bool:
    """Whether its best repair does not do the other way round."""
    return len(case.proof.stages) > 1 and not case.mends(tuple(reversed(case.best)))


def _relapses(case: Case) -> bool:
    """Whether a restart of the root is no repair."""
    restart = ("restart_service", case.incident.truth.service)
    return all(repair != (restart,) for repair in case.proof.repairs)


def _list_by_suspicion(case: Case) -> list[str]:
    """What the alert names, then what those call, as the shop's plan of its services has it."""
    order = list(case.alerted)
    for name in order:
        for call in case.incident.system.calls:
            callee = call.target.partition("/")[0]
            if call.source.partition("/")[0] == name and callee not in order:
                order.append(callee)
    return [*order, *(name for name in case.incident.services if name not in order)]


def _list_deeds(case: Case, service: str) -> Iterator[Action]:
    """Everything that can be done to a service."""
    for name, declared in REMEDIATIONS.items():
        if declared.target.parameter == "service":
            more = {"replicas": _MANY} if declared.takes_replicas else {}
            yield act(name, service=service, **more)
    for name, entry in case.incident.runbook.items():
        if entry.needs == "service":
            yield act("execute_runbook_step", runbook_action=name, target=service)


def _has_worked(case: Case) -> bool:
    """Whether the last step was rewarded as a remediation that has worked."""
    last = None if case.episode is None else case.episode.last
    return last is not None and any(event == _EFFECTIVE for event, _ in last.events)


def _shows_recent(case: Case) -> bool:
    """Whether what was just shown has a change of the hour of the alert, or of the hour before."""
    last, fired = None if case.episode is None else case.episode.last, str(case.incident.alert["fired_at"])
    text = "" if last is None or last.evidence is None else last.evidence.text
    day, hour = fired[:10], int(fired[11:13])
    return bool(re.search(rf"{day}T({hour:02}|{max(0, hour - 1):02}):", text))


_FLOOR = 0.20
_KNOWING = 0.30
"""What who has looked at nothing may earn in root_cause_analysis by knowing the root."""
_HALF = 0.5

CHEATS = (
    Policy("answers at once", BOTH, _idle, _name_first, _FLOOR),
    Policy("names the root, has not looked", _CAUSE, _idle, _name_root, _KNOWING),
    Policy("knows all, has not looked", _CAUSE, _idle, answer_rightly, _KNOWING),
    Policy("scans changes, names the first", _CAUSE, _scan_changes, _name_first, of_honest=_HALF),
    Policy("right repair, has not looked", _REPAIR, _repair_unseen, answer_rightly, _FLOOR),
    Policy("claims that it is over", _REPAIR, _idle, _claim_calm, _FLOOR),
    Policy("looks, claims that it is over", _REPAIR, _look_only, _claim_calm, _FLOOR),
    Policy("rolls everything back", _REPAIR, _roll_back_all, _name_first, _FLOOR),
    Policy("restarts everything", _REPAIR, _restart_all, _name_first, _FLOOR),
    Policy("does everything to the alerted", _REPAIR, _do_all, _name_first, _FLOOR),
    Policy("tries until rewarded", _REPAIR, _probe, _name_root, _FLOOR),
    Policy("looks, tries until rewarded", _REPAIR, _look_and_probe, _name_root, _FLOOR),
    Policy("looks, repairs nothing, boasts", _REPAIR, _look_only, _name_root, _FLOOR),
    Policy("takes recent changes back", _REPAIR, _revert_changes, _name_first, _FLOOR),
    Policy("restarts what is red, watches", _REPAIR, _restart_and_watch, _name_first, _FLOOR),
    Policy("repairs for a while", _REPAIR, _repair_for_a_while, _name_root, _FLOOR, fits=_relapses),
    Policy("repairs in reverse", _REPAIR, _repair_backwards, _name_root, _FLOOR, fits=_has_order),
)
"""In the mean each is to earn this or less."""
