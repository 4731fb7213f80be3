"""The HTTP application: the MCP transports on one port and, where the settings ask for it, the OpenEnv surface."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route

from cloud_incident import __version__
from cloud_incident.about import describe_server
from cloud_incident.console.api import ConsoleApi
from cloud_incident.console.app import read_document
from cloud_incident.console.surface import ConsolePage
from cloud_incident.settings.serve import ServeSettings
from http_compat.guard import LOOPBACK, Access, Guard
from http_compat.problems import answer_disconnect, answer_failure, answer_http_error
from http_compat.surface import OpenEnvSurface
from mcp_server import build_server
from mcp_server.binding import Callers, CallersBySession
from mcp_server.transports import StreamableHTTP, build_sse_routes, read_episode_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_incident.settings.server import ServerSettings
    from env_core.service import EpisodeService

AGENT_PATH = "/agent/{episode_id}/mcp"


def build_app(
    settings: ServerSettings, *, make_server: Callable[..., Server[Callers]] = build_server, streams: bool = False
) -> Starlette:
    """The application that the settings ask for.

    MCP over streamable HTTP is at `/mcp`, over SSE at `/sse`, and for an agent under test at an endpoint of its
    episode. An agent profile has the agents' endpoints alone. With `ServeSettings` OpenEnv and the console are there
    too, and POST /mcp speaks both dialects. `make_server` makes each MCP server; with `streams` an answer over
    streamable HTTP may be a stream of events.

    Raises:
        DocumentError: if an incident document is not valid.
        InvalidActionError, SelectionError, UnknownScenarioError: if there is no incident to open at the start.
    """
    service = settings.build_service(loaded=True)
    if settings.selection is not None:
        settings.selection.choose(service.catalogue)  # Refuse a wrong selection now, before the server listens.
    return _Wiring(settings, service, make_server, streams).build()


def build_app_from_variables() -> Starlette:
    """What `cloud-incident serve` serves by variables and their file alone, for ASGI servers.

    Raises:
        InvalidSettingsError: if a setting is not valid.
        DocumentError: if an incident document is not valid.
    """
    settings = ServeSettings.load()
    # Only whoever runs the server knows where it listens, so loopback must not be assumed.
    return build_app(settings.model_copy(update={"model_endpoints": bool(settings.model_endpoints)}))


@dataclass(frozen=True)
class _Wiring:
    """The parts of one application, each made once."""

    settings: ServerSettings
    service: EpisodeService
    make_server: Callable[..., Server[Callers]]
    streams: bool

    def build(self) -> Starlette:
        app = Starlette(
            routes=self._list_routes(),
            middleware=self._list_middleware(),
            exception_handlers={
                HTTPException: answer_http_error,
                ClientDisconnect: answer_disconnect,
                Exception: answer_failure,
            },
            lifespan=self._run_parts,
        )
        if self.console_api is not None:
            app.state.stopping = self.console_api.close
        return app

    @cached_property
    def agents(self) -> StreamableHTTP:
        return StreamableHTTP(self._make_server(callers=CallersBySession, bound=read_episode_id), self.streams)

    @cached_property
    def operators(self) -> StreamableHTTP:
        return StreamableHTTP(self._make_server(callers=CallersBySession), self.streams)

    @cached_property
    def console_api(self) -> ConsoleApi | None:
        settings = self.settings
        if not isinstance(settings, ServeSettings):
            return None
        return ConsoleApi(self.service, settings.evaluations, settings.asks_models, settings.framed_by)

    @cached_property
    def openenv(self) -> OpenEnvSurface | None:
        settings, console_api = self.settings, self.console_api
        if not isinstance(settings, ServeSettings) or console_api is None:
            return None
        return OpenEnvSurface(
            self.service,
            describe_server(),
            settings.mode,
            shared_default=settings.shared_default,
            most_sessions=settings.max_sessions,
            idle_seconds=settings.idle_seconds,
            framed_by=settings.framed_by,
            further=tuple(console_api.bind_operations()),
            pages=tuple(ConsolePage(settings.framed_by).build_routes()),
        )

    def _make_server(self, **options: object) -> Server[Callers]:
        return self.make_server(
            self.service,
            version=__version__,
            structured=self.settings.structured_content,
            app=read_document(),
            training=self.settings.training,
            **options,
        )

    def _list_routes(self) -> list[BaseRoute]:
        routes = [] if self.openenv is None else self.openenv.build_routes()
        routes.append(self.agents.build_route_per_episode(AGENT_PATH, self.service))
        if self.settings.operator:
            mcp = self.operators.app
            routes.append(Route("/mcp", mcp if self.openenv is None else _Negotiated(mcp, self.openenv.answer_rpc)))
            if self.settings.sse:
                routes += build_sse_routes(self._make_server())
        return routes

    def _list_middleware(self) -> list[Middleware]:
        settings = self.settings
        hosts = (*settings.allow_host, *filter(None, [settings.space_host]))
        guard = Middleware(Guard, access=Access(hosts, settings.allow_origin))
        if not settings.allow_origin:
            return [guard]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origin,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id"],
        )
        return [guard, cors]

    @asynccontextmanager
    async def _run_parts(self, _: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for endpoint in [self.agents, self.operators] if self.settings.operator else [self.agents]:
                await stack.enter_async_context(endpoint.manager.run())
            await self._open()
            yield
        if self.console_api is not None:
            await self.console_api.close()
            click.echo(f"Stopped after {self.service.steps_taken} steps.", err=True)

    async def _open(self) -> None:
        """Open the incident that the settings name, if they name one, and print what its operator has to know."""
        settings = self.settings
        if settings.selection is not None:
            episode = await self.service.resume(settings.selection)
            path = AGENT_PATH.format(episode_id=episode.id)
            click.echo(f"Agent endpoint of {episode.reference.scenario_id}: {settings.address}{path}", err=True)
        if settings.host not in LOOPBACK and not (settings.allow_host or settings.space_host):
            click.echo(
                "Requests that name another host than loopback get 421; --allow-host NAME accepts more.", err=True
            )
        if self.openenv is None and settings.operator:
            transports = "streamable HTTP and SSE" if settings.sse else "streamable HTTP"
            click.echo(f"MCP over {transports}: {settings.address}/mcp", err=True)


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
