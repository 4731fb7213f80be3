"""Logs: a line for each request, message and call, and for what becomes of episodes; nothing secret or forged in it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest

from cloud_incident.telemetry.logs import EVENTS, FIELDS, JsonLines, TextLines
from cloud_incident.telemetry.seldom import SeldomFilter
from tests.cloud_incident.bounds.raw import Raw, read_status
from tests.cloud_incident.telemetry.playing import play_by_every_door, play_over_rest
from tests.cloud_incident.tokens.holding import WRONG, Tokens, bearer, guarded_server
from tests.http_compat.talking import QUERY, open_for_agent, open_talk, read_answer
from tests.servers import full_server, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVENT_LOG = "cloud_incident.events"


class Lines(logging.Handler):
    """Keeps lines as they are written in a format."""

    def __init__(self, style: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(style)
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))

    @property
    def read(self) -> list[dict[str, Any]]:
        """The lines as what they say; each has to be one line of JSON."""
        assert not any("\n" in line for line in self.written)
        return [json.loads(line) for line in self.written]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines that tell of an event."""
        return [line for line in self.read if line["event"] == event]


@pytest.fixture
def listen() -> Iterator[Callable[[logging.Formatter], Lines]]:
    """Gives what is logged from then on, in a format."""
    logger = logging.getLogger(EVENT_LOG)
    level, added = logger.level, []

    def attach(style: logging.Formatter) -> Lines:
        handler = Lines(style)
        added.append(handler)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        return handler

    yield attach
    logger.setLevel(level)
    for handler in added:
        logger.removeHandler(handler)


@pytest.fixture
def lines(listen: Callable[[logging.Formatter], Lines]) -> Lines:
    return listen(JsonLines())


def test_each_request_has_a_line(lines: Lines) -> None:
    with full_server("--log", "requests") as address, httpx2.Client(base_url=address) as api:
        handle = play_over_rest(api)
    told = [(line["method"], line["route"], line["status"], line.get("refusal")) for line in lines.of("request")]
    assert told == [
        ("POST", "/reset", 200, None),
        ("POST", "/step", 200, None),
        ("POST", "/fork", 200, None),
        ("POST", "/step", 422, "invalid_action"),
        ("POST", "/step", 200, None),
        ("GET", "/grader", 200, None),
        ("POST", "/close", 200, None),
        ("GET", "", 404, "http_404"),
        ("POST", "/reset", 200, None),
    ]
    assert [line["event"] for line in lines.read if line["event"] != "request"] == [
        "opened",
        "forked",
        "ended",
        "closed",
        "opened",
    ]
    (ended,) = lines.of("ended")
    assert (ended["episode_id"], ended["task"], ended["scenario"], ended["steps"]) == (
        handle,
        "alert_classification",
        "AC-001",
        2,
    )
    assert 0 <= ended["score"] <= 1
    grading = lines.of("request")[5]
    assert (grading["surface"], grading["episode_id"]) == ("rest", handle)
    assert grading["ms"] > 0
    assert grading["bytes"] > 1000
    opening, asking = lines.of("opened")[0], lines.of("request")[0]
    assert opening["request_id"] == asking["request_id"]
    assert len({line["request_id"] for line in lines.of("request")}) == 9


