"""How much a server keeps, takes and waits for: every limit on what comes in."""

from __future__ import annotations

from pydantic import Field

from cloud_incident.settings.store import StoreSettings


class LimitSettings(StoreSettings):
    """Limits of a server, whatever it serves."""

    capacity: int = Field(
        10_000,
        ge=1,
        description="Most open episodes. Finished ones make room.",
    )
    max_sessions: int = Field(
        1_000,
        ge=1,
        description="Most sessions of each kind: WebSockets and JSON-RPC, SSE, operators and agents over streamable "
        "HTTP; and most episodes that are kept of WebSockets that broke off.",
    )
    idle_seconds: float = Field(
        3600.0,
        ge=1,
        description="After how many seconds an unused session or episode is forgotten; a stored one if room is needed.",
    )
    max_connections: int = Field(
        10_000,
        ge=1,
        description="Most open connections; fewer where the system gives fewer file handles. Those that have been idle "
        "for longest make room.",
    )
    max_connections_per_address: int = Field(
        2_000, ge=1, description="Most open connections of one address, unless it is one of --forwarded-allow-ips."
    )
    max_header_bytes: int = Field(
        65_536, ge=1_024, description="Most bytes of the request line and the headers of a request."
    )
    header_seconds: float = Field(15.0, gt=0, description="Seconds that headers may take to arrive.")
    max_body_bytes: int = Field(
        1_048_576, ge=1_024, description="Most bytes of the body of a request, or of a message over a WebSocket."
    )
    body_seconds: float = Field(30.0, gt=0, description="Seconds that a body, or a message, may take to arrive.")
    max_arriving_bytes: int = Field(
        268_435_456, ge=1_048_576, description="Most bytes of all bodies that are arriving in pieces."
    )
    write_seconds: float = Field(
        30.0, gt=0, description="Seconds that a client may leave what it is sent unread before it is hung up on."
    )
    ws_max_frames: int = Field(128, ge=1, description="Most frames of a message over a WebSocket.")
    ws_control_frames: int = Field(
        10, ge=1, description="Most pings and pongs a second over a WebSocket; those of five seconds may come at once."
    )
    max_waiting: int = Field(
        1_000, ge=1, description="Most resets that wait for their incidents to be made; further ones are refused."
    )
    rate_limit: float | None = Field(
        None,
        ge=0,
        description="Most requests and messages a second of each caller, or of each address where callers have no "
        "names; 0 for any number. If not given: any number from this machine, and 1,000 from elsewhere.",
    )
