"""WebSockets whose clients may send so much, and take so long."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.protocol import State

from cloud_incident.bounds.connections import find_connections

if TYPE_CHECKING:
    from typing import Any

    from uvicorn import Config
    from uvicorn._types import ASGIReceiveEvent
    from uvicorn.server import ServerState
    from websockets.frames import Frame

_SLICE = 1024
"""Bytes that are parsed at once: at most 170 frames."""

_BURST_SECONDS = 5
"""For how many seconds control frames may be saved up."""


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket of uvicorn that counts what it is sent.

    What came together is parsed piece by piece, and only when the message before has been taken, so that one client
    does not keep the others waiting. Nothing is read from a client that does not read itself.
    """

    __slots__ = ("_begun", "_connections", "_control_frames", "_counted", "_limits", "_rest", "_stuck", "_taken")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._connections = find_connections(config)
        self._limits = self._connections.limits
        self._rest = bytearray()
        self._taken = 0
        self._begun: tuple[int, float] | None = None  # how many messages were taken before, and when it was noticed
        self._control_frames = 0.0
        self._counted = 0.0
        self._stuck = math.inf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._connections.admit(self):
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        self._rest.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if len(data) <= _SLICE and not self._rest:
            super().data_received(data)
        else:
            self._rest += data
            self._parse_rest()

    async def receive(self) -> ASGIReceiveEvent:
        if not self.queue.empty():
            await asyncio.sleep(0)  # to take what is there already does not let others in between
        message = await self.queue.get()
        self._taken += 1
        if self.queue.empty():
            self._parse_rest()
            self._read_on()
        return message

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.time()
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck = math.inf
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= self._limits.frames:
            self._fail(f"A message may have {self._limits.frames} frames.")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        if self._count_control_frame():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._count_control_frame():
            super().handle_pong(event)

    @property
    def idle_since(self) -> float | None:
        return None

    def check_time(self, now: float) -> None:
        if now - self._stuck > self._limits.write_seconds:
            self.transport.abort()
        elif not (self.conn.reader.buffer or self.conn.current_size is not None):
            self._begun = None
        elif self._begun is None or self._begun[0] != self._taken:
            self._begun = (self._taken, now)
        elif now - self._begun[1] > self._limits.body_seconds and not self.transport.is_closing():
            self._fail(f"A message has to arrive within {self._limits.body_seconds:g} seconds.")

    def hang_up(self) -> None:
        self.transport.abort()

    def _parse_rest(self) -> None:
        """Parse what came until there is a message to be taken."""
        while self._rest and self.queue.empty() and not self.transport.is_closing():
            piece = bytes(self._rest[:_SLICE])
            del self._rest[:_SLICE]
            super().data_received(piece)

    def _read_on(self) -> None:
        """Read from the client again, once it has been given what it was to be given."""
        if self.read_paused and self.queue.empty() and not self._rest:
            self.read_paused = False
            if self.writable.is_set() and not self.transport.is_closing():
                self.transport.resume_reading()

    def _count_control_frame(self) -> bool:
        """Whether a further control frame may come now; the WebSocket is closed if not."""
        most = self._limits.control_frames * _BURST_SECONDS
        now = self.loop.time()
        left = max(0.0, self._control_frames - (now - self._counted) * self._limits.control_frames)
        self._control_frames, self._counted = left + 1, now
        if left < most:
            return True
        self._fail(f"{self._limits.control_frames} control frames a second may be sent.")
        return False

    def _fail(self, reason: str) -> None:
        """Close with the code of a client that breaks a rule, and read nothing more."""
        if self.transport.is_closing():
            return
        if self.conn.state is State.OPEN:
            self.conn.fail(CloseCode.POLICY_VIOLATION, reason)
            self.handle_parser_exception()
        else:
            self.transport.abort()
