"""What an action is: its declaration, of one of three kinds, and one parsed use of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from scenarios.vocabulary.target import SERVICE, Target

if TYPE_CHECKING:
    from scenarios.evidence import Evidence
    from scenarios.vocabulary.parameters import Parameters


class Kind(StrEnum):
    """What an action does to an incident: look at it, change it, or submit an answer."""

    DIAGNOSTIC = "diagnostic"
    REMEDIATION = "remediation"
    SUBMISSION = "submission"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDeclaration:
    """One declared action: its name, what surfaces say of it, and its typed parameters."""

    kind: ClassVar[Kind]

    name: str
    title: str
    description: str
    parameters: type[Parameters]

    @property
    def key(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The parameter that says what a use of the action is about."""
        return "service"

    @property
    def read_only(self) -> bool:
        """Whether the action only looks at the incident."""
        return self.kind is Kind.DIAGNOSTIC

    @property
    def destructive(self) -> bool:
        """Whether the action changes running systems."""
        return self.kind is Kind.REMEDIATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic(ActionDeclaration):
    """An action that shows one kind of evidence of one service.

    `field` names that evidence in incident documents, such as `logs` in `postgres-db/logs`.
    """

    kind: ClassVar[Kind] = Kind.DIAGNOSTIC

    evidence: type[Evidence]
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation(ActionDeclaration):
    """An action that changes the system.

    `deed` says in the past tense what was done, with `{target}` for what it was done to.
    """

    kind: ClassVar[Kind] = Kind.REMEDIATION

    deed: str
    target: Target = SERVICE

    @property
    def subject(self) -> str:
        return self.target.parameter

    @property
    def takes_replicas(self) -> bool:
        """Whether it asks for a number of replicas, so that plans give a range."""
        return "replicas" in self.parameters.model_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(ActionDeclaration):
    """An action that answers a task and ends its episode.

    `about` names the parameter that says what the answer is about. `line` is the submission as a timeline tells it,
    with its parameters in braces. `criteria` defines the answers, where there are a few to choose from.
    """

    kind: ClassVar[Kind] = Kind.SUBMISSION

    line: str
    about: str = "service"
    criteria: str = ""

    @property
    def subject(self) -> str:
        return self.about


@dataclass(frozen=True, slots=True)
class Action:
    """One parsed action: its declaration and its validated, normalised parameters."""

    declaration: ActionDeclaration
    parameters: Parameters

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def target(self) -> str:
        """What the action is about: a service, a flag or a runbook step; of a submission what its declaration says."""
        return str(getattr(self.parameters, self.declaration.subject))

    @property
    def step(self) -> str:
        """The action as plans and conditions write it, such as `restart_service api-gateway`."""
        return f"{self.declaration.name} {self.target}"

    def dump(self) -> dict[str, Any]:
        """The action as JSON: `{"action_type": …, "parameters": {…}}`."""
        return {"action_type": self.declaration.name, "parameters": self.parameters.model_dump(exclude_defaults=True)}
