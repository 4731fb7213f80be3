"""Which verifications to run after a repair, from the bottom up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.evidence import status
from cloud_incident.evaluation.agents.responder.failures import thing_in
from scenarios.library import load_runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.findings import Findings
    from scenarios.library import RunbookStep

_JOURNEYS = "journeys"


def verify(desk: Desk, steps: list[str]) -> Play[None]:
    """Run the verifications in turn."""
    for step in steps:
        yield from desk.fix("execute_runbook_step", step)


def verifications(desk: Desk, found: Findings) -> list[str]:
    """One for what was repaired, one for the journey that the alert is about."""
    return [step for step in (_of_the_repair(desk, found), _of_the_journey(desk)) if step]


def _of_the_repair(desk: Desk, found: Findings) -> str:
    """A verification in the domain of what failed, preferably one that an owner lists."""
    thing = thing_in(desk.everything())
    domains = (*found.failure.domains, thing)
    fitting = [step for step in load_runbook_catalogue().values() if step.verify and step.domain in domains]
    listed = {
        name
        for (action, _), text in desk.seen.items()
        if action == "check_service_status"
        for name in status(text).get("runbook", ())
    }
    repaired_itself = ("restart_service", found.broken) in desk.done

    def fitness(step: RunbookStep) -> tuple[bool, bool, bool]:
        return step.name in listed, step.domain == thing, _checks_clients(step) != repaired_itself

    return max(fitting, key=fitness).name if fitting else ""


def _checks_clients(step: RunbookStep) -> bool:
    return "client" in step.does


def _of_the_journey(desk: Desk) -> str:
    """The synthetic journey that the alert names; otherwise the most general one."""
    told = f"{desk.alert.get('name', '')} {desk.alert.get('summary', '')}".casefold()
    journeys = [step for step in load_runbook_catalogue().values() if step.verify and step.domain == _JOURNEYS]
    named = [step for step in journeys if any(word in told for word in step.name.split("_")[1:-1] if len(word) > 3)]
    return (named or journeys[-1:])[0].name if journeys else ""
