"""An incident made from a document: evidence chosen by progress, certificates expanded."""

from __future__ import annotations

import itertools
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scenarios.document import (
    DIAGNOSTIC_FIELDS,
    DependenciesVariant,
    DeploysVariant,
    IncidentDocument,
    LogsVariant,
    MetricsVariant,
    SeriesDocument,
    StatusVariant,
    Variant,
    line_numbers,
    log_lines,
)
from scenarios.evidence import CallPath, Dependencies, Deploys, Evidence, Logs, Metrics, Series, Status
from scenarios.incident import Certificate, Item, Truth
from scenarios.library import runbook_catalogue
from scenarios.progress import UNTOUCHED, Condition, Harm, Plan, PlanStep, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.tasks import TaskId

_HEALTH_DETAIL = re.compile(r"^(healthy|degraded|failing|down|unknown)(?:: (.+))?$", re.DOTALL)
_DOCUMENT_FIELDS = {diagnostic: field for field, diagnostic in DIAGNOSTIC_FIELDS.items()}


class AuthoredIncident:
    """An incident loaded from a document. Evidence is rendered when first asked for and kept."""

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
        return frozenset(shown | {step.target for step in self.plan.steps if step.action == "disable_feature_flag"})

    @cached_property
    def truth(self) -> Truth:
        truth = self.document.truth
        return Truth(
            severity=truth.severity,
            service=truth.service,
            concepts=tuple(tuple(group) for group in truth.failure_mode.concepts),
            families=frozenset(truth.failure_mode.families),
            chain=tuple(truth.chain),
            answer=truth.failure_mode.answer,
            spread=tuple((service, to) for service, suffering in truth.spread.items() for to in suffering),
        )

    @cached_property
    def plan(self) -> Plan:
        return Plan(
            stages=tuple(tuple(plan_step(text) for text in stage) for stage in self.document.plan),
            harms=tuple(
                Harm(name, harm.on, Condition.parse(harm.when), harm.means)
                for name, harm in self.document.harms.items()
            ),
        )

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        if task not in self._certificates:
            self._certificates[task] = _certificates(self, flags=task == "remediation_planning")
        return self._certificates[task]

    def evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
        states = self.states(diagnostic, service)
        return next(evidence for condition, evidence in states if condition.met(progress))

    def states(self, diagnostic: str, service: str) -> tuple[tuple[Condition, Evidence], ...]:
        """Every state of a piece of evidence with its condition, in the order in which they are tried."""
        item = (diagnostic, service)
        states = self._variants.get(item)
        if states is None:
            states = self._variants[item] = tuple(self._states(*item))
        return states

    def _states(self, diagnostic: str, service: str) -> Iterator[tuple[Condition, Evidence]]:
        variants: list[Variant] = getattr(self.document.services[service], _DOCUMENT_FIELDS[diagnostic])
        for variant in variants:
            yield Condition.parse(variant.when), self._state(service, variant)

    def _state(self, service: str, variant: Variant) -> Evidence:
        as_of = variant.at or self.document.now
        own = self.document.services[service]
        match variant:
            case LogsVariant():
                lines = log_lines(variant.lines if variant.shows is None else own.printed)
                if variant.shows is not None:
                    lines = tuple(lines[number - 1] for number in line_numbers(variant.shows))
                return Logs(service=service, as_of=as_of, window_minutes=variant.window_minutes, lines=lines)
            case MetricsVariant():
                series = tuple(_series(one, own.metrics[-1]) for one in variant.series)
                return Metrics(service=service, as_of=as_of, step_minutes=variant.step_minutes, series=series)
            case DependenciesVariant():
                callees, callers = self.document.paths_of(service)
                return Dependencies(
                    service=service,
                    as_of=as_of,
                    calls=_paths(callees, variant.calls),
                    called_by=_paths(callers, variant.called_by),
                )
            case DeploysVariant():
                return Deploys(service=service, as_of=as_of, history=tuple(variant.history))
            case StatusVariant():
                return Status(
                    service=service,
                    as_of=as_of,
                    team=own.team,
                    about=own.about,
                    flags=tuple(variant.flags.items()),
                    runbooks=tuple(variant.runbooks),
                    notes=tuple(variant.notes),
                    **variant.model_dump(include={"state", "replicas", "version", "uptime", "restarts"}),
                )
            case _:
                raise TypeError(f"no evidence for {type(variant).__name__}")


def _series(one: SeriesDocument, last: MetricsVariant) -> Series:
    """A metric with the unit and the normal value that it has in the last state, where it gives none."""
    there = next((other for other in last.series if other.name == one.name), one)
    told = {"unit": there.unit, "normal": there.normal} | one.model_dump(exclude_none=True)
    return Series.model_validate(told)


def _paths(services: list[str], health: dict[str, str]) -> tuple[CallPath, ...]:
    paths = []
    for service in sorted(services):
        match = _HEALTH_DETAIL.match(health.get(service, "healthy"))
        if match:
            paths.append(CallPath.model_validate({"service": service, "health": match[1], "detail": match[2] or ""}))
    return tuple(paths)


def plan_step(text: str) -> PlanStep:
    """Read a plan step such as `restart_service api` or `scale_service api 6..12`."""
    action, target, *bounds = text.split()
    low, _, high = bounds[0].partition("..") if bounds else ("", "", "")
    entry = runbook_catalogue().get(target) if action == "execute_runbook_step" else None
    return PlanStep(
        action=action,
        target=target,
        verify=entry is not None and entry.verify,
        replicas=(int(low), int(high)) if bounds else None,
    )


def item_of(name: str) -> Item:
    """Read an evidence name such as `postgres-db/logs`."""
    service, _, field = name.partition("/")
    return DIAGNOSTIC_FIELDS[field], service


def _certificates(incident: AuthoredIncident, *, flags: bool) -> tuple[Certificate, ...]:
    """All inclusion-minimal certificates; with `flags`, each holds a source of every flag that the plan disables."""
    expanded = {
        frozenset(item_of(name) for name in choice)
        for alternatives in incident.document.certificates
        for choice in itertools.product(*alternatives)
    }
    if flags:
        for step in incident.plan.steps:
            if step.action == "disable_feature_flag":
                sources = flag_sources(incident, step.target)
                expanded = {
                    certificate if certificate & sources else certificate | {source}
                    for certificate in expanded
                    for source in sources
                }
    minimal = [one for one in expanded if not any(other < one for other in expanded)]
    return tuple(sorted(minimal, key=lambda one: (len(one), sorted(one))))


def flag_sources(incident: AuthoredIncident, flag: str) -> frozenset[Item]:
    """The evidence that shows a flag's name before anything has been done."""
    return frozenset(
        (diagnostic, service)
        for service in incident.services
        for diagnostic in DIAGNOSTIC_FIELDS.values()
        if flag in incident.evidence(diagnostic, service, UNTOUCHED).text
    )
