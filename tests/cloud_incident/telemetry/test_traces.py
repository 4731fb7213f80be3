"""Traces: what is asked over HTTP, WebSocket and MCP makes spans that join the caller's trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from mcp import Client
from opentelemetry import context, trace
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.http_compat.talking import ANSWER, QUERY, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

pytestmark = pytest.mark.anyio

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
JOINED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
"""How a caller says which trace a call belongs to, in headers as in `_meta`."""


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """Keeps the spans of this process, for which there is one provider at most."""
    kept = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    yield kept
    kept.shutdown()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


def draw_tree(exporter: InMemorySpanExporter) -> list[str]:
    """The spans of the caller's trace, each with those that it is within, in the order in which they began."""
    ours = [span for span in exporter.get_finished_spans() if _trace_of(span) == TRACE]
    by_id = {_id_of(span): span for span in ours}

    def path(span: ReadableSpan) -> str:
        assert span.parent is not None
        parent = by_id.get(trace.format_span_id(span.parent.span_id))
        if parent is None:
            assert trace.format_span_id(span.parent.span_id) == PARENT
            return span.name
        return f"{path(parent)} > {span.name}"

    return [path(span) for span in sorted(ours, key=lambda span: span.start_time or 0)]


def _trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return trace.format_trace_id(span.context.trace_id)


def _id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return trace.format_span_id(span.context.span_id)


def test_a_step_over_http_joins_the_callers_trace(spans: InMemorySpanExporter) -> None:
    with full_server("--traces") as address, httpx2.Client(base_url=address) as api:
        handle = read_answer(api.post("/reset", json={"scenario_id": "AC-001"}))["observation"]["episode_id"]
        named = {"episode_id": handle}
        read_answer(api.post("/step", params=named, json=QUERY, headers=JOINED))
        read_answer(api.post("/step", params=named, json={"action_type": "x"}, headers=JOINED), 422)
        read_answer(api.post("/step", params=named, json=ANSWER, headers=JOINED))
        read_answer(api.get("/grader", params=named, headers=JOINED))
    step = ["POST /step", "POST /step > step", "POST /step > step > store append"]
    submission = [*step[:2], "POST /step > step > store load", step[2]]  # others may have stepped before the grade
    assert draw_tree(spans) == [*step, "POST /step", *submission, "GET /grader", "GET /grader > store load"]
    told = [dict(span.attributes or {}) for span in spans.get_finished_spans() if span.name == "step"]
    assert [attributes["cloud_incident.action"] for attributes in told] == ["query_logs", "submit_severity"]
    assert ["cloud_incident.score" in attributes for attributes in told] == [False, True]
    refused = [span for span in spans.get_finished_spans() if (span.attributes or {}).get("error.type")]
    assert [(span.attributes or {})["error.type"] for span in refused] == ["invalid_action"]


def test_generation_is_a_span_of_its_reset(spans: InMemorySpanExporter) -> None:
    with full_server("--traces") as address:
        drawn = {"task_id": "alert_classification", "seed": 311, "difficulty": 1}
        read_answer(httpx2.post(f"{address}/reset", json=drawn, headers=JOINED, timeout=60))
    assert draw_tree(spans) == [
        "POST /reset",
        "POST /reset > reset",
        "POST /reset > reset > generate",
        "POST /reset > reset > store expire",
        "POST /reset > reset > store create",
        "POST /reset > store read_secret",  # once, for the key in the address of the agent's endpoint
    ]


def test_each_message_on_a_websocket_is_a_span_of_the_callers_trace(spans: InMemorySpanExporter) -> None:
    with full_server("--traces") as address, open_talk(address, additional_headers=JOINED) as talk:
        talk.reset(scenario_id="AC-001")
        talk.step(QUERY)
    tree = draw_tree(spans)
    assert [entry for entry in tree if ">" not in entry] == ["/ws reset", "/ws step"]
    assert "/ws step > step > store append" in tree


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_call_of_a_tool_joins_the_trace_that_its_meta_names(spans: InMemorySpanExporter, era: str) -> None:
    with full_server("--traces") as address:
        async with Client(f"{address}/mcp", mode=era) as client:
            token = context.attach(extract(JOINED))  # the client writes the trace that it is in into `_meta`
            await client.call_tool("start_drill", {"incident": "AC-001"})
            context.detach(token)
    sent = "MCP send tools/call start_drill"
    assert draw_tree(spans)[:5] == [
        sent,
        f"{sent} > tools/call start_drill",
        f"{sent} > tools/call start_drill > reset",
        f"{sent} > tools/call start_drill > reset > store expire",
        f"{sent} > tools/call start_drill > reset > store create",
    ]


def test_a_call_without_meta_joins_the_trace_of_its_request(spans: InMemorySpanExporter) -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "start_drill",
            "arguments": {"incident": "AC-001"},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "start_drill",
    }
    with full_server("--traces") as address:
        read_answer(httpx2.post(f"{address}/mcp", json=call, headers={**headers, **JOINED}))
    tree = draw_tree(spans)
    assert tree[:3] == [
        "POST /mcp",
        "POST /mcp > tools/call start_drill",
        "POST /mcp > tools/call start_drill > reset",
    ]


def test_nothing_is_traced_unless_asked_for(spans: InMemorySpanExporter) -> None:
    with full_server() as address:
        read_answer(httpx2.post(f"{address}/reset", json={"scenario_id": "AC-001"}, headers=JOINED))
    assert draw_tree(spans) == []


def test_a_variable_that_names_an_endpoint_asks_for_traces(spans: InMemorySpanExporter) -> None:
    with full_server(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as address:
        httpx2.get(f"{address}/health", headers=JOINED)
    assert draw_tree(spans) == ["GET /health"]
    spans.clear()
    with full_server("--no-traces", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as address:
        httpx2.get(f"{address}/health", headers=JOINED)
    assert draw_tree(spans) == []
