"""The MCP transports over HTTP: SSE and streamable HTTP."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from anyio import CancelScope, current_time
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse, Response

from env_core.agent_keys import UnknownKeyError
from env_core.callers import ANYBODY, acting_as
from env_core.quotas import find_crowding
from env_core.reference import StaleReferenceError
from env_core.stores import Claim, UnknownEpisodeError
from mcp_server.accepting import AnswersAsAccepted
from mcp_server.binding import BOUND, BoundEpisode
from mcp_server.sessions import HTTPSessions, read_account, read_session_id
from scenarios.errors import RETRY_SECONDS, CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container
    from contextlib import AbstractAsyncContextManager

    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from env_core.episode import Episode
    from env_core.service import EpisodeService

_MOST_UNANSWERED = 64
"""Messages over SSE that wait for their answers to be read."""

_SESSION_NAMED = re.compile(rb"session_id=([0-9a-f]{32})")
_PING = b": ping"

_UNGUARDED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""Host and Origin are checked once, for every route of the application that these transports are part of."""


def build_sse_refusals() -> dict[str, ASGIApp]:
    """What answers at the same paths on a server that keeps nothing of a client in its process: what serves it."""
    return dict.fromkeys(("/sse", "/messages"), _refuse_sse)


async def _refuse_sse(scope: Scope, receive: Receive, send: Send) -> None:
    message = (
        "Over SSE a client stays with one process, and here any process answers the next request. Use streamable HTTP "
        "at /mcp; or --no-stateless with one worker behind a load balancer that keeps a client on one server."
    )
    await JSONResponse({"detail": message}, 501)(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """How many sessions of one kind are open at most, and after how many idle seconds one ends.

    A body that the transports are handed has `body_bytes` at most.
    """

    most: int = 1_000
    idle_seconds: float = 3600.0
    body_bytes: int = 1 << 20


class EventSessions:
    """The older HTTP transport: GET /sse opens a session, POST /messages takes its messages.

    A session ends when its client leaves, or when it was sent nothing for the idle seconds of the `limits`. Where there
    is no room, the caller that has most sessions gives one to another that has fewer.
    """

    def __init__(self, server: Server[Any], limits: SessionLimits) -> None:
        self._server = server
        self._limits = limits
        self._transport = SseServerTransport(
            "/messages/", security_settings=_UNGUARDED, max_request_body_size=limits.body_bytes
        )
        self._sessions: set[_EventSession] = set()
        self._open: dict[str, _EventSession] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        account = read_account(scope)
        if len(self._sessions) >= self._limits.most and not self._make_room(account):
            message = f"All {self._limits.most} SSE sessions are in use; close one, or try again later."
            await JSONResponse({"detail": message}, 503, {"Retry-After": str(RETRY_SECONDS)})(scope, receive, send)
            return
        session = _EventSession(receive, send, self._limits.idle_seconds, self._open, account)
        self._sessions.add(session)
        try:
            async with self._transport.connect_sse(scope, session.receive, session.send) as (reading, writing):
                await self._server.run(reading, writing, self._server.create_initialization_options())
            if session.idle:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._sessions.discard(session)
            self._open.pop(session.id, None)

    def _make_room(self, account: str) -> bool:
        """End a session of who has most, if that is to make room for an account; whether there is room then."""
        crowding = find_crowding((session.account for session in self._sessions), account)
        crowd = [session for session in self._sessions if session.account == crowding]
        if crowding is None:
            return False
        ending = min(crowd, key=lambda session: session.ends)
        self._sessions.discard(ending)
        ending.end()
        return True

    async def take_message(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a message of a client that is connected."""
        named = parse_qs(scope["query_string"].decode("latin-1")).get("session_id", [""])[0]
        session = self._open.get(named)
        if session is not None:
            if session.unanswered >= _MOST_UNANSWERED:
                message = f"{_MOST_UNANSWERED} messages of this session have no answer yet; read the stream first."
                await JSONResponse({"detail": message}, 429, {"Retry-After": str(RETRY_SECONDS)})(scope, receive, send)
                return
            session.unanswered += 1
        await self._transport.handle_post_message(scope, receive, send)


class _EventSession:
    """One client over SSE. `unanswered` counts its messages since it was last sent something.

    To the transport an `idle` client looks like one that has left, so that it ends the session as it ends those.
    """

    def __init__(
        self, receive: Receive, send: Send, idle_seconds: float, known: dict[str, _EventSession], account: str
    ) -> None:
        self.id = ""
        self.account = account
        self.unanswered = 0
        self.idle = False
        self.ends = current_time() + idle_seconds
        self._waiting = CancelScope()
        self._ended = False
        self._receive = receive
        self._send = send
        self._idle_seconds = idle_seconds
        self._known = known

    def end(self) -> None:
        """End the session as if it were idle."""
        self._ended = True
        self.ends = self._waiting.deadline = current_time()

    async def receive(self) -> Message:
        """Receive until the client leaves, or was idle for too long."""
        with CancelScope(deadline=self.ends) as self._waiting:
            return await self._receive()
        self.idle = True
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send on, and note that the session is in use. The first event names it."""
        body = message.get("body", b"")
        if not self.id and (named := _SESSION_NAMED.search(body)):
            self.id = named[1].decode()
            self._known[self.id] = self
        await self._send(message)
        if not (body.startswith(_PING) or self._ended):
            self.unanswered = 0
            self.ends = self._waiting.deadline = current_time() + self._idle_seconds


class StreamableHTTP:
    """One server over streamable HTTP; `run()` must be entered while it serves.

    An answer is one JSON document; with `streams` it may be a stream of events, in which a tool can report progress
    and ask the client something before it answers. Where it is `stateless` no session is opened, in no protocol era:
    any process answers a message.
    """

    def __init__(
        self, server: Server[Any], limits: SessionLimits, *, streams: bool = False, stateless: bool = False
    ) -> None:
        manager = _build_manager(server, limits, streams=streams, stateless=stateless)
        self.sessions = HTTPSessions(manager, limits.most, limits.idle_seconds)
        self._streams = streams
        self._stateless = stateless

    @property
    def app(self) -> ASGIApp:
        """What answers the requests."""
        return self._read_headers(self._answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._stateless and scope["method"] != "POST":
            await _refuse_method("There are no sessions here; POST works.")(scope, receive, send)
        else:
            await self.sessions(scope, receive, send)

    def run(self) -> AbstractAsyncContextManager[None]:
        """Serve while this is entered."""
        return self.sessions.run()

    def _read_headers(self, app: ASGIApp) -> ASGIApp:
        return _HeaderTrimmer(app if self._streams else AnswersAsAccepted(app))


AGENT_PATH = "/agent/{key}/mcp"
"""Where agents' endpoints are. The key says which episode is meant (see `env_core.agent_keys`)."""

_NO_ENDPOINT = (
    "No open episode has its endpoint here. The address is the `agent_url` that whoever opened the episode was given "
    "with it; it ends when the episode is closed, or its handle is opened anew. Ask for the new one."
)


class AgentsHTTP(StreamableHTTP):
    """The agents' server over streamable HTTP: an endpoint for each open episode, at the path that has its key.

    The end of an episode ends its sessions. An agent's session holds nothing that its path does not say, so a message
    of a session that has ended, or that another has taken the room of, is answered all the same; but not one of a
    session of another endpoint, or of one that `elsewhere` has.
    """

    def __init__(
        self,
        server: Server[Any],
        limits: SessionLimits,
        service: EpisodeService,
        *,
        elsewhere: Container[str] = (),
        streams: bool = False,
        stateless: bool = False,
    ) -> None:
        super().__init__(server, limits, streams=streams, stateless=stateless)
        self._service = service
        self._elsewhere = elsewhere
        self._sessionless = _build_manager(server, limits, streams=streams, stateless=True)
        service.on_over.append(self.sessions.end_episode)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        async with self._sessionless.run(), super().run():
            yield

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id = read_session_id(scope)
        lost = session_id != "" and session_id not in self.sessions
        try:
            episode = await self._find_episode(scope["path_params"]["key"])
        except CloudIncidentError as error:
            await JSONResponse({"detail": str(error)}, error.kind.status)(scope, receive, send)
            return
        if episode is not None:
            scope[BOUND] = BoundEpisode(Claim(episode.id, episode.incarnation), episode)
        if lost and session_id not in self._elsewhere and scope["method"] == "DELETE":
            await Response(status_code=204)(scope, receive, send)  # it has ended, as was asked
        elif episode is None:
            await JSONResponse({"detail": _NO_ENDPOINT}, 404)(scope, receive, send)
        elif session_id in self._elsewhere or not (lost or self.sessions.is_of(session_id, episode.id)):
            message = "This session was opened at another address, and is served there alone; initialize opens another."
            await JSONResponse({"detail": message}, 404)(scope, receive, send)
        elif not lost:
            await super()._answer(scope, receive, send)
        elif scope["method"] == "POST":
            await self._sessionless.handle_request(scope, receive, send)
        else:
            message = "This session has ended; POST works on, and initialize opens another."
            await _refuse_method(message)(scope, receive, send)

    async def _find_episode(self, key: str) -> Episode | None:
        """The open episode of a key, if there is one.

        Raises:
            StoreUnavailableError: if the store does not answer now.
        """
        try:
            with acting_as(ANYBODY):
                return await self._service.get(*(await self._service.get_keys()).read(key))
        except (UnknownKeyError, UnknownEpisodeError, StaleReferenceError):
            return None


def _refuse_method(message: str) -> Response:
    return JSONResponse({"detail": message}, 405, {"Allow": "POST"})


def _build_manager(
    server: Server[Any], limits: SessionLimits, *, streams: bool, stateless: bool = False
) -> StreamableHTTPSessionManager:
    """A session manager that leaves it to `HTTPSessions` which sessions end."""
    return StreamableHTTPSessionManager(
        app=server,
        json_response=not streams,
        stateless=stateless,
        security_settings=_UNGUARDED,
        session_idle_timeout=None,
        max_request_body_size=limits.body_bytes,
        max_sessions=None,
    )


@dataclass(frozen=True, slots=True)
class _HeaderTrimmer:
    """Takes the whitespace off the ends of header values, where it means nothing (RFC 9110, 5.5).

    httptools leaves it there, and MCP's headers must equal what the body says.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if any(value[-1:] in {b" ", b"\t"} for _, value in scope["headers"]):
            scope = {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}
        await self.app(scope, receive, send)