def test_each_message_and_call_has_a_line_on_every_surface(lines: Lines) -> None:
    with full_server("--log", "requests") as address:
        anyio.run(play_by_every_door, address)
    messages = [(line["operation"], line.get("refusal")) for line in lines.of("message") if "operation" in line]
    assert messages == [("reset", None), ("step", None), ("step", None)]
    assert [line["refusal"] for line in lines.of("message") if "operation" not in line] == ["unknown_method"]
    calls = [(line["surface"], line["operation"]) for line in lines.of("call") if "operation" in line]
    started, looked = "start_drill", "query_logs"
    assert calls == [
        ("mcp", started),
        ("mcp", looked),
        ("agent", looked),
        ("mcp", started),
        ("mcp", looked),
        ("agent", looked),
        ("sse", started),
        ("sse", looked),
    ]
    stepped = [line for line in lines.of("call") if line.get("operation") == looked]
    assert all(line["episode_id"] for line in stepped)
    by_request = {line["request_id"]: line for line in lines.of("request")}
    assert {by_request[line["request_id"]]["route"] for line in stepped} == {
        "/mcp",
        "/agent/{key}/mcp",
        "/messages",
    }
    (rpc,) = [line for line in lines.read if line["surface"] == "rpc"]
    assert (rpc["event"], rpc["operation"]) == ("request", "tools/list")
    closed = lines.of("closed")[-1]
    assert (closed["surface"], closed["event"]) == ("websocket", "closed")


def test_every_field_and_event_is_declared(lines: Lines) -> None:
    with full_server("--log", "requests") as address:
        anyio.run(play_by_every_door, address)
    for line in lines.read:
        assert set(line) <= set(FIELDS)
        assert line["event"] in EVENTS


def test_episodes_alone_are_logged_with_what_is_refused(lines: Lines) -> None:
    with full_server("--log", "episodes") as address, httpx2.Client(base_url=address) as api:
        play_over_rest(api)
    assert [(line["event"], line.get("refusal")) for line in lines.read] == [
        ("opened", None),
        ("forked", None),
        ("refused", "invalid_action"),
        ("ended", None),
        ("closed", None),
        ("refused", "http_404"),
        ("opened", None),
    ]


def test_an_episode_that_makes_room_has_expired(lines: Lines) -> None:
    with full_server("--log", "episodes", "--capacity", "1") as address, httpx2.Client(base_url=address) as api:
        read_answer(api.post("/reset", json={"scenario_id": "AC-001", "episode_id": "first"}))
        read_answer(api.post("/reset", json={"scenario_id": "AC-001", "episode_id": "second"}), 503)
        answer = {"action_type": "submit_severity", "parameters": {"severity": "P1"}}
        read_answer(api.post("/step", params={"episode_id": "first"}, json=answer))
        read_answer(api.post("/reset", json={"scenario_id": "AC-001", "episode_id": "second"}))
    assert [(line["event"], line.get("episode_id")) for line in lines.read] == [
        ("opened", "first"),
        ("refused", None),
        ("ended", "first"),
        ("expired", "first"),
        ("opened", "second"),
    ]


def test_nothing_is_logged_unless_asked_for(lines: Lines) -> None:
    with full_server() as address, httpx2.Client(base_url=address) as api:
        play_over_rest(api)
    assert lines.written == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a-Request.1_x", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("two words", False),
        ('"quoted"', False),
        ("ünïcode", False),
        ("a\tb", False),
    ],
)
def test_a_request_id_is_kept_if_it_is_well_formed(lines: Lines, sent: str, *, kept: bool) -> None:
    with full_server("--log", "requests") as address:
        answer = httpx2.get(f"{address}/health", headers=[(b"X-Request-ID", sent.encode())])
    given = answer.headers["x-request-id"]
    assert (given == sent) is kept
    assert lines.of("request")[0]["request_id"] == given
    assert len(given) <= 64


def test_a_websocket_is_told_its_request_id(lines: Lines) -> None:
    with (
        full_server("--log", "requests") as address,
        open_talk(address, additional_headers={"X-Request-ID": "my-socket"}) as talk,
    ):
        assert talk.socket.response is not None
        assert talk.socket.response.headers["X-Request-ID"] == "my-socket"
        talk.state()
    assert lines.of("message")[0]["request_id"] == "my-socket"


FORGED = "x\n2026-01-01T00:00:00Z INFO ended score=1.0\r\u2028\u0085\x1b[2J"
"""A name that would make lines of its own, and clear a terminal."""


