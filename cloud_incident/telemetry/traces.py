"""Traces: spans of requests, of steps and resets, of the store and of generation, as OpenTelemetry has them.

The SDK of MCP makes a span of each of its messages itself, which joins the trace that the message's `_meta` names.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode

from cloud_incident import __version__
from cloud_incident.extras import require_extra
from cloud_incident.telemetry.calls import Sink, WatchedCall, clean
from env_core.service import EpisodeService
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from env_core.episode import Episode
    from env_core.selection import Selection
    from env_core.stores import Claim
    from env_core.transition import Transition
    from scenarios.vocabulary import Action

_TRACER = trace.get_tracer("cloud-incident", __version__)
_NANOSECONDS = 1_000_000_000


def send_traces() -> None:
    """Have the traces of this process sent to where OpenTelemetry's variables say, unless somebody else has them sent.

    Raises:
        MissingExtraError: if the packages of the extra are not installed.
    """
    require_extra("otel", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if "OTEL_SERVICE_NAME" in os.environ else {SERVICE_NAME: "cloud-incident"}
    provider = TracerProvider(resource=Resource.create({**named, SERVICE_VERSION: __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


class TraceSink(Sink):
    """Makes a span of each request and of each message on a WebSocket, and of what the store and the generator do."""

    def note_begin(self, call: WatchedCall) -> None:
        if call.kind == "call":
            return  # the SDK of MCP has made its span
        headers: list[tuple[bytes, bytes]] = call.scope["headers"]
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name in _CARRIED}
        span = _TRACER.start_span(call.kind, extract(carrier) if carrier else None, SpanKind.SERVER)
        call.held = span, context.attach(trace.set_span_in_context(span))

    def note_end(self, call: WatchedCall) -> None:
        if call.held is None:
            return
        span, token = call.held
        call.held = None
        context.detach(token)
        if span.is_recording():
            span.update_name(" ".join(filter(None, [call.method, call.name])))
            span.set_attributes(_describe(call))
            if call.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
        span.end()

    def note_store_call(self, operation: str, seconds: float, *, failed: bool) -> None:
        span = _start_before(f"store {operation}", seconds)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def note_made(self, scenario_id: str, seconds: float) -> None:
        span = _start_before("generate", seconds)
        span.set_attribute("cloud_incident.scenario", clean(scenario_id))
        span.end()


class TracedService(EpisodeService):
    """An episode service that makes a span of everything that it does to an episode."""

    async def create(self, selection: Selection, replacing: Claim | None = None) -> Episode:
        with _trace("reset") as span:
            return _tell(span, await super().create(selection, replacing))

    async def fork(self, claim: Claim, after: int | None = None, fork_id: str = "") -> Episode:
        with _trace("fork") as span:
            return _tell(span, await super().fork(claim, after, fork_id))

    async def step(
        self,
        target: str | Episode,
        sent: Action | Mapping[str, Any],
        request_id: str = "",
        incarnation: str = "",
    ) -> Transition:
        with _trace("step") as span:
            transition = await super().step(target, sent, request_id, incarnation)
            episode = _tell(span, transition.episode)
            span.set_attribute("cloud_incident.action", episode.steps[-1].action.name)
            return transition

    async def close(self, episode_id: str, incarnation: str = "") -> None:
        with _trace("close"):
            await super().close(episode_id, incarnation)


_CARRIED = frozenset({b"traceparent", b"tracestate", b"baggage"})


def _describe(call: WatchedCall) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "cloud_incident.surface": call.way,
        "cloud_incident.request_id": call.request_id,
        "http.route": call.route,
    }
    if call.kind == "request":
        attributes["http.request.method"] = call.method
        attributes["http.response.status_code"] = call.status
    if call.refusal:
        attributes["error.type"] = call.refusal
    return attributes


@contextmanager
def _trace(name: str) -> Iterator[trace.Span]:
    """A span that tells of a refusal by its code; what messages say may be others' words."""
    with _TRACER.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
        try:
            yield span
        except CloudIncidentError as error:
            span.set_attribute("error.type", error.code)
            raise


def _start_before(name: str, seconds: float) -> trace.Span:
    """A span of work that has been done by now and took some seconds."""
    return _TRACER.start_span(name, start_time=time.time_ns() - int(seconds * _NANOSECONDS))


def _tell(span: trace.Span, episode: Episode) -> Episode:
    """The episode, of which the span tells. A score is told at the end, when it is no secret any more."""
    span.set_attribute("cloud_incident.episode_id", clean(episode.id))
    span.set_attribute("cloud_incident.task", episode.task.id)
    if episode.grade is not None:
        span.set_attribute("cloud_incident.score", episode.grade.score)
    return episode
