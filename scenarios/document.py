"""Authored incidents: one YAML document each, validated on load with errors that name file, line, field and reason."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from scenarios.actions import NAME_LIMIT, VOCABULARY, Kind, Severity
from scenarios.evidence import (
    CallPath,
    Change,
    Dependencies,
    Deploys,
    Evidence,
    Logs,
    Metrics,
    Moment,
    Series,
    Status,
)
from scenarios.incident import Certificate, Item, Truth
from scenarios.library import failure_families, runbook_catalogue
from scenarios.progress import UNTOUCHED, Condition, Harm, Plan, PlanStep, Progress
from scenarios.tasks import TaskId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=NAME_LIMIT)]
ScenarioId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*-[A-Z0-9-]+$", max_length=NAME_LIMIT)]
StepText = Annotated[str, StringConstraints(pattern=r"^[a-z_]+ [a-z0-9_-]+( \d+\.\.\d+)?$")]
"""A plan step: action and target, and for `scale_service` the range of replicas: `scale_service api 6..12`."""

DIAGNOSTIC_FIELDS = {
    "logs": "query_logs",
    "metrics": "check_metrics",
    "dependencies": "check_dependencies",
    "deploys": "check_recent_deploys",
    "status": "check_service_status",
}
"""The diagnostics as documents name them."""

EvidenceName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*/(logs|metrics|dependencies|deploys|status)$")
]
"""A piece of evidence as certificates name it: `postgres-db/logs`."""

_HEALTH_DETAIL = re.compile(r"^(healthy|degraded|failing|down|unknown)(?:: (.+))?$", re.DOTALL)
HealthText = Annotated[str, StringConstraints(pattern=r"^(healthy|degraded|failing|down|unknown)(: .+)?$")]
"""A health word and optionally what is seen on the calls: `failing: 92 % of calls refused`."""


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Variant(_Model):
    """One state of a piece of evidence. The first variant whose `when` is met is shown; the last has no `when`."""

    when: Annotated[list[str], BeforeValidator(_as_list)] = Field(
        default_factory=list,
        description="Plan steps done and harms caused that must all hold; a leading ! means it must not hold.",
    )
    at: Moment | None = Field(default=None, description="Time of this state; the document's `now` unless given.")


class LogsVariant(Variant):
    lines: str = Field(description="Log lines, oldest first, as a block scalar.")
    window_minutes: int = Field(default=15, ge=1)


class MetricsVariant(Variant):
    series: list[Series] = Field(min_length=1)
    step_minutes: int = Field(default=2, ge=1)


class DependenciesVariant(Variant):
    calls: dict[ServiceName, HealthText] = Field(
        default_factory=dict, description="Health of the paths this service calls; those left out are healthy."
    )
    called_by: dict[ServiceName, HealthText] = Field(
        default_factory=dict, description="Health of the paths that call this service; those left out are healthy."
    )


class DeploysVariant(Variant):
    history: list[Change] = Field(default_factory=list, description="Newest first.")


class StatusVariant(Variant):
    state: str = Field(min_length=1)
    replicas: str = Field(min_length=1, description="Ready and desired, such as 3/3.")
    version: str = Field(min_length=1)
    uptime: str = Field(min_length=1)
    restarts: str = Field(default="0 in 24 h", min_length=1)
    flags: dict[str, str] = Field(default_factory=dict)
    runbooks: list[str] = Field(default_factory=list, description="Catalogue steps that the owner lists.")
    notes: list[str] = Field(default_factory=list)


class ServiceDocument(_Model):
    """One service: what it is, what it calls, and what the five diagnostics show of it."""

    about: str = Field(min_length=1)
    team: str = Field(min_length=1)
    calls: list[ServiceName] = Field(default_factory=list)
    logs: Annotated[list[LogsVariant], BeforeValidator(_as_list)] = Field(min_length=1)
    metrics: Annotated[list[MetricsVariant], BeforeValidator(_as_list)] = Field(min_length=1)
    dependencies: Annotated[list[DependenciesVariant], BeforeValidator(_as_list)] = Field(min_length=1)
    deploys: Annotated[list[DeploysVariant], BeforeValidator(_as_list)] = Field(min_length=1)
    status: Annotated[list[StatusVariant], BeforeValidator(_as_list)] = Field(min_length=1)


class AlertDocument(_Model):
    name: str = Field(min_length=1)
    severity: str = Field(min_length=1, description="The rule's own label; it says nothing about the true severity.")
    fired_at: Moment
    summary: str = Field(min_length=1)
    description: str = Field(min_length=1)
    symptoms: list[str] = Field(min_length=1)
    affected_services: list[ServiceName] = Field(min_length=1)
    labels: dict[str, str] = Field(default_factory=dict)


class FailureModeDocument(_Model):
    concepts: list[Annotated[list[str], Field(min_length=1)]] = Field(
        min_length=1, description="Groups of synonyms; each group is one idea that a right answer affirms."
    )
    families: list[str] = Field(
        min_length=1, description="Failure families of the cause and of its declared consequences."
    )


class TruthDocument(_Model):
    severity: Severity
    service: ServiceName
    failure_mode: FailureModeDocument
    chain: list[str] = Field(min_length=2, description="The causal chain, one sentence each, for the debrief.")
    unnamed_in: list[Annotated[str, StringConstraints(pattern=f"^({'|'.join(DIAGNOSTIC_FIELDS)})$")]] = Field(
        default_factory=list, description="Diagnostics in which no other service may name the root cause."
    )


class HarmDocument(_Model):
    on: StepText
    when: Annotated[list[str], BeforeValidator(_as_list)] = Field(default_factory=list)
    means: str = Field(min_length=1, description="What the attempt did, for the debrief.")


class IncidentDocument(_Model):
    """An incident as its author writes it."""

    incident: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=NAME_LIMIT)]
    scenarios: dict[TaskId, ScenarioId] = Field(min_length=1, description="Scenario id per task set on this incident.")
    now: Moment
    summary: str = Field(min_length=1, description="What on-call is told; no hint of the root cause.")
    alert: AlertDocument
    truth: TruthDocument
    plan: list[Annotated[list[StepText], BeforeValidator(_as_list)]] = Field(
        default_factory=list, description="Stages in order; a list inside holds steps that commute."
    )
    harms: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], HarmDocument] = Field(
        default_factory=dict
    )
    certificates: list[list[Annotated[list[EvidenceName], BeforeValidator(_as_list)]]] = Field(
        min_length=1,
        description="Sets of evidence from which the cause follows; a list inside holds items that serve alike.",
    )
    services: dict[ServiceName, ServiceDocument] = Field(min_length=2)


class DocumentError(ValueError):
    """A document that cannot be used. The message has one line per problem: `file:line: field: reason`."""


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
        return self.document.summary.strip()

    @cached_property
    def alert(self) -> dict[str, Any]:
        return self.document.alert.model_dump()

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted(self.document.services))

    @cached_property
    def truth(self) -> Truth:
        truth = self.document.truth
        return Truth(
            severity=truth.severity,
            service=truth.service,
            concepts=tuple(tuple(group) for group in truth.failure_mode.concepts),
            families=frozenset(truth.failure_mode.families),
            chain=tuple(truth.chain),
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
        item = (diagnostic, service)
        variants = self._variants.get(item)
        if variants is None:
            variants = self._variants[item] = tuple(self._states(*item))
        return next(evidence for condition, evidence in variants if condition.met(progress))

    def _states(self, diagnostic: str, service: str) -> Iterator[tuple[Condition, Evidence]]:
        field = next(field for field, name in DIAGNOSTIC_FIELDS.items() if name == diagnostic)
        variants: list[Variant] = getattr(self.document.services[service], field)
        for variant in variants:
            yield Condition.parse(variant.when), self._state(service, variant)

    def _state(self, service: str, variant: Variant) -> Evidence:
        as_of = variant.at or self.document.now
        own = self.document.services[service]
        match variant:
            case LogsVariant():
                lines = tuple(line.rstrip() for line in variant.lines.strip("\n").splitlines() if line.strip())
                return Logs(service=service, as_of=as_of, window_minutes=variant.window_minutes, lines=lines)
            case MetricsVariant():
                return Metrics(
                    service=service, as_of=as_of, step_minutes=variant.step_minutes, series=tuple(variant.series)
                )
            case DependenciesVariant():
                callers = [name for name, other in self.document.services.items() if service in other.calls]
                return Dependencies(
                    service=service,
                    as_of=as_of,
                    calls=_paths(own.calls, variant.calls),
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


# --- YAML ---------------------------------------------------------------------------------------------------------


class _CoreLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as YAML 1.2 reads it: `on`, `no` and `14:02` are text. Repeated keys are errors."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"repeated key {key.value!r}", key.start_mark)
                seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", "~n\0"),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    _CoreLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def load_document(path: Path) -> AuthoredIncident:
    """Load and validate one document.

    Raises:
        DocumentError: if the file is not YAML, does not have the shape of an incident, or contradicts itself.
    """
    text = path.read_text("utf-8")
    try:
        content = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DocumentError(f"{path}:{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    try:
        document = IncidentDocument.model_validate(content)
    except ValidationError as error:
        lines = _Lines(text)
        problems = [(tuple(one["loc"]), one["msg"]) for one in error.errors(include_url=False)]
        raise DocumentError(lines.report(path, problems)) from error
    problems = list(_contradictions(document))
    if problems:
        raise DocumentError(_Lines(text).report(path, problems))
    canonical = json.dumps(document.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return AuthoredIncident(document, hashlib.sha256(canonical.encode()).hexdigest())


Location = tuple[int | str, ...]


class _Lines:
    """Finds the line of a field."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=_CoreLoader)

    def report(self, path: Path, problems: list[tuple[Location, str]]) -> str:
        rows = [
            (self._line(where), ".".join(str(part) for part in where) or "document", reason)
            for where, reason in problems
        ]
        return "\n".join(f"{path}:{line}: {field}: {reason}" for line, field, reason in sorted(rows))

    def _line(self, where: Location) -> int:
        node, line = self._root, 1
        for part in where:
            child = _child(node, part)
            if child is None:
                break
            node, line = child
        return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    if isinstance(node, yaml.MappingNode) and part == 0:
        return node, node.start_mark.line + 1  # a lone variant, written without its list
    return None


