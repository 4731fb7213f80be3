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
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Route

from cloud_incident import __version__
from cloud_incident.about import describe_server
from cloud_incident.agent_door import AgentAddresses, AgentPort
from cloud_incident.bounds.bodies import Replay, WholeBodies, is_initialize
from cloud_incident.bounds.rates import RateLimit
from cloud_incident.console.api import ConsoleApi
from cloud_incident.console.app import read_document
from cloud_incident.console.surface import ConsolePage
from cloud_incident.evaluation.agents import Reach
from cloud_incident.proxies import BehindProxies
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.telemetry.watching import METRICS_PATH, Watch, configure_logs
from cloud_incident.tokens.finding import CallerFinder
from cloud_incident.tokens.metadata import build_metadata_routes
from cloud_incident.tokens.session import SessionApi
from cloud_incident.tokens.table import TokenTable, refresh_on_hangup
from env_core.callers import ADMIN, ANYBODY, PLAY, PUBLIC, acting_as
from http_compat.gate import Gate, list_needs
from http_compat.guard import LOOPBACK, Access, Guard
from http_compat.headers import SecurityHeaders
from http_compat.problems import answer_disconnect, answer_failure, answer_http_error
from http_compat.reading import Bodies, read_body
from http_compat.surface import OpenEnvSurface
from mcp_server import build_server
from mcp_server.accepting import find_header, read_accept
from mcp_server.binding import Callers, CallersBySession, NobodyKnown, find_bound
from mcp_server.transports import (
    AGENT_PATH,
    AgentsHTTP,
    EventSessions,
    SessionLimits,
    StreamableHTTP,
    build_sse_refusals,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from mcp.server.lowlevel import Server
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_incident.settings.server import ServerSettings
    from env_core.service import EpisodeService

_AGENTS_ROOT = "/agent/"
_OPEN_TO_ALL = (
    "WARNING: this server may be reached from other machines and asks for no tokens. Whoever reaches it may read, "
    "play, grade and close every episode. `cloud-incident tokens add NAME --scope operate --tokens FILE` makes a "
    "token, and `--tokens FILE` asks for one."
)


def build_app(
    settings: ServerSettings,
    *,
    make_server: Callable[..., Server[Callers]] = build_server,
    streams: bool = False,
    first: bool = True,
) -> Starlette:
    """The application that the settings ask for.

    MCP over streamable HTTP is at `/mcp`, over SSE at `/sse`, and for an agent under test at an endpoint of its
    episode. These are alone on the agents' port if there is one, and all that an agent profile has. With
    `ServeSettings` OpenEnv and the console are there too, and POST /mcp speaks both dialects. `make_server` makes each
    MCP server; with `streams` an answer over streamable HTTP may be a stream of events. The `first` process of a server
    opens the incident that the settings name, and prints what its operator has to know.

    Raises:
        DocumentError: if an incident document is not valid.
        InvalidActionError, SelectionError, UnknownScenarioError: if there is no incident to open at the start.
    """
    watch = Watch.build(settings)
    service = settings.build_service(loaded=True, make=watch.make_service)
    if settings.selection is not None:
        settings.selection.choose(service.catalogue)  # Refuse a wrong selection now, before the server listens.
    return _Wiring(settings, service, watch, make_server, streams, first).build()


def build_app_from_variables() -> Starlette:
    """What `cloud-incident serve` serves by variables and their file alone, for ASGI servers.

    Raises:
        InvalidSettingsError: if a setting is not valid.
        DocumentError: if an incident document is not valid.
    """
    settings = ServeSettings.load()
    configure_logs(settings, always=False)
    # Only whoever runs the server knows where it listens, so loopback must not be assumed.
    return build_app(settings.model_copy(update={"model_endpoints": bool(settings.model_endpoints)}))


@dataclass(frozen=True)
class _Wiring:
    """The parts of one application, each made once."""

    settings: ServerSettings
    service: EpisodeService
    watch: Watch
    make_server: Callable[..., Server[Callers]]
    streams: bool
    first: bool

    def build(self) -> Starlette:
        routes = self._list_routes()
        list_needs(routes)  # a route that does not say what it needs is refused before anybody can call it
        app = Starlette(
            routes=routes,
            middleware=self._list_middleware(routes),
            exception_handlers={
                HTTPException: answer_http_error,
                ClientDisconnect: answer_disconnect,
                Exception: answer_failure,
            },
            lifespan=self._run_parts,
        )
        app.router.redirect_slashes = False  # clients do not follow; `BehindProxies` has taken the slash off
        app.state.stopping = self._end_what_waits
        settings = self.settings
        app.state.bodies = Bodies(settings.max_body_bytes, settings.body_seconds, settings.max_arriving_bytes)
        return app

    @cached_property
    def tokens(self) -> TokenTable | None:
        return None if self.settings.tokens is None else TokenTable(self.settings.tokens)

    @cached_property
    def agents(self) -> AgentsHTTP:
        server = self._make_server("agent", callers=CallersBySession, bound=find_bound)
        return AgentsHTTP(
            server,
            self._session_limits,
            self.service,
            elsewhere=self.operators.sessions if self.settings.operator else (),
            streams=self.streams,
            stateless=not self.settings.alone,
        )

    @cached_property
    def agent_addresses(self) -> AgentAddresses:
        return AgentAddresses(self.service, self.settings)

    @cached_property
    def operators(self) -> StreamableHTTP:
        alone = self.settings.alone
        callers = CallersBySession if alone else NobodyKnown
        server = self._make_server("mcp", callers=callers, locate_agent=self.agent_addresses.locate)
        return StreamableHTTP(server, self._session_limits, streams=self.streams, stateless=not alone)

    @property
    def _session_limits(self) -> SessionLimits:
        settings = self.settings
        return SessionLimits(
            most=settings.max_sessions, idle_seconds=settings.idle_seconds, body_bytes=settings.max_body_bytes
        )

    @cached_property
    def console_api(self) -> ConsoleApi | None:
        settings = self.settings
        if not isinstance(settings, ServeSettings):
            return None
        return ConsoleApi(
            self.service,
            settings.evaluations,
            settings.asks_models,
            Reach(settings.allow_model_host, loopback=settings.asks_local_models),
            settings.framed_by,
            alone=settings.alone,
        )

    @cached_property
    def openenv(self) -> OpenEnvSurface | None:
        settings, console_api = self.settings, self.console_api
        if not isinstance(settings, ServeSettings) or console_api is None:
            return None
        return OpenEnvSurface(
            self.service,
            describe_server(),
            self.agent_addresses.locate,
            settings.mode,
            shared_default=settings.has_default,
            alone=settings.alone,
            most_sessions=settings.max_sessions,
            idle_seconds=settings.idle_seconds,
            framed_by=settings.framed_by,
            secured=self.tokens is not None,
            further=(*console_api.bind_operations(), *SessionApi(self.tokens).bind_operations()),
            pages=tuple(ConsolePage(settings.framed_by, self.tokens is not None).build_routes()),
        )

    def _make_server(self, surface: str, **options: object) -> Server[Callers]:
        return self.make_server(
            self.service,
            version=__version__,
            structured=self.settings.structured_content,
            app=read_document(),
            training=self.settings.training,
            around=self.watch.watch_messages(surface),
            **options,
        )

    def _list_routes(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = []
        if self.settings.operator:
            mcp = WholeBodies(self.operators.app)
            app = mcp if self.openenv is None else _Negotiated(mcp, self.openenv.answer_rpc)
            routes.append(Route("/mcp", Gate(PLAY, app)))
        # The key in the address of an agent's endpoint says by itself who may call it.
        agents, port = Gate(PUBLIC, WholeBodies(self.agents.app)), self.settings.agent_port
        first = [] if port is None else [AgentPort(port, agents)]
        if port is None:
            routes.append(Route(AGENT_PATH, agents))
        if self.settings.operator and self.settings.sse:
            routes += self._list_sse_routes()
        if self.watch.metrics is not None and self.watch.port is None:
            routes.append(Route(METRICS_PATH, Gate(ADMIN, self.watch.metrics.serve), methods=["GET"]))
        if self.tokens is not None:
            routes += build_metadata_routes()
        # Routes are tried in order. Those of MCP stand behind the one that is asked most, and before the many others.
        others = [] if self.openenv is None else self.openenv.build_routes()
        return [*first, *others[:1], *routes, *others[1:]]

    def _list_sse_routes(self) -> list[BaseRoute]:
        if not self.settings.alone:
            return [Route(path, Gate(PLAY, app)) for path, app in build_sse_refusals().items()]
        server = self._make_server("sse", locate_agent=self.agent_addresses.locate)
        events = EventSessions(server, self._session_limits)
        return [
            Route("/sse", Gate(PLAY, events), methods=["GET"]),
            Route("/messages", Gate(PLAY, WholeBodies(events.take_message, messages=True))),
        ]

    def _list_middleware(self, routes: list[BaseRoute]) -> list[Middleware]:
        settings = self.settings
        names = {getattr(route, "path", "").split("/")[1] for route in routes}
        proxies = Middleware(
            BehindProxies, trusted=settings.trusted_proxies, root_path=settings.root_path, own_names=names
        )
        hosts = (*settings.allow_host, *filter(None, [settings.space_host, settings.agent_host, settings.agent_name]))
        access = Access(hosts, settings.allow_origin)
        guard = Middleware(Guard, access=access)
        finder = Middleware(CallerFinder, tokens=self.tokens, apart=_AGENTS_ROOT, access=access)
        headers = Middleware(SecurityHeaders)
        rate, chosen = settings.requests_a_second, settings.rate_limit is not None
        limited = [Middleware(RateLimit, rate=rate, far_only=not chosen)] if rate else []
        if not settings.allow_origin:
            return [*self.watch.list_layers(), proxies, headers, guard, finder, *limited]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origin,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id", "X-Request-ID"],
        )
        return [*self.watch.list_layers(), proxies, headers, guard, cors, finder, *limited]

    @asynccontextmanager
    async def _run_parts(self, _: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if self.tokens is not None:
                stack.enter_context(refresh_on_hangup(self.tokens))
            for endpoint in self._endpoints:
                await stack.enter_async_context(endpoint.run())
            if self.first:
                await self._open()
            await stack.enter_async_context(self.watch.run(self._measure))
            yield
            await self._end_what_waits()
        await self.service.release()
        if self.console_api is not None and self.settings.workers == 1:
            click.echo(f"Stopped after {self.service.steps_taken} steps.", err=True)

    @property
    def _endpoints(self) -> list[StreamableHTTP]:
        return [self.agents, self.operators] if self.settings.operator else [self.agents]

    async def _measure(self) -> dict[str, int]:
        """How many episodes are open, and how many sessions of each kind."""
        counts = {"episodes": await self.service.count_open(), "agent": len(self.agents.sessions)}
        if self.settings.operator:
            counts["mcp"] = len(self.operators.sessions)
        if self.openenv is not None:
            counts["rpc"] = self.openenv.sessions.count_detached()
        return counts

    async def _end_what_waits(self) -> None:
        """End runs and sessions, so that no request waits for them when the server stops."""
        if self.openenv is not None:
            self.openenv.ready.stopping = True
        if self.console_api is not None:
            await self.console_api.close()
        for endpoint in self._endpoints:
            await endpoint.sessions.end_all()

    async def _open(self) -> None:
        """Open the incident that the settings name, if they name one, and print what its operator has to know."""
        settings = self.settings
        if settings.selection is not None:
            with acting_as(ANYBODY):
                episode = await self.service.resume(settings.selection)
            url = f"{settings.agent_address}{await self.agent_addresses.find_path(episode)}"
            click.echo(f"Agent endpoint of {episode.reference.scenario_id}: {url}", err=True)
        if settings.host not in LOOPBACK and not (settings.allow_host or settings.space_host):
            click.echo(
                "Requests that name another host than loopback get 421; --allow-host NAME accepts more.", err=True
            )
        if settings.public and self.tokens is None:
            click.echo(_OPEN_TO_ALL, err=True)
        if self.openenv is None and settings.operator:
            transports = "streamable HTTP and SSE" if settings.sse and settings.alone else "streamable HTTP"
            click.echo(f"MCP over {transports}: {settings.address}/mcp", err=True)


@dataclass(frozen=True, slots=True)
class _Negotiated:
    """One path, two dialects: MCP, and OpenEnv's plain JSON-RPC.

    Clients that ask for an event stream by name or speak of MCP in their headers mean MCP, and so does whatever is no
    POST. The rest is OpenEnv's, but for `initialize`, which there is in MCP alone.
    """

    mcp: ASGIApp
    answer_rpc: Callable[[bytes, Scope], Awaitable[Response]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or _means_mcp(scope):
            await self.mcp(scope, receive, send)
            return
        body = await read_body(Request(scope, receive))
        if b"initialize" in body and is_initialize(body):
            await self.mcp(scope, Replay(body, receive), send)
        else:
            await (await self.answer_rpc(body, scope))(scope, receive, send)


def _means_mcp(scope: Scope) -> bool:
    """Whether the headers of a request say that it is of MCP."""
    headers = scope["headers"]
    return (
        any(name.startswith(b"mcp-") for name, _ in headers) or read_accept(find_header(scope, b"accept")).names_events
    )
