"""`cloud-incident mcp`: the MCP server on one transport."""

from __future__ import annotations

import anyio
import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import with_settings
from cloud_incident.settings.mcp import McpSettings, Transport
from cloud_incident.stdio import run_stdio


@click.command(cls=ReportingCommand)
@with_settings(McpSettings)
def mcp(settings: McpSettings) -> None:
    """Run the MCP server."""
    if settings.transport is Transport.STDIO:
        anyio.run(run_stdio, settings)
        return
    # Over stdio this server answers `tools/list` MEASURE ms sooner without the imports of the HTTP application.
    from cloud_incident.app import build_app
    from cloud_incident.listening import run_app

    run_app(build_app(settings), settings)