def _contradictions(document: IncidentDocument) -> Iterator[tuple[Location, str]]:
    """What the schema cannot say: names that point at nothing, conditions that can never hold."""
    yield from _unknown_services(document)
    yield from _plan_problems(document)
    tokens = {step.split(" ")[0] + " " + step.split(" ")[1] for stage in document.plan for step in stage}
    tokens |= set(document.harms)
    for name, harm in document.harms.items():
        yield from _condition_problems(("harms", name, "when"), harm.when, tokens)
    for service, own in document.services.items():
        for field in DIAGNOSTIC_FIELDS:
            variants: list[Variant] = getattr(own, field)
            for index, variant in enumerate(variants):
                where = ("services", service, field, index)
                yield from _condition_problems((*where, "when"), variant.when, tokens)
                if not variant.when and index < len(variants) - 1:
                    yield where, "hides the variants after it: only the last may have no `when`"
            if variants[-1].when:
                yield ("services", service, field), "the last variant must have no `when`"
    for index, family in enumerate(document.truth.failure_mode.families):
        if family not in failure_families():
            yield (
                ("truth", "failure_mode", "families", index),
                f"unknown family {family!r}; known: {', '.join(failure_families())}",
            )


def _condition_problems(where: Location, tokens: list[str], known: set[str]) -> Iterator[tuple[Location, str]]:
    for token in tokens:
        if token.removeprefix("!").strip() not in known:
            yield where, f"{token!r} is neither a plan step nor a harm; known: {', '.join(sorted(known)) or 'none'}"


