"""The story of an incident that runs as it was written down before: truth, plan and certificates are those."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenarios.incident import Account
from scenarios.progress import Plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.authored import AuthoredIncident
    from scenarios.incident import Certificate, Explanation, Item, Known, Pace, Truth
    from scenarios.running.incident import RunningIncident
    from scenarios.vocabulary import Task, TaskId


class RetoldStory:
    """That of an authored incident, but for the chain of what happened."""

    proved = True

    def __init__(self, made_after: AuthoredIncident) -> None:
        self._made_after = made_after

    @property
    def digest(self) -> str:
        return self._made_after.digest

    @property
    def verifies(self) -> bool:
        return any(step.verify for step in self.plan.steps)

    @property
    def plan(self) -> Plan:
        return Plan(self._made_after.plan.stages)

    def tell(self, incident: RunningIncident) -> Truth:
        return replace(self._made_after.truth, symptoms=incident.symptoms)

    def recount(self, incident: RunningIncident) -> Account:
        return Account(incident.document.chain)

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        return self._made_after.certificates(task)

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        return self._made_after.know(task, seen)

    def explain(self, *_: object) -> tuple[Explanation, ...]:
        return ()

    def pace(self, task: Task) -> Pace:
        return self._made_after.pace(task)

    def find_judge(self, _: RunningIncident, /) -> None:
        """What is done is judged by its plan."""
