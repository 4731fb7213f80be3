"""check_recent_deploys: the recent changes of one service."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from scenarios.evidence import Evidence, Moment
from scenarios.vocabulary.action import Diagnostic
from scenarios.vocabulary.parameters import OnService

ChangeKind = Literal["deploy", "config", "flag", "migration", "rollback", "infra"]


class Change(BaseModel):
    """One entry of a deploy history."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Moment
    kind: ChangeKind = "deploy"
    version: str = Field(min_length=1, description="Version, configuration revision or flag state.")
    by: str = Field(min_length=1, description="The author's team.")
    note: str = Field(min_length=1, description="Change note, as its author wrote it.")


class Deploys(Evidence):
    """Recent changes, newest first."""

    history: tuple[Change, ...]

    @property
    def heading(self) -> str:
        return f"{self.service} · recent changes · as of {self.as_of} · newest first"

    def body(self) -> str:
        if not self.history:
            return "(no changes in the last 14 days)"
        return "\n".join(
            f"{change.at}  {change.kind}  {change.version}  by {change.by}\n    {change.note}"
            for change in self.history
        )


CHECK_RECENT_DEPLOYS = Diagnostic(
    name="check_recent_deploys",
    title="Check recent deploys",
    description="Show the recent deploys, configuration changes and flag changes of one service, with times and change "
    "notes.",
    parameters=OnService,
    evidence=Deploys,
    field="deploys",
)
