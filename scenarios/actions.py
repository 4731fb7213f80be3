"""The action vocabulary: every action an agent may take, declared once.

REST and WebSocket messages, MCP tools, schemas and descriptions are all derived from `VOCABULARY`;
an action added to it appears on every surface.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

NAME_LIMIT = 64
FAILURE_MODE_LIMIT = 500
SUMMARY_LIMIT = 4000
REPLICAS_LIMIT = 1_000_000

Severity = Literal["P1", "P2", "P3", "P4"]
SEVERITIES: tuple[Severity, ...] = ("P1", "P2", "P3", "P4")


class Kind(StrEnum):
    """What an action does to an incident: look at it, change it, or answer for it."""

    DIAGNOSTIC = "diagnostic"
    REMEDIATION = "remediation"
    SUBMISSION = "submission"


_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _no_control_characters(value: str, allowed: str = "") -> str:
    for found in _CONTROL_CHARACTER.finditer(value):
        if found[0] not in allowed:
            raise ValueError(f"must not contain control characters (found U+{ord(found[0]):04X})")
    return value


def _name(value: str) -> str:
    return _no_control_characters(value.casefold())


def _prose(value: str) -> str:
    return _no_control_characters(value, allowed="\t\n\r")


def _severity(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _at_most(limit: int) -> BeforeValidator:
    """Bounds a string as it was sent: padding counts."""

    def bounded(value: object) -> object:
        if isinstance(value, str) and len(value) > limit:
            raise ValueError(f"should have at most {limit} characters")
        return value

    return BeforeValidator(bounded)


@dataclass(frozen=True, slots=True)
class _Described:
    """Shows in JSON schemas what a validator asks of a string; pydantic's own `pattern` would word the refusal."""

    pattern: str

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core_schema), "pattern": self.pattern}


_CONTROL = r"\x00-\x1f\x7f-\x9f"
_CONTROL_IN_PROSE = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_NAME_PATTERN = rf"^\s*[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?\s*$"
_OPTIONAL_NAME_PATTERN = rf"^\s*[^{_CONTROL}]*\s*$"
_PROSE_PATTERN = rf"^[^{_CONTROL_IN_PROSE}]*[^\s{_CONTROL}][^{_CONTROL_IN_PROSE}]*$"

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LIMIT),
    AfterValidator(_name),
    _Described(_NAME_PATTERN),
    _at_most(NAME_LIMIT),
]
"""A name of 1 to 64 characters, stripped and casefolded, without control characters."""


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Reads 3.0 as the whole number 3: JSON does not tell them apart."""


class Parameters(BaseModel):
    """The typed parameters of one action. Names are stripped and casefolded here, once, for every surface."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class OnService(Parameters):
    service: Name = Field(description="Exact service name, as listed in known_services.")


class Scale(OnService):
    replicas: Annotated[int, Field(ge=1, le=REPLICAS_LIMIT), WHOLE] = Field(description="Desired number of replicas.")


class Flag(Parameters):
    flag: Name = Field(description="Exact feature flag name, as seen in evidence.")


class Runbook(Parameters):
    runbook_action: Name = Field(description="Name of a step in the organisation's runbook catalogue.")


class SeverityAnswer(Parameters):
    severity: Annotated[Severity, BeforeValidator(_severity)] = Field(
        description="P1 (critical) to P4 (negligible), by the severity matrix."
    )
    service: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=NAME_LIMIT),
        AfterValidator(_name),
        _Described(_OPTIONAL_NAME_PATTERN),
        _at_most(NAME_LIMIT),
    ] = Field(default="", description="Service most affected; optional and not graded.")


class RootCauseAnswer(OnService):
    service: Name = Field(description="Exact name of the service where the incident started.")
    failure_mode: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=FAILURE_MODE_LIMIT),
        AfterValidator(_prose),
        _Described(_PROSE_PATTERN),
        _at_most(FAILURE_MODE_LIMIT),
    ] = Field(description="What failed there and how, in one or two sentences.")


