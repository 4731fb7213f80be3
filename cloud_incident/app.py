"""The HTTP application: the OpenEnv surface and the MCP transports on one port."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route

from cloud_incident import __version__
from cloud_incident.console.app import read_document
from http_compat.guard import Access, Guard
from http_compat.problems import answer_disconnect, answer_failure, answer_http_error
from mcp_server import build_server
from mcp_server.binding import Callers, CallersBySession
from mcp_server.clients import StructuredContent
from mcp_server.transports import StreamableHTTP, episode_of_path, sse_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from env_core.service import EpisodeService
    from http_compat.surface import OpenEnvSurface

AGENT_PATH = "/agent/{episode_id}/mcp"


def build_app(
    service: EpisodeService,
    *,
    access: Access | None = None,
    operator: bool = True,
    sse: bool = True,
    openenv: OpenEnvSurface | None = None,
    structured: StructuredContent = StructuredContent.AUTO,
    opening: Callable[[], Awaitable[None]] | None = None,
    closing: Callable[[], Awaitable[None]] | None = None,
    server: Callable[..., Server[Callers]] = build_server,
    streams: bool = False,
) -> Starlette:
    """MCP over streamable HTTP at `/mcp`, over SSE at `/sse`, and an endpoint per episode for agents under test.

    With `streams` an answer over streamable HTTP may be a stream of events, for a `server` that needs it.

    Without `operator` only the agents' endpoints are there. With `openenv` its surface is served as well, and POST /mcp
    speaks both dialects. `opening` is awaited when the application starts, and `closing` when everything has ended.
    `server` makes each MCP server.
    """
    access = access or Access()
    build = partial(server, service, version=__version__, structured=structured, app=read_document())
    agents = StreamableHTTP(build(callers=CallersBySession, bound=episode_of_path), streams)
    routes: list[BaseRoute] = openenv.build_routes() if openenv is not None else []
    routes.append(agents.route_per_episode(AGENT_PATH, service))
    served = [agents]
    if operator:
        operators = StreamableHTTP(build(callers=CallersBySession), streams)
        routes.append(
            Route("/mcp", _Negotiated(operators.app, openenv.answer_rpc) if openenv is not None else operators.app)
        )
        served.append(operators)
        if sse:
            routes += sse_routes(build())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in served:
                await stack.enter_async_context(one.manager.run())
            if opening is not None:
                await opening()
            yield
        if closing is not None:
            await closing()

    return Starlette(
        routes=routes,
        middleware=_middleware(access),
        exception_handlers={
            HTTPException: answer_http_error,
            ClientDisconnect: answer_disconnect,
            Exception: answer_failure,
        },
        lifespan=lifespan,
    )


def _middleware(access: Access) -> list[Middleware]:
    guard = [Middleware(Guard, access=access)]
    if not access.origins:
        return guard
    cors = Middleware(
        CORSMiddleware,
        allow_origins=access.origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=["Mcp-Session-Id"],
    )
    return [*guard, cors]


@dataclass(frozen=True, slots=True)
class _Negotiated:
    """One path, two dialects: MCP for clients that accept an event stream or speak of MCP in their headers, and
    OpenEnv's plain JSON-RPC for POST requests that do neither."""

    mcp: ASGIApp
    rpc: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["method"] == "POST" and not any(
            name.startswith(b"mcp-") or (name == b"accept" and b"text/event-stream" in value.lower())
            for name, value in scope["headers"]
        )
        await (self.rpc if plain else self.mcp)(scope, receive, send)
