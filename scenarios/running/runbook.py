"""The runbook of incidents that run: the operations of the world, the verifications of the catalogue, and what changes
nothing in the system: `watch` and `silence_alert`."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from scenarios.incident import WATCH_SECONDS
from scenarios.library import RunbookStep, load_runbook_catalogue
from scenarios.vocabulary import EXECUTE_RUNBOOK_STEP, REMEDIATIONS
from scenarios.world import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.progress import Remedy
    from scenarios.world import System

SILENCE_SECONDS = 1800
"""How long a rule is silenced."""
RULE = "rule"
"""What `silence_alert` needs: the rule of a page that on-call has had. Which others there are, nobody is told."""

_WATCH = RunbookStep(
    name="watch",
    domain="observation",
    does=f"Let {WATCH_SECONDS // 60} minutes pass, and say which services and pages have changed.",
    waits=WATCH_SECONDS,
)
SILENCE = RunbookStep(
    name="silence_alert",
    domain="alerting",
    does=f"Mute the notifications of a rule that has paged, for {SILENCE_SECONDS // 60} minutes. Nothing else changes.",
    waits=60,
    needs=RULE,
)


@cache
def build_runbook(*, verifies: bool) -> Mapping[str, RunbookStep]:
    """The steps by name: operations that are no remediation of their own first.

    Verifications of the catalogue are about one shop and its plan. So only an incident that `verifies` by it has them.
    """
    steps = [
        RunbookStep(name=operation.name, domain="operation", does=operation.does, needs=operation.target)
        for operation in OPERATIONS.values()
        if operation.name not in REMEDIATIONS
    ]
    steps += [_WATCH, SILENCE, *(step for step in load_runbook_catalogue().values() if step.verify and verifies)]
    return MappingProxyType({step.name: step for step in steps})


def describe_runbook(steps: Mapping[str, RunbookStep], system: System) -> str:
    """Which steps there are for a system and what each needs, in short."""
    needs: dict[str, list[str]] = {}
    for step in steps.values():
        if step.needs in ("", RULE) or list_targets(system, step.needs):
            needs.setdefault(step.needs, []).append(step.name)
    told = [f"{kind or 'none'}: {', '.join(names)}" for kind, names in needs.items()]
    listed = f"Steps of {EXECUTE_RUNBOOK_STEP.name}, by their `target`. {'; '.join(sorted(told, key=len))}."
    if any(step.verify for step in steps.values()):
        return listed
    seen = f"let some minutes pass by `{_WATCH.name}` and look again at what had failed"
    return f"{listed} None of them verifies: to see the recovery, {seen}."


def find_operation(remedy: Remedy) -> tuple[str, str]:
    """The operation of the world that a remediation orders, and its target."""
    return (remedy.target, remedy.on) if remedy.action == EXECUTE_RUNBOOK_STEP.name else (remedy.action, remedy.target)


def list_targets(system: System, kind: str) -> tuple[str, ...]:
    """What there is of a kind in a system, by name, in the order of the document."""
    return {
        "service": tuple(sorted(component.name for component in system.components)),
        "flag": tuple(flag for component in system.components for flag in component.flags),
        "zone": system.zones,
        "client": tuple(journey.name for journey in system.journeys),
        "job": tuple(job.name for component in system.components for job in component.jobs),
        "topic": tuple(topic.name for topic in system.topics),
    }[kind]