class ResolutionAnswer(Parameters):
    summary: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=SUMMARY_LIMIT),
        AfterValidator(_prose),
        _Described(_PROSE_PATTERN),
        _at_most(SUMMARY_LIMIT),
    ] = Field(
        description="Post-incident summary in three sentences or more: cause, what was done, how recovery was verified."
    )


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One declared action.

    `target` names the parameter that identifies what a diagnostic looks at or a remediation acts on.
    """

    name: str
    title: str
    kind: Kind
    parameters: type[Parameters]
    description: str
    target: str = "service"

    @property
    def read_only(self) -> bool:
        """Whether the action only looks at the incident."""
        return self.kind is Kind.DIAGNOSTIC

    @property
    def destructive(self) -> bool:
        """Whether the action changes running systems."""
        return self.kind is Kind.REMEDIATION


_DIAGNOSTICS = (
    ActionSpec(
        "query_logs",
        "Query logs",
        Kind.DIAGNOSTIC,
        OnService,
        "Show the recent log lines of one service, as the service prints them.",
    ),
    ActionSpec(
        "check_metrics",
        "Check metrics",
        Kind.DIAGNOSTIC,
        OnService,
        "Show the key metrics of one service: unit, normal value, current value and a short recent series.",
    ),
    ActionSpec(
        "check_dependencies",
        "Check dependencies",
        Kind.DIAGNOSTIC,
        OnService,
        "Show what one service calls and what calls it, with the health of each call path.",
    ),
    ActionSpec(
        "check_recent_deploys",
        "Check recent deploys",
        Kind.DIAGNOSTIC,
        OnService,
        "Show the recent deploys, configuration changes and flag changes of one service, with times and change notes.",
    ),
    ActionSpec(
        "check_service_status",
        "Check service status",
        Kind.DIAGNOSTIC,
        OnService,
        "Show the state of one service: replicas, restarts, version, owner, flags and runbook steps its owner lists.",
    ),
)

_REMEDIATIONS = (
    ActionSpec(
        "restart_service",
        "Restart service",
        Kind.REMEDIATION,
        OnService,
        "Restart every instance of one service. A wrong restart costs points; a premature one can make things worse.",
    ),
    ActionSpec(
        "rollback_deploy",
        "Roll back deploy",
        Kind.REMEDIATION,
        OnService,
        "Roll one service back to the release or configuration before its latest change.",
    ),
    ActionSpec(
        "scale_service",
        "Scale service",
        Kind.REMEDIATION,
        Scale,
        "Set the number of replicas of one service.",
    ),
    ActionSpec(
        "disable_feature_flag",
        "Disable feature flag",
        Kind.REMEDIATION,
        Flag,
        "Turn one feature flag off. Flag names are found in evidence: status, deploys, logs.",
        target="flag",
    ),
    ActionSpec(
        "clear_cache",
        "Clear cache",
        Kind.REMEDIATION,
        OnService,
        "Empty the cache of one service.",
    ),
    ActionSpec(
        "execute_runbook_step",
        "Execute runbook step",
        Kind.REMEDIATION,
        Runbook,
        "Execute one step of the runbook catalogue: a repair, or a verification once repairs are done.",
        target="runbook_action",
    ),
)

_SUBMISSIONS = (
    ActionSpec(
        "submit_severity",
        "Submit severity",
        Kind.SUBMISSION,
        SeverityAnswer,
        "Classify the alert and end the incident. Only for alert_classification.",
    ),
    ActionSpec(
        "submit_root_cause",
        "Submit root cause",
        Kind.SUBMISSION,
        RootCauseAnswer,
        "Name the root-cause service and its failure mode and end the incident. Only for root_cause_analysis.",
    ),
    ActionSpec(
        "submit_resolution",
        "Submit resolution",
        Kind.SUBMISSION,
        ResolutionAnswer,
        "Hand in the post-incident summary and end the incident. Only for remediation_planning.",
        target="summary",
    ),
)

VOCABULARY: dict[str, ActionSpec] = {spec.name: spec for spec in (*_DIAGNOSTICS, *_REMEDIATIONS, *_SUBMISSIONS)}
"""Every action by name, in the order in which surfaces list them."""


@dataclass(frozen=True, slots=True)
class Action:
    """One parsed action: its declaration and its validated, normalised parameters."""

    spec: ActionSpec
    parameters: Parameters

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> Kind:
        return self.spec.kind

    @property
    def target(self) -> str:
        """What the action is about: a service, a flag or a runbook step. Empty for submissions without a service."""
        return str(getattr(self.parameters, self.spec.target))

    @property
    def step(self) -> str:
        """The action as plans and conditions write it, such as `restart_service api-gateway`."""
        return f"{self.spec.name} {self.target}"

    def dump(self) -> dict[str, Any]:
        """The action as JSON: `{"action_type": …, "parameters": {…}}`."""
        return {"action_type": self.spec.name, "parameters": self.parameters.model_dump(exclude_defaults=True)}


def actions_of(kind: Kind) -> list[str]:
    """The names of all actions of a kind, in declared order."""
    return [spec.name for spec in VOCABULARY.values() if spec.kind is kind]
