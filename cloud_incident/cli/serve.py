"""`cloud-incident serve`: everything on one port."""

from __future__ import annotations

import click

from cloud_incident.app import build_app
from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import with_settings
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.settings.server import build_address
from cloud_incident.workers import run_server


@click.command(cls=ReportingCommand)
@with_settings(ServeSettings)
def serve(settings: ServeSettings) -> None:
    """Serve everything on one port: REST, WebSocket, MCP.

    OpenEnv's REST and WebSocket, MCP over streamable HTTP (/mcp) and SSE (/sse), the API's page (/docs).
    """
    run_server(build_app, settings, _write_banner)


def _write_banner(settings: ServeSettings) -> str:
    """Where everything is, and what whoever reaches it may do."""
    address = settings.address
    agents = (
        "Agents' endpoints are there too; --agent-port gives agents a port that has nothing else, for fair evaluations."
        if settings.agent_port is None
        else f"Agents' endpoints alone are at {settings.agent_address}. Keep agents from {address}."
    )
    rights = (
        f"Whoever reaches {address} may start, step, grade and close every episode."
        if settings.tokens is None
        else f"At {address} callers may do what their tokens say."
    )
    shared = f" {settings.workers} processes serve it." if settings.workers > 1 else ""
    metrics = f" Metrics are at {_locate_metrics(settings)}." if settings.counts else ""
    return (
        f"Cloud Incident at {address}, its API at {address}/docs, MCP at {address}/mcp. Ctrl-C ends it.{shared}\n"
        f"{rights} {agents} {_describe_store(settings)}{metrics}"
    )


def _describe_store(settings: ServeSettings) -> str:
    if settings.keeps_in_memory:
        return "Episodes are in memory and end with the server; --store keeps them."
    # The address of a store may hold a password.
    return f"Episodes are kept in {'Redis' if settings.shared_by_machines else settings.store}."


def _locate_metrics(settings: ServeSettings) -> str:
    port = settings.metrics_port
    return f"{settings.address if port is None else build_address(settings.host, port)}/metrics"


def main() -> None:
    """Run `cloud-incident serve` on every interface, with settings from variables and a file alone."""
    serve.main(["--host", "0.0.0.0"], prog_name="server")  # noqa: S104 - what runs a container wants to reach it
