"""Launching the server: MCP on a transport, or everything on one port."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import click

from cloud_incident import __version__
from cloud_incident.console.app import document
from cloud_incident.garbage import collect_seldom
from mcp_server import build_server
from mcp_server.binding import OneCaller

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from cloud_incident.settings import Settings
    from env_core.selection import Selection


_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - told apart, not bound


async def run_stdio(settings: Settings, selection: Selection | None, *, agent: bool) -> None:
    """Serve one client over stdio. With a selection its incident is open from the start."""
    from mcp_server.transports import serve_stdio

    service, structured = settings.service(), settings.structured
    episode = await service.create(selection) if selection is not None else None
    if not agent:
        opened = [episode] if episode is not None else []
        server = build_server(
            service,
            version=__version__,
            callers=lambda: OneCaller(*opened),
            structured=structured,
            app=document(),
        )
    elif episode is not None:
        click.echo(f"The agent works {episode.reference.scenario_id}.", err=True)
        bound = episode.id
        server = build_server(
            service, version=__version__, bound=lambda _: bound, episode=episode, structured=structured
        )
    else:
        raise ValueError("the agent profile needs an incident")
    await serve_stdio(server)


def run_http(settings: Settings, selection: Selection | None, *, agent: bool, sse: bool) -> None:
    """Serve MCP over HTTP until stopped. A selected incident is open from the start; the addresses are printed."""
    from cloud_incident.app import AGENT_PATH, build_app

    service = settings.service(loaded=True)
    address = address_of(settings)

    async def opening() -> None:
        if selection is not None:
            episode = await service.create(selection)
            path = AGENT_PATH.format(episode_id=episode.id)
            click.echo(f"Agent endpoint of {episode.reference.scenario_id}: {address}{path}", err=True)
        warn_of_hosts(settings)
        if not agent:
            click.echo(f"MCP over {'streamable HTTP and SSE' if sse else 'streamable HTTP'}: {address}/mcp", err=True)

    if selection is not None:
        selection.choose(service.catalogue)
    app = build_app(
        service,
        access=settings.access,
        operator=not agent,
        sse=sse,
        structured=settings.structured,
        opening=opening,
    )
    serve(app, settings)


def serve(app: Starlette, settings: Settings) -> None:
    """Run an application under uvicorn until SIGTERM or Ctrl-C: running requests end, WebSockets are closed (1012)."""
    server = make_server(app, settings)
    collect_seldom()
    sockets = [_bound(settings.host, port) for port in settings.ports]
    signal.signal(signal.SIGTERM, _ended)  # uvicorn raises the signal anew when it has shut down
    server.run(sockets)


def make_server(app: Starlette, settings: Settings) -> uvicorn.Server:
    """The uvicorn server of an application, which binds no port by itself.

    On a stop it first awaits the application's `state.stopping`, which ends what running requests wait for.
    """
    import uvicorn

    from http_compat.reading import MOST_BODY_BYTES

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if (stopping := getattr(app.state, "stopping", None)) is not None:
                await stopping()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        host=settings.host,
        ws="websockets-sansio",
        ws_max_size=MOST_BODY_BYTES,
        ws_per_message_deflate=False,  # 40 KB of memory for every connection, and the messages are small
        log_level="warning",
        proxy_headers=True,
        forwarded_allow_ips="*" if settings.space else None,
        timeout_graceful_shutdown=5,
    )
    return Server(config)


def _ended(*_: object) -> None:
    raise SystemExit(0)


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


def address_of(settings: Settings) -> str:
    """Where a server is reached on this machine."""
    named = "localhost" if settings.host in _EVERYWHERE else settings.host
    host = f"[{named}]" if ":" in named else named
    return f"http://{host}:{settings.ports[0]}"


def warn_of_hosts(settings: Settings) -> None:
    """Say so where the server listens to others but would refuse them."""
    from http_compat.guard import LOOPBACK

    if settings.host not in LOOPBACK and not settings.access.hosts:
        click.echo("Requests that name another host than loopback get 421; --allow-host NAME accepts more.", err=True)
