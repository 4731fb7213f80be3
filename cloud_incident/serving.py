"""Everything on one port: REST, WebSocket, MCP over streamable HTTP and SSE."""

from __future__ import annotations

from importlib.metadata import metadata
from typing import TYPE_CHECKING

import click

from cloud_incident.app import build_app
from cloud_incident.console.api import ConsoleApi
from cloud_incident.console.surface import Console
from cloud_incident.launch import address_of, serve, warn_of_hosts
from http_compat.about import About
from http_compat.surface import Mode, OpenEnvSurface

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from cloud_incident.settings import Settings


def about() -> About:
    """What the server says of itself."""
    known = metadata("cloud-incident")
    return About(
        name="cloud-incident",
        title="Cloud Incident Response",
        description=known["Summary"],
        version=known["Version"],
        author=known["Author"],
    )


def served(
    settings: Settings, mode: Mode = Mode.SIMULATION, *, shared_default: bool = True, most_sessions: int = 1_000
) -> Starlette:
    """The application with every surface."""
    service = settings.service(loaded=True)
    console = ConsoleApi(service, settings.evaluations, settings.asks_models, settings.framed_by)
    surface = OpenEnvSurface(
        service,
        about(),
        mode,
        shared_default=shared_default,
        most_sessions=most_sessions,
        idle_seconds=settings.idle_seconds,
        framed_by=settings.framed_by,
        further=tuple(console.bind_operations()),
        pages=tuple(Console(settings.framed_by).build_routes()),
    )

    async def opening() -> None:
        warn_of_hosts(settings)

    async def closing() -> None:
        await console.close()
        click.echo(f"Stopped after {service.steps_taken} steps.", err=True)

    app = build_app(
        service,
        access=settings.access,
        openenv=surface,
        structured=settings.structured,
        opening=opening,
        closing=closing,
    )
    app.state.stopping = console.close
    return app


def run(app: Starlette, settings: Settings) -> None:
    """Serve until stopped."""
    address = address_of(settings)
    click.echo(f"Cloud Incident at {address}, its API at {address}/docs, MCP at {address}/mcp.", err=True)
    serve(app, settings)


def application() -> Starlette:
    """What `cloud-incident serve` would serve by the variables of the environment, for ASGI servers."""
    from cloud_incident.cli import application_of, serve

    with serve.make_context("serve", [], auto_envvar_prefix="CLOUD_INCIDENT_SERVE") as context:
        # Where the server listens is for whoever runs it to know: that it is loopback alone must not be assumed.
        asks = context.params["model_endpoints"] or False
        return application_of(**{**context.params, "model_endpoints": asks})[0]


def main() -> None:
    """`cloud-incident serve` on every interface."""
    from cloud_incident.cli import serve

    serve.main(["--host", "0.0.0.0"], prog_name="server", auto_envvar_prefix="CLOUD_INCIDENT_SERVE")  # noqa: S104
