"""check_dependencies: what one service calls, what calls it, and how those calls fare."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from scenarios.evidence import Evidence
from scenarios.vocabulary.action import Diagnostic
from scenarios.vocabulary.parameters import OnService

Health = Literal["healthy", "degraded", "failing", "down", "unknown"]


class CallPath(BaseModel):
    """The health of the calls between the service asked about and one other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    health: Health
    detail: str = ""


class Dependencies(Evidence):
    """What the service calls and what calls it."""

    calls: tuple[CallPath, ...]
    called_by: tuple[CallPath, ...]

    @property
    def heading(self) -> str:
        return f"{self.service} · dependencies · as of {self.as_of}"

    def body(self) -> str:
        return f"calls\n{_format_paths(self.calls)}\ncalled by\n{_format_paths(self.called_by)}"


def _format_paths(paths: tuple[CallPath, ...]) -> str:
    if not paths:
        return "  (nothing)"
    width = max(len(path.service) for path in paths)
    return "\n".join(
        f"  {path.service.ljust(width)}  {path.health}{f' · {path.detail}' if path.detail else ''}" for path in paths
    )


CHECK_DEPENDENCIES = Diagnostic(
    name="check_dependencies",
    title="Check dependencies",
    description="Show what one service calls and what calls it, with the health of each call path.",
    parameters=OnService,
    evidence=Dependencies,
    field="dependencies",
)
