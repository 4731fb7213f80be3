"""The document of an incident that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field

from scenarios.shipped import read_yaml
from scenarios.vocabulary import TaskId

if TYPE_CHECKING:
    from pathlib import Path


class RunningDocument(BaseModel):
    """A system and the page about it. Truth and plan are those of the authored incident that it is made `after`, but
    for the `chain` of what happened; a drawn one has its own.

    Somebody is paged within `longest_minutes`. On-call looks for the first time `answered_after` seconds after the
    page. A look takes `look_seconds`. With its cause taken out again, the system is as it was within `returns_minutes`;
    None says that somebody has to mend it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    incident: str
    after: str
    system: str
    scenarios: dict[TaskId, str]
    summary: str
    chain: tuple[str, ...]
    longest_minutes: int = Field(default=240, gt=0)
    answered_after: int = Field(default=120, ge=0)
    look_seconds: int = Field(default=60, gt=0)
    returns_minutes: int | None = Field(default=15, gt=0)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The document that a file in YAML holds."""
        return cls.model_validate(read_yaml(path))