@pytest.mark.parametrize("style", [JsonLines(), TextLines()], ids=["json", "text"])
def test_what_clients_send_forges_no_line(
    listen: Callable[[logging.Formatter], Lines], style: logging.Formatter
) -> None:
    lines = listen(style)
    with full_server("--log", "requests") as address, httpx2.Client(base_url=address) as api:
        call = {"jsonrpc": "2.0", "id": 1, "method": FORGED}
        api.post("/mcp", json={**call, "method": "tools/call", "params": {"name": FORGED, "session_id": FORGED}})
        api.post("/mcp", json=call)
        api.post("/mcp", json=call, headers={"Accept": "application/json, text/event-stream"})
        api.post("/step", params={"episode_id": FORGED}, json={**QUERY, "action_type": FORGED})
        api.get(f"/agent/{httpx2.QueryParams({'x': FORGED})}/mcp")
        api.request("GET", "/agent/x%0A2026%20INFO%20ended%1B[2J/mcp")
        api.get("/health", headers={"User-Agent": "a", "X-Request-ID": "a b"})
        with open_talk(address) as talk:
            talk.expect_error({"type": FORGED})
            talk.expect_error(FORGED)
    assert len(lines.written) >= 9
    for line in lines.written:
        assert len(line.splitlines()) == 1
        assert line.isprintable()
        assert " INFO ended" not in line[1:].replace("%20", " ").split('"')[0]


def test_a_line_tells_neither_tokens_nor_bodies_nor_the_truth(lines: Lines) -> None:
    secrets = {"Authorization": "Bearer s3cr3t-token", "Cookie": "episode_id=c00kie~x"}
    with full_server("--log", "requests") as address, httpx2.Client(base_url=address, headers=secrets) as api:
        handle = read_answer(api.post("/reset", json={"scenario_id": "RCA-001"}))["observation"]["episode_id"]
        api.get("/health?token=qu3ry")
        query = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
        read_answer(api.post("/step", params={"episode_id": handle}, json=query))
        wrong = {"service": "b0dy-of-a-request", "failure_mode": "an answer"}
        api.post("/step", params={"episode_id": handle}, json={"action_type": "submit_root_cause", "parameters": wrong})
        truth = read_answer(api.get("/grader", params={"episode_id": handle}))["debrief"]
    written = "\n".join(lines.written)
    for secret in ("s3cr3t-token", "c00kie", "qu3ry", "b0dy-of-a-request", "api-gateway"):
        assert secret not in written
    assert truth is None or truth["root_cause"] not in written


def test_the_key_of_an_agents_endpoint_is_in_no_line(lines: Lines) -> None:
    with full_server("--log", "requests") as address, httpx2.Client(base_url=address) as api:
        url = open_for_agent(api, scenario_id="AC-001")
        assert api.post(url, json={}).status_code < 500
    key = url.rsplit("/", 2)[1]
    assert [line["route"] for line in lines.of("request")] == ["/reset", "/agent/{key}/mcp"]
    assert not any(key in line for line in lines.written)


def test_a_caller_is_told_by_name_and_never_by_token(lines: Lines, tmp_path: Path) -> None:
    tokens = Tokens.write(tmp_path / "tokens")
    secret = tokens.alice["operate"]
    with (
        guarded_server(tokens, log="requests") as address,
        httpx2.Client(base_url=address, headers=bearer(secret)) as api,
    ):
        read_answer(api.post("/reset", json={"scenario_id": "AC-001"}))
        api.get("/health", headers=bearer(WRONG))
    assert {line.get("caller") for line in lines.read if line.get("route") != "/health"} == {"alice"}
    assert not any(secret in line or WRONG in line for line in lines.written)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["json", "text"])
def test_a_server_writes_its_log_on_standard_error(style: str) -> None:
    with started("serve", "--log", "requests", "--log-format", style) as (address, process):
        httpx2.get(f"{address}/health")
        process.terminate()
        _, written = process.communicate(timeout=30)
    told = [line for line in written.decode().splitlines() if "/health" in line]
    assert len(told) == 1
    if style == "json":
        assert json.loads(told[0])["route"] == "/health"
    else:
        assert " INFO request surface=rest method=GET route=/health status=200 " in told[0]


