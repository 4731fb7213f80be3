"""The shape of an authored incident: the fields of its YAML document, as editors and validation know them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from scenarios.actions import NAME_LIMIT, Severity
from scenarios.evidence import Change, MetricName, Moment, Samples
from scenarios.tasks import TaskId

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

Prose = Annotated[str, StringConstraints(min_length=1), AfterValidator(lambda text: _LONE_BREAK.sub(" ", text.strip()))]
"""Text for people: single line breaks are spaces, empty lines part paragraphs."""

EvidenceName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*/(logs|metrics|dependencies|deploys|status)$")
]
"""A piece of evidence as certificates name it: `postgres-db/logs`."""

_LONE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")

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


LineNumbers = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(-[1-9]\d*)?( [1-9]\d*(-[1-9]\d*)?)*$")]
"""Lines by their numbers, from 1, single ones and ranges."""


class LogsVariant(Variant):
    lines: str = Field(default="", description="Log lines, oldest first, as a block scalar.")
    shows: LineNumbers | None = Field(
        default=None, description="Instead of `lines`: numbers of lines of `printed`, such as 1-14 17 20-31."
    )
    window_minutes: int = Field(default=15, ge=1)


class SeriesDocument(_Model):
    """One metric. In all but the last state unit and normal value may be left out: they are that state's."""

    name: MetricName
    unit: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="Unit, such as ms, %, req/s, MiB."
    )
    normal: float | None = Field(default=None, description="Usual value at this time of day.")
    recent: Samples


class MetricsVariant(Variant):
    series: list[SeriesDocument] = Field(min_length=1)
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
    consumers: list[ServiceName] = Field(
        default_factory=list,
        description="Of a broker: callers that take messages from it. It lists them beside what it calls itself.",
    )
    printed: str = Field(
        default="", description="Lines that several states of `logs` show, as a block scalar; they are numbered from 1."
    )
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
    description: Prose
    symptoms: list[str] = Field(min_length=1)
    affected_services: list[ServiceName] = Field(min_length=1)
    labels: dict[str, str] = Field(default_factory=dict)


class FailureModeDocument(_Model):
    answer: str = Field(default="", description="A good answer in a sentence; made of the concepts if not given.")
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
    chain: list[Prose] = Field(min_length=2, description="The causal chain, one sentence each, for the debrief.")
    spread: dict[ServiceName, list[ServiceName]] = Field(
        default_factory=dict,
        description="Service in trouble → services that suffer from it, from the root cause to those of the alert.",
    )
    unnamed_in: list[Annotated[str, StringConstraints(pattern=f"^({'|'.join(DIAGNOSTIC_FIELDS)})$")]] = Field(
        default_factory=list, description="Diagnostics in which no other service may name the root cause."
    )


class HarmDocument(_Model):
    on: StepText
    when: Annotated[list[str], BeforeValidator(_as_list)] = Field(default_factory=list)
    means: Prose = Field(description="What the attempt did, for the debrief.")


class IncidentDocument(_Model):
    """An incident as its author writes it."""

    incident: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=NAME_LIMIT)]
    scenarios: dict[TaskId, ScenarioId] = Field(min_length=1, description="Scenario id per task set on this incident.")
    frozen_from: str = Field(
        default="",
        description="The generated incident that this is a frozen export of; that is not asked to mislead every guess.",
    )
    now: Moment
    summary: Prose = Field(description="What on-call is told; no hint of the root cause.")
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

    def paths_of(self, service: str) -> tuple[list[str], list[str]]:
        """The services to which the dependencies of a service show paths: those that it calls, those that call it."""
        own = self.services[service]
        callers = [
            name for name, other in self.services.items() if service in other.calls and name not in own.consumers
        ]
        return [*own.calls, *own.consumers], callers


def log_lines(text: str) -> tuple[str, ...]:
    """The lines of a block; blanks at their ends and empty lines do not count."""
    return tuple(line.rstrip() for line in text.strip("\n").splitlines() if line.strip())


def line_numbers(text: str) -> list[int]:
    """What numbers and ranges of lines come to, one by one."""
    numbers: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
