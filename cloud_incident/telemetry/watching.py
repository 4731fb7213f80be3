"""What watches a server, as its settings ask: nothing is imported, wrapped or called for what they do not ask for."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
import click

from cloud_incident.extras import MissingExtraError
from cloud_incident.settings.watching import LogFormat, LogScope
from cloud_incident.telemetry.messages import MessagesWatch
from cloud_incident.telemetry.storing import WatchedStore
from env_core.service import EpisodeService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from mcp.server.context import ServerMiddleware
    from starlette.middleware import Middleware

    from cloud_incident.settings.watching import WatchingSettings
    from cloud_incident.telemetry.calls import Sink
    from cloud_incident.telemetry.metrics import MetricsSink
    from env_core.callers import Caller
    from env_core.service import Limits
    from env_core.stores import EpisodeStore
    from scenarios.catalogue import Catalogue

METRICS_PATH: Final = "/metrics"

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""The variables of OpenTelemetry that name where traces are sent to."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What watches one server.

    `sinks` are told of everything. `metrics` are those that the server gives, and `port` the one that has them alone.
    """

    sinks: tuple[Sink, ...] = ()
    metrics: MetricsSink | None = None
    port: int | None = None
    traced: bool = False

    @classmethod
    def build(cls, settings: WatchingSettings, *, counts: bool = True) -> Self:
        """What the settings ask for. Without `counts` there are no metrics, since nobody could ask for them.

        Raises:
            MissingExtraError: if they ask for traces, and the packages of that extra are not installed.
        """
        sinks: list[Sink] = []
        metrics: MetricsSink | None = None
        if traced := _send_traces(settings.traces):
            from cloud_incident.telemetry.traces import TraceSink

            sinks.append(TraceSink())  # the first, so that its span holds whatever the others note
        if settings.log is not LogScope.WARNINGS:
            from cloud_incident.telemetry.logs import LogSink

            sinks.append(LogSink(requests=settings.log is LogScope.REQUESTS))
        if settings.counts and counts:
            from cloud_incident.telemetry.metrics import MetricsSink

            metrics = MetricsSink()
            sinks.append(metrics)
        return cls(tuple(sinks), metrics, settings.metrics_port, traced)

    def make_service(
        self, catalogue: Catalogue, store: EpisodeStore, limits: Limits, unnamed: Caller
    ) -> EpisodeService:
        """An episode service that is watched."""
        if not self.sinks:
            return EpisodeService(catalogue, store, limits, unnamed)
        kind: type[EpisodeService] = EpisodeService
        if self.traced:
            from cloud_incident.telemetry.traces import TracedService

            kind = TracedService
        if self.traced or self.metrics is not None:
            store = WatchedStore(store, self.sinks)
        service = kind(catalogue, store, limits, unnamed)
        service.witnesses.extend(self.sinks)
        return service

    def list_layers(self) -> list[Middleware]:
        """The layers that watch the application, the outermost first."""
        if not self.sinks:
            return []
        from starlette.middleware import Middleware

        from cloud_incident.telemetry.layer import CallsLayer, MetricsPort

        layers = [Middleware(CallsLayer, sinks=self.sinks)]
        if self.metrics is not None and self.port is not None:
            layers.insert(0, Middleware(MetricsPort, serve=self.metrics.serve, port=self.port))
        return layers

    def watch_messages(self, surface: str) -> Sequence[ServerMiddleware[Any]]:
        """What watches the messages of MCP that come over a surface."""
        if not self.sinks:
            return ()
        return (MessagesWatch(self.sinks, surface),)

    @asynccontextmanager
    async def run(self, measure: Callable[[], Awaitable[Mapping[str, int]]]) -> AsyncIterator[None]:
        """Count now and then, while this is entered, what `measure` counts."""
        if self.metrics is None:
            yield
            return
        self.metrics.measure = measure
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.metrics.keep_fresh)
            yield
            tasks.cancel_scope.cancel()


def configure_logs(settings: WatchingSettings, *, always: bool) -> None:
    """Have logs written as the settings ask; where they ask for nothing only if `always`."""
    if always or settings.log is not LogScope.WARNINGS or settings.log_format is not LogFormat.TEXT:
        from cloud_incident.telemetry.logs import configure

        configure(settings.log_format)


def _send_traces(wanted: bool | None) -> bool:
    """Have traces sent if they are wanted; None: if a variable says where to. Whether they are sent."""
    if wanted is False or (wanted is None and not any(map(os.environ.get, _ENDPOINTS))):
        return False
    from cloud_incident.telemetry.traces import send_traces

    try:
        send_traces()
    except MissingExtraError as error:
        if wanted:
            raise
        click.echo(f"No traces are sent: {error}", err=True)
        return False
    return True
