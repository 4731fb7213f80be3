"""The three MCP transports: stdio, SSE and streamable HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp.server.sse import SseServerTransport
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from env_core.store import UnknownEpisodeError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from env_core.service import EpisodeService

MOST_BODY_BYTES = 1 << 20
"""Requests are small: a summary of 4,000 characters is the largest thing an agent sends."""

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Guard:
    """Which Host and Origin headers are accepted. Loopback always is; further hosts by name, with or without a port."""

    hosts: tuple[str, ...] = ()

    def settings(self) -> TransportSecuritySettings:
        accepted = [*_LOCAL_HOSTS, *self.hosts]
        return TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[form for host in accepted for form in (host, f"{host}:*")],
            allowed_origins=[
                f"{scheme}://{host}{port}" for scheme in ("http", "https") for host in accepted for port in ("", ":*")
            ],
        )


async def serve_stdio(server: Server[Any]) -> None:
    """Serve one client over this process's standard input and output until it leaves."""
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def sse_routes(server: Server[Any], guard: Guard) -> list[BaseRoute]:
    """GET /sse and POST /messages/, the older HTTP transport."""
    transport = SseServerTransport(
        "/messages/", security_settings=guard.settings(), max_request_body_size=MOST_BODY_BYTES
    )

    async def connect(request: Request) -> Response:
        try:
            async with transport.connect_sse(request.scope, request.receive, request._send) as (reading, writing):
                await server.run(reading, writing, server.create_initialization_options())
        except ValueError:
            return Response()  # the transport has answered a refused Host or Origin itself
        return Response()

    return [Route("/sse", connect, methods=["GET"]), Mount("/messages/", app=transport.handle_post_message)]


@dataclass(frozen=True)
class StreamableHTTP:
    """One server over streamable HTTP; `manager.run()` must be entered while it serves."""

    server: Server[Any]
    guard: Guard
    manager: StreamableHTTPSessionManager = field(init=False)

    def __post_init__(self) -> None:
        manager = StreamableHTTPSessionManager(
            app=self.server,
            json_response=True,
            security_settings=self.guard.settings(),
            max_request_body_size=MOST_BODY_BYTES,
        )
        object.__setattr__(self, "manager", manager)

    def route(self, path: str) -> Route:
        return Route(path, StreamableHTTPASGIApp(self.manager))

    def route_per_episode(self, path: str, service: EpisodeService) -> Route:
        """An endpoint per open episode; for any other the path does not exist."""
        return Route(path, _OpenEpisodesOnly(StreamableHTTPASGIApp(self.manager), service))


@dataclass(frozen=True, slots=True)
class _OpenEpisodesOnly:
    app: ASGIApp
    service: EpisodeService

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.service.get(scope["path_params"]["episode_id"])
        except UnknownEpisodeError:
            message = "There is no open episode of this id; whoever runs the simulation starts one."
            await PlainTextResponse(message, 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def episode_of_path(ctx: Any) -> str:
    """The episode id in the path of an HTTP request."""
    return str(ctx.request.path_params["episode_id"])
