"""What must not be said of a scenario before its episode is over, and what of a text could say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios.catalogue import Scenario
    from scenarios.progress import PlanStep

MISSTEPS: list[tuple[str, dict[str, Any]]] = [
    ("query_logs", {"service": "nowhere"}),
    ("execute_runbook_step", {"runbook_action": "reset_conntrack_tables"}),
    ("execute_runbook_step", {"runbook_action": "verify_queue_lag"}),
    ("clear_cache", {"service": "nowhere"}),
    ("disable_feature_flag", {"flag": "nowhere"}),
]
"""Steps that are taken and earn nothing: what they answer must tell nothing either."""


def secrets_of(scenario: Scenario) -> dict[str, re.Pattern[str]]:
    """What must not be said: concepts, chain, flags, harms, remediations, cause, severity."""
    incident = scenario.incident
    found = {f"chain {number}": re.escape(sentence[:40]) for number, sentence in enumerate(incident.account.chain)}
    found |= {f"beside {each.service}": re.escape(each.text[:40]) for each in incident.account.beside}
    found["the severity"] = rf"\b{incident.truth.severity}\b(?!( to |-)P4)"
    if scenario.task.remediates:
        terms = [term for group in incident.truth.concepts for term in group if len(term.split()) > 1]
        found |= {f"concept {term}": re.escape(term).replace(r"\*", r"\w*") for term in terms}
        found |= {f"harm {harm.name}": rf"{re.escape(harm.means[:40])}|{harm.name}" for harm in incident.plan.harms}
        found |= {f"step {step.step}": re.escape(step.target) for step in incident.plan.steps if _by_name(step)}
        found |= {f"deed {step.step}": rf"{step.action}\W+{re.escape(step.target)}" for step in incident.plan.steps}
        found["the cause"] = rf"(?<![\w-]){re.escape(incident.truth.service)}(?![\w-])"
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in found.items()}


def _by_name(step: PlanStep) -> bool:
    return step.action in {"disable_feature_flag", "execute_runbook_step"}


def telling(scenario: Scenario, mine: set[str], others: set[str]) -> str:
    """The lines that only this scenario has, but those in which every service stands alike: lists, or a line for each.

    What all scenarios share reveals nothing.
    """
    services = scenario.incident.services
    root = scenario.incident.truth.service
    alike = {_form(line) for line in mine}

    def tells(line: str) -> bool:
        form = _form(line)
        each = all(form.replace(root, service) in alike for service in services)
        return not (root in line and (each or all(service in line for service in services)))

    return "\n".join(sorted(filter(tells, mine - others)))


def _form(line: str) -> str:
    """A line without its numbers and its place in a list."""
    return re.sub(r"^\W+|\W+$|\d+", "", line)
