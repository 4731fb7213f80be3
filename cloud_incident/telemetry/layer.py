"""The outermost layer of the application: it gives each request an id, and tells of each call and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_incident.telemetry.calls import REQUEST_ID_KEY, WatchedCall, read_request_id
from env_core.calls import CURRENT
from http_compat.problems import build_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloud_incident.telemetry.calls import Sink

_EVENTS = b"text/event-stream"
_ALONE = "This port has GET /metrics alone."


@dataclass(frozen=True, slots=True)
class CallsLayer:
    """Tells `sinks` of each request and of each message on a WebSocket."""

    app: ASGIApp
    sinks: Sequence[Sink]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Request(self.sinks, scope, send).answer(self.app, receive)
        elif scope["type"] == "websocket":
            await _Socket(self.sinks, scope, receive, send).answer(self.app)
        else:
            await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class MetricsPort:
    """Serves the metrics on a port that has nothing else; every other port is passed on."""

    app: ASGIApp
    serve: ASGIApp
    port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if server is None or server[1] != self.port:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": _ALONE})
        elif scope["type"] == "http" and scope["path"] == "/metrics" and scope["method"] in {"GET", "HEAD"}:
            await self.serve(scope, receive, send)
        else:
            await build_problem(404, _ALONE)(scope, receive, send)


def _begin(sinks: Sequence[Sink], call: WatchedCall) -> None:
    for sink in sinks:
        sink.note_begin(call)


def _end(sinks: Sequence[Sink], call: WatchedCall) -> None:
    call.finish()
    for sink in reversed(sinks):
        sink.note_end(call)


class _Request:
    """One request of HTTP."""

    __slots__ = ("_call", "_header", "_scope", "_send", "_sinks")

    def __init__(self, sinks: Sequence[Sink], scope: Scope, send: Send) -> None:
        request_id = scope[REQUEST_ID_KEY] = read_request_id(scope["headers"])
        self._header = (b"x-request-id", request_id.encode("ascii"))
        self._call = WatchedCall("request", request_id, scope)
        self._call.method = scope["method"]
        self._scope = scope
        self._send = send
        self._sinks = sinks

    async def answer(self, app: ASGIApp, receive: Receive) -> None:
        call = self._call
        token = CURRENT.set(call)
        _begin(self._sinks, call)
        try:
            await app(self._scope, receive, self._send_on)
        except Exception:
            call.status = call.status or 500
            raise
        finally:
            self._note_stream(-1)
            _end(self._sinks, call)
            CURRENT.reset(token)

    async def _send_on(self, message: Message) -> None:
        call = self._call
        if message["type"] == "http.response.body":
            call.size += len(message.get("body", b""))
        elif message["type"] == "http.response.start":
            call.status = message["status"]
            headers = list(message.get("headers", ()))
            if call.method == "GET":  # an answer to a POST ends, though it may come as events
                call.streamed = any(name.lower() == b"content-type" and _EVENTS in value for name, value in headers)
                self._note_stream(1)
            message = {**message, "headers": [*headers, self._header]}
        await self._send(message)

    def _note_stream(self, change: int) -> None:
        if self._call.streamed and self._call.way == "sse":
            for sink in self._sinks:
                sink.note_connection("sse", 1 if change > 0 else -1)


class _Socket:
    """One WebSocket: each message on it is a call, from its arrival until the answer is sent."""

    __slots__ = ("_header", "_receive", "_request_id", "_scope", "_send", "_sinks", "_waiting")

    def __init__(self, sinks: Sequence[Sink], scope: Scope, receive: Receive, send: Send) -> None:
        self._request_id = scope[REQUEST_ID_KEY] = read_request_id(scope["headers"])
        self._header = (b"x-request-id", self._request_id.encode("ascii"))
        self._scope = scope
        self._receive = receive
        self._send = send
        self._sinks = sinks
        self._waiting: WatchedCall | None = None

    async def answer(self, app: ASGIApp) -> None:
        for sink in self._sinks:
            sink.note_connection("websocket", 1)
        # What happens between two messages, such as the end of an episode with its socket, came by this way as well.
        token = CURRENT.set(self._make_call())
        try:
            await app(self._scope, self._receive_next, self._send_on)
        finally:
            self._finish()
            CURRENT.reset(token)
            for sink in self._sinks:
                sink.note_connection("websocket", -1)

    async def _receive_next(self) -> Message:
        self._finish()  # the message before had no answer
        message = await self._receive()
        if message["type"] == "websocket.receive":
            call = self._waiting = self._make_call()
            CURRENT.set(call)
            _begin(self._sinks, call)
        return message

    async def _send_on(self, message: Message) -> None:
        if message["type"] == "websocket.send" and self._waiting is not None:
            self._waiting.size = len((message.get("text") or "").encode()) + len(message.get("bytes") or b"")
            self._finish()
        elif message["type"] == "websocket.accept":
            message = {**message, "headers": [*message.get("headers", ()), self._header]}
        await self._send(message)

    def _finish(self) -> None:
        if self._waiting is not None:
            _end(self._sinks, self._waiting)
            self._waiting = None

    def _make_call(self) -> WatchedCall:
        return WatchedCall("message", self._request_id, self._scope)
