"""What the server of every surface can be told."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations of class variables
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, DirectoryPath, Field

from cloud_incident.settings.server import ServerSettings
from http_compat.guard import LOOPBACK
from http_compat.surface import Mode


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class ServeSettings(ServerSettings):
    """Settings of the server that has every surface: OpenEnv, MCP and the console."""

    command = "serve"
    variable_names: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **ServerSettings.variable_names,
        "port": ("CLOUD_INCIDENT_SERVE_PORT", "PORT"),
        "forwarded_allow_ips": ("CLOUD_INCIDENT_SERVE_FORWARDED_ALLOW_IPS", "FORWARDED_ALLOW_IPS"),
        "mode": ("OPENENV_MODE", "CLOUD_INCIDENT_SERVE_MODE"),
        "max_sessions": ("CLOUD_INCIDENT_SERVE_MAX_SESSIONS", "CLOUD_INCIDENT_SERVE_MOST_SESSIONS"),
    }

    mode: Annotated[Mode, BeforeValidator(_lower)] = Field(
        Mode.SIMULATION, description="production: no reset, step or state, only tools."
    )
    shared_default: bool = Field(
        True,
        description="Whether a REST request that names no episode means the last one of the same caller: of its "
        "token, or without tokens of its address. Several workers know no last one.",
    )
    ws_ping_seconds: float = Field(20.0, ge=0, description="Seconds between pings on a WebSocket; 0 for no pings.")
    ws_ping_timeout: float = Field(
        0.0,
        ge=0,
        description="Seconds until an unanswered ping closes a WebSocket; 0 for never, since clients are silent while "
        "they think.",
    )
    evaluations: DirectoryPath = Field(
        Path(), description="The directory whose evaluations (.jsonl) the console shows."
    )
    model_endpoints: bool | None = Field(
        None,
        description="Whether visitors of the console may have this server ask models at addresses that they name. "
        "If not given, only where nobody but this machine can ask.",
    )

    allow_model_host: tuple[str, ...] = Field(
        (),
        description="A host on which visitors may have models asked though its address is not public, such as "
        "models.internal; may be given more than once. Models on this machine may be asked where only it can ask.",
    )

    @property
    def has_default(self) -> bool:
        """Whether a REST request that names no episode means the last one, which this process alone knows."""
        return self.shared_default and self.alone

    @property
    def websocket_pings(self) -> tuple[float | None, float | None]:
        return self.ws_ping_seconds or None, self.ws_ping_timeout or None

    @property
    def asks_models(self) -> bool:
        """Whether visitors may name models. By default only on loopback, as the server calls what they name."""
        if self.model_endpoints is not None:
            return self.model_endpoints
        return self.host in LOOPBACK and not (self.allow_host or self.allow_origin or self.space_host)

    @property
    def asks_local_models(self) -> bool:
        """Whether models on this machine are among them: only by default, and where nobody else can ask."""
        return self.model_endpoints is None and self.asks_models

    @property
    def framed_by(self) -> tuple[str, ...]:
        """Other sites that may show the pages in a frame: where a Space is shown."""
        return ("https://huggingface.co", "https://*.hf.space") if self.space_host else ()
