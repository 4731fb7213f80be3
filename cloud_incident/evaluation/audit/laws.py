"""Checks the laws of systems that run on the incidents that do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.audit.check import Check, CheckGroup, CheckResult, Measurement, require_no_problems
from scenarios.laws import LAWS, find_breaches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext

_PREFIX = "world."
_PLAYS = "none broken in honest, random and hostile play"
_THRESHOLDS = {
    "return": "within 15 minutes if the document states nothing else",
    "step": "the same rule fires first, 60 s apart at most",
}


class LawChecks(CheckGroup["Mapping[str, list[str]] | None"]):
    """Each incident of the sample measures the running incident that stands at the same place, if there is one."""

    specs = tuple(Check(_PREFIX + law, asks, _THRESHOLDS.get(law, _PLAYS)) for law, asks in LAWS.items())

    def measure(self, case: Case) -> Mapping[str, list[str]] | None:
        subjects, place = case.bench.world.list_subjects(), case.specimen.position
        laws = [law for law in LAWS if _PREFIX + law in case.asked]
        return find_breaches(subjects[place](), laws) if place < len(subjects) else None

    def judge(
        self,
        found: Sequence[Measurement[Mapping[str, list[str]] | None]],
        context: AuditContext,
    ) -> Iterator[CheckResult]:
        played = [measurement.value for measurement in found if measurement.value is not None]
        for spec in (spec for spec in self.specs if spec.id in context.asked):
            problems = [finding for value in played for finding in value[spec.id.removeprefix(_PREFIX)]]
            if played:
                yield require_no_problems(spec, problems, len(played), "incidents that run")
            else:
                yield CheckResult(spec, "skip", {}, "no incident that runs was measured")
