"""How much a client may send, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_incident.settings.server import ServerSettings

HANDLES_KEPT = 64
"""File handles that connections leave to the rest of the server: its store, its log, its event loop."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections. Sizes are in bytes, times in seconds.

    `connections` are open at most, and `per_address` of one address that is not among the `trusted` proxies. Headers of
    a request have `header_bytes` at most, with the request line, and arrive within `header_seconds`. A message over a
    WebSocket arrives within `body_seconds` in at most `frames` frames, beside which a client may send
    `control_frames` a second. Whoever leaves what it is sent unread for `write_seconds` is hung up on.
    """

    connections: int = 10_000
    per_address: int = 2_000
    trusted: str = ""
    header_bytes: int = 1 << 16
    header_seconds: float = 15.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    frames: int = 128
    control_frames: int = 10

    @classmethod
    def read(cls, settings: ServerSettings, handles: int | None = None) -> ConnectionLimits:
        """The limits that settings give, where the process may have so many file `handles`; None for any number."""
        most = settings.max_connections
        if handles is not None:
            most = min(most, max(handles - HANDLES_KEPT, handles // 2))
        return cls(
            connections=most,
            per_address=settings.max_connections_per_address,
            trusted=settings.trusted_proxies,
            header_bytes=settings.max_header_bytes,
            header_seconds=settings.header_seconds,
            body_seconds=settings.body_seconds,
            write_seconds=settings.write_seconds,
            frames=settings.ws_max_frames,
            control_frames=settings.ws_control_frames,
        )

    @property
    def look_seconds(self) -> float:
        """How often it is looked which connections have used up their time."""
        return min(1.0, self.header_seconds / 4, self.body_seconds / 4, self.write_seconds / 4)
