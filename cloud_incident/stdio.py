"""MCP over stdio: one client, for as long as it stays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloud_incident import __version__
from cloud_incident.console.app import read_document
from cloud_incident.telemetry.watching import Watch, configure_logs
from mcp_server import build_server
from mcp_server.binding import OneCaller, bind_to
from mcp_server.stdio import PROCESS_ADVICE, PROCESS_NOTE, serve_stdio

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from cloud_incident.settings.mcp import McpSettings
    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from mcp_server.binding import Callers


_SURFACE = "stdio"


async def run_stdio(settings: McpSettings) -> None:
    """Serve one client over standard input and output. An incident that the settings name is open from the start.

    Raises:
        ClickException: if standard input or output is closed.
        DocumentError: if a document of a further directory is not valid.
        InvalidActionError, SelectionError, UnknownScenarioError: if there is no incident to open.
    """
    if sys.stdin is None or sys.stdout is None:
        raise click.ClickException("Standard input or output is closed; MCP clients talk to this command over both.")
    configure_logs(settings, always=False)
    watch = Watch.build(settings, counts=False)
    service = settings.build_service(loaded=False, make=watch.make_service)
    selection = settings.selection
    episode = await service.resume(selection) if selection is not None else None
    if settings.operator:
        server = _build_operator_server(settings, service, episode, watch)
    elif episode is not None:
        click.echo(f"The agent works {episode.reference.scenario_id}.", err=True)
        server = _build_agent_server(settings, service, episode, watch)
    else:
        raise ValueError("the agent profile needs an incident")
    if sys.stdin.isatty():
        click.echo(_describe_use(), err=True)
    await serve_stdio(server, note="" if episode is None or settings.episode_id else PROCESS_NOTE)


def _describe_use() -> str:
    """What a person at a terminal is told, who has started what a client should start."""
    command = Path(sys.executable).with_name("cloud-incident")
    return (
        "This is an MCP server. It waits for messages of an MCP client on standard input.\n"
        f"Your client starts it by itself: give it the command `{command} mcp`; the README has the configurations.\n"
        "`cloud-incident serve` is for a browser, `cloud-incident demo` plays an incident here. Ctrl-C ends this."
    )


def _build_operator_server(
    settings: McpSettings, service: EpisodeService, episode: Episode | None, watch: Watch
) -> Server[Callers]:
    opened = [] if episode is None else [episode]
    return build_server(
        service,
        version=__version__,
        callers=lambda: OneCaller(*opened, advice=PROCESS_ADVICE),
        structured=settings.structured_content,
        app=read_document(),
        training=settings.training,
        around=watch.watch_messages(_SURFACE),
    )


def _build_agent_server(
    settings: McpSettings, service: EpisodeService, episode: Episode, watch: Watch
) -> Server[Callers]:
    return build_server(
        service,
        version=__version__,
        bound=bind_to(episode),
        episode=episode,
        around=watch.watch_messages(_SURFACE),
        structured=settings.structured_content,
    )
