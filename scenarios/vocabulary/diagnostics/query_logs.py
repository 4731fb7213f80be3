"""query_logs: the recent log lines of one service."""

from __future__ import annotations

from pydantic import Field

from scenarios.evidence import Evidence, Line
from scenarios.vocabulary.action import Diagnostic
from scenarios.vocabulary.parameters import OnService


class Logs(Evidence):
    """Log lines as the service prints them, oldest first."""

    window_minutes: int = Field(ge=1)
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        return f"{self.service} · logs · last {self.window_minutes} min to {self.as_of} · {len(self.lines)} lines"

    def body(self) -> str:
        return "\n".join(self.lines) if self.lines else "(no log lines in this window)"


QUERY_LOGS = Diagnostic(
    name="query_logs",
    title="Query logs",
    description="Show the recent log lines of one service, as the service prints them.",
    parameters=OnService,
    evidence=Logs,
    field="logs",
)
