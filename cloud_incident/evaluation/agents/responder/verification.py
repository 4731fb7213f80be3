"""Chooses and runs the verifications after a repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import parse_status
from cloud_incident.evaluation.agents.responder.failures import find_domain
from scenarios.library import load_runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.findings import Findings
    from scenarios.library import RunbookStep

_JOURNEYS = "journeys"


def verify(desk: Desk, steps: list[str]) -> Play[None]:
    """Run the verifications in order."""
    for step in steps:
        yield from desk.fix("execute_runbook_step", step)


def choose_verifications(desk: Desk, found: Findings) -> list[str]:
    """Choose a verification for what was repaired, and one for the journey that the alert is about."""
    return [step for step in (_choose_repair_check(desk, found), _choose_journey_check(desk)) if step]


def _choose_repair_check(desk: Desk, found: Findings) -> str:
    """Choose a verification in the domain of what failed, preferably one that an owner lists; empty if none fits."""
    domain = find_domain(desk.join_evidence())
    domains = (*found.failure.domains, domain)
    fitting = [step for step in load_runbook_catalogue().values() if step.verify and step.domain in domains]
    listed = {
        name
        for (action, _), text in desk.seen.items()
        if action == "check_service_status"
        for name in parse_status(text).get("runbook", ())
    }
    repaired_itself = ("restart_service", found.broken) in desk.done

    def rate(step: RunbookStep) -> tuple[bool, bool, bool]:
        return step.name in listed, step.domain == domain, _checks_clients(step) != repaired_itself

    return max(fitting, key=rate).name if fitting else ""


def _checks_clients(step: RunbookStep) -> bool:
    return "client" in step.does


def _choose_journey_check(desk: Desk) -> str:
    """Choose the synthetic journey that the alert names; otherwise the most general one. Empty if there is none."""
    text = f"{desk.alert.get('name', '')} {desk.alert.get('summary', '')}".casefold()
    journeys = [step for step in load_runbook_catalogue().values() if step.verify and step.domain == _JOURNEYS]
    named = [step for step in journeys if any(word in text for word in step.name.split("_")[1:-1] if len(word) > 3)]
    return (named or journeys[-1:])[0].name if journeys else ""
