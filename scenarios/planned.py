"""The course of an incident in which no time passes: what was done of its plan decides what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scenarios.incident import Achieved, Remedied, measure_plan
from scenarios.library import RunbookStep, load_runbook_catalogue
from scenarios.progress import UNTOUCHED, PlanStep, Progress, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.evidence import Evidence
    from scenarios.incident import Incident, Item


class PlannedCourse(NamedTuple):
    """The course of an incident, as a set of the steps done and the harms caused."""

    incident: Incident
    progress: Progress = UNTOUCHED

    @property
    def alert(self) -> Mapping[str, Any]:
        return self.incident.alert

    @property
    def is_played(self) -> bool:
        return False

    @property
    def runbook(self) -> Mapping[str, RunbookStep]:
        return load_runbook_catalogue()

    def list_targets(self, _: str) -> None:
        """No step takes a target: the plan says what it is applied to."""

    def look(self, diagnostic: str, service: str) -> tuple[Evidence, PlannedCourse]:
        return self.incident.evidence(diagnostic, service, self.progress), self

    def is_hasty(self, _: Item, /) -> bool:
        """There is no time."""
        return False

    def count_sighting(self, item: Item, /) -> frozenset[Item]:
        return frozenset({item})

    @property
    def has_open_causes(self) -> bool:
        return False

    @property
    def is_judged_by_runs(self) -> bool:
        return False

    def remedy(self, remedy: Remedy, *, verifies: bool, judged: bool = True) -> Remedied:  # noqa: ARG002 - a plan judges
        outcome, progress = self.incident.plan.apply(remedy, self.progress, verifies=verifies)
        return Remedied(outcome, PlannedCourse(self.incident, progress))

    def shows_recovery(self, item: Item, evidence: Evidence, /) -> bool:
        plan = self.incident.plan
        if not plan.repairs or not plan.is_repaired(self.progress):
            return False
        unfixed = self.progress - {step.step for step in plan.steps}
        at_first = (self.incident.evidence(*item, progress).text for progress in (UNTOUCHED, unfixed))
        return evidence.text not in at_first

    @property
    def steps(self) -> tuple[PlanStep, ...]:
        return self.incident.plan.steps

    def measure(self, effective: frozenset[str]) -> Achieved:
        return measure_plan(self.incident.plan, effective)

    def find_losses(self) -> None:
        """Nobody is served or not."""

    @property
    def is_traced(self) -> bool:
        return True

    def trace_losses(self) -> None:
        """Nobody is served or not."""

    @property
    def harms(self) -> tuple[str, ...]:
        return tuple(harm.means for harm in self.incident.plan.harms if harm.name in self.progress)
