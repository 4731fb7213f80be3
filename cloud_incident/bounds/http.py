"""HTTP connections whose clients may send so much, and take so long."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cloud_incident.bounds.connections import find_connections
from scenarios.errors import RETRY_SECONDS

if TYPE_CHECKING:
    import asyncio
    from typing import Any

    from uvicorn import Config
    from uvicorn.server import ServerState

_MOST_PIPELINED = 16
"""Requests that wait on one connection for the answer to the one before."""

_MOST_DISCARDED = 1 << 22
"""Bytes of a body that are still taken when its request has been answered already, as a client may learn of it late."""


class _RefusedError(Exception):
    """Ends the parsing of a request that is refused."""


class BoundedHTTP(HttpToolsProtocol):
    """An HTTP connection of uvicorn that counts what it is sent.

    The parser itself has no limits: it joins a header that arrives in pieces anew with every piece.
    """

    __slots__ = (  # beside the 29 attributes of uvicorn; Python reads those of more than 30 several times slower
        "_awaited",
        "_body",
        "_connections",
        "_in_headers",
        "_limits",
        "_most",
        "_others",
        "_piece",
        "_received",
        "_refusal",
        "_stuck",
        "_unanswered",
    )

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
        self._most = self._limits.header_bytes
        self._piece = self._others = self._received = self._body = self._unanswered = 0
        self._in_headers = False
        self._refusal: tuple[int, str] | None = None
        self._awaited = 0.0
        self._stuck = math.inf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._awaited = self.loop.time()
        if not self._connections.admit(self):
            self._refuse(503, "There are too many connections; close one, or try again later.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._piece = len(data)
        self._others = 0
        self._received += self._piece
        super().data_received(data)
        if self._received > self._most:
            self._check_size()

    def handle_websocket_upgrade(self) -> None:
        self._connections.leave(self)  # the WebSocket takes its place
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._received = self._piece - self._others  # a piece may begin with the end of the request before
        self._body = 0
        self._in_headers = True
        self._awaited = self.loop.time()

    def on_headers_complete(self) -> None:
        if self._received > self._most:
            self._received = self._count_header_bytes()
            if self._received > self._most:
                self._stop(431, self._describe_headers())
            self._others += self._received
        if len(self.pipeline) >= _MOST_PIPELINED:
            self._stop(429, f"{_MOST_PIPELINED} requests may wait on one connection; read the answers first.")
        self._in_headers = False
        super().on_headers_complete()
        self._unanswered += 1

    def on_body(self, body: bytes) -> None:
        size = len(body)
        self._body += size
        self._others += size
        super().on_body(body)
        if self._body > _MOST_DISCARDED and not self._unanswered:
            self._stop(413, "The request has been answered already.")

    def on_response_complete(self) -> None:
        self._awaited = self.loop.time()
        self._unanswered -= 1
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._stuck = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck = math.inf
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        if self._refusal is None:
            self._refuse(400, msg)
        else:
            self._write_refusal()

    @property
    def idle_since(self) -> float | None:
        return None if self._unanswered else self._awaited

    def check_time(self, now: float) -> None:
        limits = self._limits
        idle = self.idle_since
        if now - self._stuck > limits.write_seconds:
            self.transport.abort()
        elif idle is not None and now - idle > limits.header_seconds and not self.transport.is_closing():
            if self._in_headers:
                self._refuse(408, f"Headers have to arrive within {limits.header_seconds:g} seconds.")
            else:
                self.transport.close()

    def hang_up(self) -> None:
        self.transport.abort()

    def _check_size(self) -> None:
        """Refuse what is neither headers within their limit nor a body: long headers, trailers, extensions of chunks.

        Chunks may be small, so that a body may bring as much beside it as it is long.
        """
        arriving = self._in_headers or (self._unanswered and self.cycle.more_body)
        if self._refusal is None and arriving and self._received - 2 * self._body > self._most:
            self._refuse(431, self._describe_headers())

    def _count_header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _describe_headers(self) -> str:
        return f"Headers may have {self._most} bytes."

    def _stop(self, status: int, detail: str) -> None:
        """Refuse from within the parser, which ends only by an exception."""
        self._refusal = (status, detail)
        raise _RefusedError(detail)

    def _refuse(self, status: int, detail: str) -> None:
        self._refusal = (status, detail)
        self._write_refusal()

    def _write_refusal(self) -> None:
        """Send the refusal and close, unless an answer is under way: another one cannot stand within it."""
        status, detail = self._refusal or (400, "")
        if not self._unanswered:
            body = orjson.dumps({"detail": detail})
            retry = f"retry-after: {RETRY_SECONDS}\r\n" if status in {429, 503} else ""
            self.transport.write(
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n".encode()
                + body
            )
        self.transport.close()
