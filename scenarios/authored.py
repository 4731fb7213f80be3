"""An incident made from a document: evidence chosen by progress, certificates expanded."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scenarios.document import DIAGNOSTIC_FIELDS, IncidentDocument
from scenarios.evidence import Evidence
from scenarios.forms import FORMS, Surroundings, Variant
from scenarios.incident import (
    Account,
    Certificate,
    Explanation,
    Item,
    Known,
    Pace,
    Truth,
    know_by_certificates,
    pace_by_certificates,
)
from scenarios.library import load_runbook_catalogue
from scenarios.planned import PlannedCourse
from scenarios.progress import UNTOUCHED, Condition, Harm, Plan, PlanStep, Progress
from scenarios.vocabulary import DIAGNOSTICS, FLAG, RUNBOOK_STEP, TASKS, acts_on

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from scenarios.evidence import Evidence
    from scenarios.vocabulary import Diagnostic, Task, TaskId


class AuthoredIncident:
    """An incident loaded from a document. Evidence is rendered when first asked for and kept."""

    proved = True

    def __init__(self, document: IncidentDocument, digest: str) -> None:
        self.document = document
        self.digest = digest
        self._variants: dict[Item, tuple[tuple[Condition, Evidence], ...]] = {}
        self._certificates: dict[TaskId, tuple[Certificate, ...]] = {}

    @property
    def id(self) -> str:
        return self.document.incident

    @property
    def scenarios(self) -> dict[TaskId, str]:
        return self.document.scenarios

    @property
    def summary(self) -> str:
        return self.document.summary

    @cached_property
    def alert(self) -> dict[str, Any]:
        return self.document.alert.model_dump()

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted(self.document.services))

    @cached_property
    def flags(self) -> frozenset[str]:
        """Every feature flag that a status shows at first, or that the plan disables."""
        shown = {flag for own in self.document.services.values() for flag in own.status[-1].flags}
        return frozenset(shown | {step.target for step in self.plan.steps if acts_on(step.action, FLAG)})

    @cached_property
    def truth(self) -> Truth:
        truth = self.document.truth
        return Truth(
            severity=truth.severity,
            service=truth.service,
            concepts=tuple(tuple(group) for group in truth.failure_mode.concepts),
            families=frozenset(truth.failure_mode.families),
            answer=truth.failure_mode.answer,
            spread=tuple((service, to) for service, suffering in truth.spread.items() for to in suffering),
        )

    accounted = True

    @property
    def account(self) -> Account:
        return Account(tuple(self.document.truth.chain))

    @cached_property
    def plan(self) -> Plan:
        return Plan(
            stages=tuple(tuple(read_plan_step(text) for text in stage) for stage in self.document.plan),
            harms=tuple(
                Harm(name, harm.on, Condition.parse(harm.when), harm.means)
                for name, harm in self.document.harms.items()
            ),
        )

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        if task not in self._certificates:
            self._certificates[task] = _expand_certificates(self, flags=TASKS[task].asks_repair)
        return self._certificates[task]

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        return know_by_certificates(self.certificates(task), seen)

    def explain(self, *_: object) -> tuple[Explanation, ...]:
        return ()

    def pace(self, task: Task) -> Pace:
        return pace_by_certificates(self, task)

    def evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
        states = self.states(diagnostic, service)
        return next(evidence for condition, evidence in states if condition.is_met(progress))

    def begin(self) -> PlannedCourse:
        return PlannedCourse(self)

    def states(self, diagnostic: str, service: str) -> tuple[tuple[Condition, Evidence], ...]:
        """Every state of a piece of evidence with its condition, in the order in which they are tried."""
        item = (diagnostic, service)
        states = self._variants.get(item)
        if states is None:
            states = self._variants[item] = tuple(self._states(*item))
        return states

    def _states(self, diagnostic: str, service: str) -> Iterator[tuple[Condition, Evidence]]:
        declaration = DIAGNOSTICS[diagnostic]
        variants: list[Variant] = getattr(self.document.services[service], declaration.field)
        for variant in variants:
            yield Condition.parse(variant.when), self._read(declaration, service, variant, variants[-1])

    def _read(self, diagnostic: Diagnostic, service: str, variant: Variant, last: Variant) -> Evidence:
        own = self.document.services[service]
        callees, callers = self.document.paths_of(service)
        around = Surroundings(
            service, variant.at or self.document.now, own.about, own.team, own.printed, last, callees, callers
        )
        return FORMS[diagnostic].read(variant, around)


def read_plan_step(text: str) -> PlanStep:
    """Read a plan step such as `restart_service api` or `scale_service api 6..12`."""
    action, target, *bounds = text.split()
    low, _, high = bounds[0].partition("..") if bounds else ("", "", "")
    entry = load_runbook_catalogue().get(target) if acts_on(action, RUNBOOK_STEP) else None
    return PlanStep(
        action=action,
        target=target,
        verify=entry is not None and entry.verify,
        replicas=(int(low), int(high)) if bounds else None,
    )


def read_item(name: str) -> Item:
    """Read an evidence name such as `postgres-db/logs`."""
    service, _, field = name.partition("/")
    return DIAGNOSTIC_FIELDS[field], service


def _expand_certificates(incident: AuthoredIncident, *, flags: bool) -> tuple[Certificate, ...]:
    """All inclusion-minimal certificates; with `flags`, each holds a source of every flag that the plan disables."""
    expanded = {
        frozenset(read_item(name) for name in choice)
        for alternatives in incident.document.certificates
        for choice in itertools.product(*alternatives)
    }
    if flags:
        for step in incident.plan.steps:
            if acts_on(step.action, FLAG):
                sources = find_flag_sources(incident, step.target)
                expanded = {
                    certificate if certificate & sources else certificate | {source}
                    for certificate in expanded
                    for source in sources
                }
    minimal = [choice for choice in expanded if not any(other < choice for other in expanded)]
    return tuple(sorted(minimal, key=lambda certificate: (len(certificate), sorted(certificate))))


def find_flag_sources(incident: AuthoredIncident, flag: str) -> frozenset[Item]:
    """The evidence that shows a flag's name before anything has been done."""
    return frozenset(
        (diagnostic, service)
        for service in incident.services
        for diagnostic in DIAGNOSTIC_FIELDS.values()
        if flag in incident.evidence(diagnostic, service, UNTOUCHED).text
    )
