"""`cloud-incident mcp`: the MCP server on one transport."""

from __future__ import annotations

import anyio
import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.interrupts import end_at_once_on_interrupt
from cloud_incident.cli.options import with_settings
from cloud_incident.settings.mcp import McpSettings, Transport
from cloud_incident.stdio import run_stdio
from cloud_incident.workers import run_server


@click.command(cls=ReportingCommand)
@with_settings(McpSettings)
def mcp(settings: McpSettings) -> None:
    """Run the MCP server."""
    if settings.transport is Transport.STDIO:
        # A thread waits for the next line, which nothing else can interrupt.
        end_at_once_on_interrupt()
        anyio.run(run_stdio, settings)
        return
    # Its imports take 200 ms, and over stdio `tools/list` would be answered that much later.
    from cloud_incident.app import build_app

    run_server(build_app, settings)
