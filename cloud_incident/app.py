"""The HTTP application: the MCP transports on one port."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from cloud_incident import __version__
from mcp_server import build_server
from mcp_server.binding import CallersBySession
from mcp_server.clients import StructuredContent
from mcp_server.transports import Guard, StreamableHTTP, episode_of_path, sse_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.routing import BaseRoute

    from env_core.service import EpisodeService

AGENT_PATH = "/agent/{episode_id}/mcp"


def build_app(
    service: EpisodeService,
    *,
    hosts: tuple[str, ...] = (),
    operator: bool = True,
    sse: bool = True,
    structured: StructuredContent = StructuredContent.AUTO,
    opening: Callable[[], Awaitable[None]] | None = None,
) -> Starlette:
    """MCP over streamable HTTP at `/mcp`, over SSE at `/sse`, and an endpoint per episode for agents under test.

    Without `operator` only the agents' endpoints are there. `opening` is awaited when the application starts.
    """
    guard = Guard(hosts)
    build = partial(build_server, service, version=__version__, structured=structured)
    agents = StreamableHTTP(
        build(callers=CallersBySession, bound=episode_of_path),
        guard,
    )
    routes: list[BaseRoute] = [agents.route_per_episode(AGENT_PATH, service)]
    served = [agents]
    if operator:
        operators = StreamableHTTP(build(callers=CallersBySession), guard)
        routes.append(operators.route("/mcp"))
        served.append(operators)
        if sse:
            routes += sse_routes(build(), guard)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in served:
                await stack.enter_async_context(one.manager.run())
            if opening is not None:
                await opening()
            yield

    return Starlette(routes=routes, lifespan=lifespan)