@pytest.mark.slow
def test_over_stdio_the_log_leaves_standard_output_alone() -> None:
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _HELLO},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "start_drill", "arguments": {}}},
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "cloud_incident", "mcp", "--log", "requests", "--log-format", "json"],
        input="".join(json.dumps(message) + "\n" for message in [*asked, "no message"]),
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2, None]
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line.get("event"), line.get("surface"), line.get("operation")) for line in told] == [
        ("call", "stdio", None),
        ("opened", "stdio", None),
        ("call", "stdio", "start_drill"),
        (None, None, None),
    ]
    assert "refused" in told[-1]["message"]


_HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.mark.slow
def test_a_flood_of_bad_requests_does_not_fill_the_log() -> None:
    """One line a second at most of each kind: not HTTP, headers too long, no such session."""
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    nonsense = [b"\x00\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 66_000 + b"\r\n\r\n"]
    began = time.monotonic()
    with started("serve", "--store", "memory") as (address, process):
        with Raw(address) as raw, httpx2.Client(base_url=address) as api:
            for number in range(300):
                assert read_status(raw.send(nonsense[number % 2])) in {0, 400, 431}
                api.post("/messages", params={"session_id": "0" * 32}, json=ping)
        process.terminate()
        assert process.stderr is not None
        told = process.stderr.read().decode()
    seconds = time.monotonic() - began
    for message in ("Invalid HTTP request received.", "Could not find session for ID"):
        assert 1 <= told.count(message) <= seconds + 1, told


def test_what_was_left_out_is_counted() -> None:
    now = [0.0]
    handler = Lines(TextLines())
    handler.addFilter(SeldomFilter(EVENT_LOG, lambda: now[0]))
    logger = logging.Logger("uvicorn.error")
    logger.addHandler(handler)

    def warn(count: int) -> None:
        for _ in range(count):
            logger.warning("%s is no request", "it")

    warn(5)
    logger.warning("another kind")
    now[0] = 1.5
    warn(1)
    now[0] = 3.0
    warn(1)
    told = [line.partition("uvicorn.error: ")[2] for line in handler.written]
    assert told == [
        "it is no request",
        "another kind",
        "it is no request (4 more like it were left out)",
        "it is no request",
    ]


@pytest.mark.parametrize("style", [JsonLines(), TextLines()], ids=["json", "text"])
def test_what_libraries_say_of_requests_forges_no_line_and_is_short(style: logging.Formatter) -> None:
    handler = Lines(style)
    logger = logging.Logger("mcp.server.sse")
    logger.addHandler(handler)
    logger.warning("Received invalid session ID: %s", FORGED * 1_000)
    try:
        raise ValueError(FORGED)
    except ValueError:
        logger.exception("Failed to parse message")
    short, traceback = handler.written
    assert len(short) < 1_000
    assert short.isprintable()
    for line in traceback.splitlines()[1:]:
        assert line.startswith("    ")
        assert line.isprintable()
    assert "ValueError" in traceback


@pytest.mark.parametrize("body", [b"{" * 1_000, b'{"jsonrpc": "2.0", "id": {"api_key": "s3cr3t"}, "method": 1}'])
def test_a_message_over_sse_that_is_none_is_refused_and_not_logged(
    caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    with full_server() as address, Raw(address) as raw:
        stream = raw.send(b"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n")
        started = b""
        while b"session_id=" not in started:
            started += stream.recv(4096)
        path = started.split(b"data: ")[1].split()[0].decode()
        refused = httpx2.post(f"{address}{path}", content=body, headers={"Content-Type": "application/json"})
        assert "no message" in read_answer(refused, 400)["detail"]
    assert not caplog.text
