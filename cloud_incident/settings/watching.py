"""What a server shows of itself while it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from cloud_incident.settings.store import StoreSettings


class LogFormat(StrEnum):
    """How lines of the log are written."""

    TEXT = "text"
    JSON = "json"


class LogScope(StrEnum):
    """What is logged: warnings and errors; beside them what happens to episodes; beside that each request."""

    WARNINGS = "warnings"
    EPISODES = "episodes"
    REQUESTS = "requests"


class WatchingSettings(StoreSettings):
    """Settings of a server that others watch: its logs, metrics and traces."""

    log: LogScope = Field(
        LogScope.WARNINGS,
        description="What is logged on standard error. episodes: what happens to them too. requests: each request too.",
    )
    log_format: LogFormat = Field(LogFormat.TEXT, description="How it is logged: a line of text or of JSON.")
    metrics: bool = Field(False, description="Whether GET /metrics gives metrics for Prometheus, over HTTP.")
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="A port that has /metrics alone; then no other port has it."
    )
    traces: bool | None = Field(
        None,
        description="Whether traces are sent to where OpenTelemetry's variables say. If not given, where "
        "OTEL_EXPORTER_OTLP_ENDPOINT is set.",
    )

    @property
    def counts(self) -> bool:
        """Whether metrics are kept."""
        return self.metrics or self.metrics_port is not None
