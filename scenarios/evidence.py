"""Evidence: what the five diagnostics show, typed, each with exactly one text rendering."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

if TYPE_CHECKING:
    from collections.abc import Sequence

Line = Annotated[str, StringConstraints(min_length=1)]
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z$")]
"""A UTC time such as `2026-03-03T14:02Z`."""

ChangeKind = Literal["deploy", "config", "flag", "migration", "rollback", "infra"]
Health = Literal["healthy", "degraded", "failing", "down", "unknown"]


class Evidence(BaseModel, ABC):
    """What one diagnostic shows of one service, as of one moment. `text` is its only rendering."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    diagnostic: ClassVar[str]
    service: str
    as_of: Moment

    @cached_property
    def text(self) -> str:
        return f"{self.heading}\n{self.body()}"

    @property
    @abstractmethod
    def heading(self) -> str:
        """The first line of the text: service, diagnostic and time."""

    @abstractmethod
    def body(self) -> str:
        """The text below the heading."""


class Logs(Evidence):
    """Log lines as the service prints them, oldest first."""

    diagnostic: ClassVar[str] = "query_logs"
    window_minutes: int = Field(ge=1)
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        return f"{self.service} · logs · last {self.window_minutes} min to {self.as_of} · {len(self.lines)} lines"

    def body(self) -> str:
        return "\n".join(self.lines) if self.lines else "(no log lines in this window)"


MetricName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-zA-Z0-9_.:]*(\{[^}]*\})?$"),
    Field(description="Metric name, labels in braces."),
]
Samples = Annotated[tuple[float, ...], Field(min_length=3, max_length=12, description="Recent samples, oldest first.")]


class Series(BaseModel):
    """One metric: its unit, its normal value and recent samples, oldest first; the last is the current value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: MetricName
    unit: str = Field(min_length=1, description="Unit, such as ms, %, req/s, MiB.")
    normal: float = Field(description="Usual value at this time of day.")
    recent: Samples


class Metrics(Evidence):
    """Key metrics with normal values and a short recent series."""

    diagnostic: ClassVar[str] = "check_metrics"
    step_minutes: int = Field(ge=1)
    series: tuple[Series, ...] = Field(min_length=1)

    @property
    def heading(self) -> str:
        return f"{self.service} · metrics · as of {self.as_of} · one sample per {self.step_minutes} min, oldest first"

    def body(self) -> str:
        rows = [("metric", "unit", "normal", "now", "recent")]
        rows += [
            (one.name, one.unit, _number(one.normal), _number(one.recent[-1]), " ".join(map(_number, one.recent)))
            for one in self.series
        ]
        return _table(rows)


class CallPath(BaseModel):
    """The health of the calls between the service asked about and one other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    health: Health
    detail: str = ""


class Dependencies(Evidence):
    """What the service calls and what calls it."""

    diagnostic: ClassVar[str] = "check_dependencies"
    calls: tuple[CallPath, ...]
    called_by: tuple[CallPath, ...]

    @property
    def heading(self) -> str:
        return f"{self.service} · dependencies · as of {self.as_of}"

    def body(self) -> str:
        return f"calls\n{_paths(self.calls)}\ncalled by\n{_paths(self.called_by)}"


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

    diagnostic: ClassVar[str] = "check_recent_deploys"
    history: tuple[Change, ...]

    @property
    def heading(self) -> str:
        return f"{self.service} · recent changes · as of {self.as_of} · newest first"

    def body(self) -> str:
        if not self.history:
            return "(no changes in the last 14 days)"
        return "\n".join(f"{one.at}  {one.kind}  {one.version}  by {one.by}\n    {one.note}" for one in self.history)


class Status(Evidence):
    """The state of the service as its orchestrator and its owner describe it."""

    diagnostic: ClassVar[str] = "check_service_status"
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
        return _table(rows)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows in aligned columns; the last column is left ragged."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


def _paths(paths: tuple[CallPath, ...]) -> str:
    if not paths:
        return "  (nothing)"
    width = max(len(path.service) for path in paths)
    return "\n".join(
        f"  {path.service.ljust(width)}  {path.health}{f' · {path.detail}' if path.detail else ''}" for path in paths
    )
