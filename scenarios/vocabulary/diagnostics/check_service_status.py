"""check_service_status: the state of one service."""

from __future__ import annotations

from scenarios.evidence import Evidence, align_columns
from scenarios.vocabulary.action import Diagnostic
from scenarios.vocabulary.parameters import OnService


class Status(Evidence):
    """The state of the service as its orchestrator and its owner describe it."""

    team: str
    about: str
    state: str
    replicas: str
    version: str
    uptime: str
    restarts: str
    flags: tuple[tuple[str, str], ...] = ()
    runbooks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        return f"{self.service} · status · as of {self.as_of}"

    def body(self) -> str:
        rows = [
            ("about", self.about),
            ("owner", self.team),
            ("state", self.state),
            ("replicas ready", self.replicas),
            ("version", self.version),
            ("uptime", self.uptime),
            ("restarts", self.restarts),
            *(("flag", f"{name} = {value}") for name, value in self.flags),
            *(("runbook", step) for step in self.runbooks),
            *(("note", note) for note in self.notes),
        ]
        return align_columns(rows)


CHECK_SERVICE_STATUS = Diagnostic(
    name="check_service_status",
    title="Check service status",
    description="Show the state of one service: replicas, restarts, version, owner, flags and runbook steps its owner "
    "lists.",
    parameters=OnService,
    evidence=Status,
    field="status",
)