def _unknown_services(document: IncidentDocument) -> Iterator[tuple[Location, str]]:
    known = document.services
    for index, service in enumerate(document.alert.affected_services):
        if service not in known:
            yield ("alert", "affected_services", index), f"unknown service {service!r}"
    if document.truth.service not in known:
        yield ("truth", "service"), f"unknown service {document.truth.service!r}"
    for number, certificate in enumerate(document.certificates):
        for index, alternatives in enumerate(certificate):
            for name in alternatives:
                if name.partition("/")[0] not in known:
                    yield ("certificates", number, index), f"unknown service in {name!r}"
    for service, own in known.items():
        for index, callee in enumerate(own.calls):
            if callee not in known:
                yield ("services", service, "calls", index), f"unknown service {callee!r}"
        callers = {name for name, other in known.items() if service in other.calls}
        for number, variant in enumerate(own.dependencies):
            where = ("services", service, "dependencies", number)
            for name in set(variant.calls) - set(own.calls):
                yield (*where, "calls", name), f"{service} does not call {name!r} (see its `calls`)"
            for name in set(variant.called_by) - callers:
                yield (*where, "called_by", name), f"{name!r} does not call {service} (see its `calls`)"


def _plan_problems(document: IncidentDocument) -> Iterator[tuple[Location, str]]:
    seen: set[str] = set()
    for number, stage in enumerate(document.plan):
        for index, text in enumerate(stage):
            yield from _step_problems(document, ("plan", number, index), text)
            step = plan_step(text).step
            if step in seen:
                yield ("plan", number, index), f"{step!r} stands in the plan twice"
            seen.add(step)
    for name, harm in document.harms.items():
        yield from _step_problems(document, ("harms", name, "on"), harm.on)


def _step_problems(document: IncidentDocument, where: Location, text: str) -> Iterator[tuple[Location, str]]:
    action, target, *bounds = text.split()
    spec = VOCABULARY.get(action)
    if spec is None or spec.kind is not Kind.REMEDIATION:
        yield where, f"{action!r} is not a remediation"
    elif spec.target == "service" and target not in document.services:
        yield where, f"unknown service {target!r}"
    elif spec.target == "runbook_action" and target not in runbook_catalogue():
        yield where, f"{target!r} is not in the runbook catalogue"
    if bounds and action != "scale_service":
        yield where, "only scale_service takes a range of replicas"
