"""The shape of an authored incident: the fields of its YAML document, as editors and validation know them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from scenarios.evidence import Moment
from scenarios.forms import (
    DependenciesVariant,
    DeploysVariant,
    Form,
    LogsVariant,
    MetricsVariant,
    ServiceName,
    StatusVariant,
    as_list,
)
from scenarios.vocabulary import DIAGNOSTICS, NAME_LIMIT, AttachmentError, Severity, TaskId

ScenarioId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*-[A-Z0-9-]+$", max_length=NAME_LIMIT)]
StepText = Annotated[str, StringConstraints(pattern=r"^[a-z_]+ [a-z0-9_-]+( \d+\.\.\d+)?$")]
"""A plan step: action and target, and for `scale_service` the range of replicas: `scale_service api 6..12`."""

DIAGNOSTIC_FIELDS = {diagnostic.field: diagnostic.name for diagnostic in DIAGNOSTICS.values()}
"""The diagnostics as documents name them."""

Prose = Annotated[str, StringConstraints(min_length=1), AfterValidator(lambda text: _LONE_BREAK.sub(" ", text.strip()))]
"""Text for people: single line breaks are spaces, empty lines part paragraphs."""

EvidenceName = Annotated[str, StringConstraints(pattern=rf"^[a-z][a-z0-9-]*/({'|'.join(DIAGNOSTIC_FIELDS)})$")]
"""A piece of evidence as certificates name it: `postgres-db/logs`."""

_LONE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")


class ServiceDocument(Form):
    """One service: what it is, what it calls, and what the diagnostics show of it."""

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
    logs: Annotated[list[LogsVariant], BeforeValidator(as_list)] = Field(min_length=1)
    metrics: Annotated[list[MetricsVariant], BeforeValidator(as_list)] = Field(min_length=1)
    dependencies: Annotated[list[DependenciesVariant], BeforeValidator(as_list)] = Field(min_length=1)
    deploys: Annotated[list[DeploysVariant], BeforeValidator(as_list)] = Field(min_length=1)
    status: Annotated[list[StatusVariant], BeforeValidator(as_list)] = Field(min_length=1)


if missing := DIAGNOSTIC_FIELDS.keys() - ServiceDocument.model_fields.keys():
    raise AttachmentError(f"documents have no field for {', '.join(sorted(missing))}")


class AlertDocument(Form):
    name: str = Field(min_length=1)
    severity: str = Field(min_length=1, description="The rule's own label; it says nothing about the true severity.")
    fired_at: Moment
    summary: str = Field(min_length=1)
    description: Prose
    symptoms: list[str] = Field(min_length=1)
    affected_services: list[ServiceName] = Field(min_length=1)
    labels: dict[str, str] = Field(default_factory=dict)


class FailureModeDocument(Form):
    answer: str = Field(default="", description="A good answer in a sentence; made of the concepts if not given.")
    concepts: list[Annotated[list[str], Field(min_length=1)]] = Field(
        min_length=1, description="Groups of synonyms; each group is one idea that a right answer affirms."
    )
    families: list[str] = Field(
        min_length=1, description="Failure families of the cause and of its declared consequences."
    )


class TruthDocument(Form):
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


class HarmDocument(Form):
    on: StepText
    when: Annotated[list[str], BeforeValidator(as_list)] = Field(default_factory=list)
    means: Prose = Field(description="What the attempt did, for the debrief.")


class IncidentDocument(Form):
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
    plan: list[Annotated[list[StepText], BeforeValidator(as_list)]] = Field(
        default_factory=list, description="Stages in order; a list inside holds steps that commute."
    )
    harms: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], HarmDocument] = Field(
        default_factory=dict
    )
    certificates: list[list[Annotated[list[EvidenceName], BeforeValidator(as_list)]]] = Field(
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
