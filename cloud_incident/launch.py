"""Launching the MCP server on a transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cloud_incident import __version__
from mcp_server import build_server
from mcp_server.binding import OneCaller

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from cloud_incident.settings import Settings
    from env_core.selection import Selection


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def run_stdio(settings: Settings, selection: Selection | None, *, agent: bool) -> None:
    """Serve one client over stdio. With a selection its incident is open from the start."""
    from mcp_server.transports import serve_stdio

    service, structured = settings.service(), settings.structured
    episode = await service.create(selection) if selection is not None else None
    if not agent:
        opened = [episode] if episode is not None else []
        server = build_server(service, version=__version__, callers=lambda: OneCaller(*opened), structured=structured)
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
    """Serve over HTTP until stopped. A selected incident is open from the start; the addresses are printed."""
    from cloud_incident.app import AGENT_PATH, build_app

    service = settings.service(loaded=True)
    address = f"http://{settings.host}:{settings.port}"

    async def opening() -> None:
        if selection is not None:
            episode = await service.create(selection)
            path = AGENT_PATH.format(episode_id=episode.id)
            click.echo(f"Agent endpoint of {episode.reference.scenario_id}: {address}{path}", err=True)
        if settings.host not in _LOOPBACK and not settings.hosts:
            click.echo(
                "Requests that name another host than loopback get 421; --allow-host NAME accepts more.", err=True
            )
        if not agent:
            click.echo(f"MCP over {'streamable HTTP and SSE' if sse else 'streamable HTTP'}: {address}/mcp", err=True)

    if selection is not None:
        selection.resolve(service.catalogue)
    app = build_app(
        service,
        hosts=settings.hosts,
        operator=not agent,
        sse=sse,
        structured=settings.structured,
        opening=opening,
    )
    serve(app, settings)


def serve(app: Starlette, settings: Settings) -> None:
    """Run an application under uvicorn."""
    import uvicorn

    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        ws="websockets-sansio",
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
