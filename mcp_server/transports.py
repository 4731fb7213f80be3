"""The MCP transports over HTTP: SSE and streamable HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from env_core.service import EpisodeService

MOST_BODY_BYTES = 1 << 20
"""Requests are small: a summary of 4,000 characters is the largest thing an agent sends."""

_UNGUARDED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""Host and Origin are checked once, for every route of the application that these transports are part of."""


def build_sse_routes(server: Server[Any]) -> list[BaseRoute]:
    """GET /sse and POST /messages/, the older HTTP transport."""
    transport = SseServerTransport("/messages/", security_settings=_UNGUARDED, max_request_body_size=MOST_BODY_BYTES)
    return [
        Route("/sse", _SSEConnection(server, transport), methods=["GET"]),
        Mount("/messages/", app=transport.handle_post_message),
    ]


@dataclass(frozen=True, slots=True)
class _SSEConnection:
    """Serves one client over SSE until it leaves."""

    server: Server[Any]
    transport: SseServerTransport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.transport.connect_sse(scope, receive, send) as (reading, writing):
            await self.server.run(reading, writing, self.server.create_initialization_options())


@dataclass(frozen=True)
class StreamableHTTP:
    """One server over streamable HTTP; `manager.run()` must be entered while it serves.

    An answer is one JSON document; with `streams` it may be a stream of events, in which a tool can report progress
    and ask the client something before it answers.
    """

    server: Server[Any]
    streams: bool = False
    manager: StreamableHTTPSessionManager = field(init=False)

    def __post_init__(self) -> None:
        manager = StreamableHTTPSessionManager(
            app=self.server,
            json_response=not self.streams,
            security_settings=_UNGUARDED,
            max_request_body_size=MOST_BODY_BYTES,
        )
        object.__setattr__(self, "manager", manager)

    @property
    def app(self) -> ASGIApp:
        """What answers the requests of one endpoint."""
        return _HeaderTrimmer(StreamableHTTPASGIApp(self.manager))

    def build_route_per_episode(self, path: str, service: EpisodeService) -> Route:
        """An endpoint per open episode; for any other the path does not exist."""
        return Route(path, _OpenEpisodeGate(self.app, service))


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


@dataclass(frozen=True, slots=True)
class _OpenEpisodeGate:
    """Lets requests through that name an open episode in their path; others get 404."""

    app: ASGIApp
    service: EpisodeService

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.service.get(scope["path_params"]["episode_id"], touch=False)
        except CloudIncidentError:
            message = "There is no open episode of this id; whoever runs the simulation starts one."
            await JSONResponse({"detail": message}, 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def read_episode_id(ctx: Any) -> str:
    """The episode id in the path of an HTTP request."""
    return str(ctx.request.path_params["episode_id"])
