"""Sessions of MCP: how many there are, and what is kept of their clients."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.cloud_incident.bounds.raw import MCP, Raw, read_all, read_status
from tests.http_compat.talking import read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

HEADERS = dict(line.split(": ") for line in MCP.splitlines())
STREAM = b"GET /sse HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def write_initialize(name: str) -> bytes:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": name, "version": "1"}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()


@pytest.fixture(scope="module")
def api() -> Iterator[httpx2.Client]:
    with full_server("--max-sessions", "3") as address, httpx2.Client(base_url=address) as api:
        yield api


@pytest.mark.parametrize("headers", [HEADERS, {"Content-Type": "application/json"}], ids=["MCP", "plain"])
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("path", ["/mcp", "/agent/{}/mcp", "/messages?session_id=" + "0" * 32])
def test_clients_with_long_names_open_no_session(
    api: httpx2.Client, path: str, headers: dict[str, str], escaped: bool
) -> None:
    body = write_initialize("n" * 900_000)
    if escaped:
        body = body.replace(b'"initialize"', b'"\\u0069nitialize"')
    if "{}" in path:
        path = path.format(read_answer(api.post("/reset", json={}))["observation"]["episode_id"])
    elif escaped and headers is not HEADERS and path == "/mcp":
        assert "error" in read_answer(api.post(path, content=body, headers=headers))  # it is not of MCP
        return
    answer = api.post(path, content=body, headers=headers)
    assert answer.status_code == 413
    assert "16384 bytes" in answer.json()["detail"]
    assert "mcp-session-id" not in answer.headers


def test_clients_with_names_are_served(api: httpx2.Client) -> None:
    answer = api.post("/mcp", content=write_initialize("n" * 10_000), headers=HEADERS)
    assert answer.status_code == 200
    assert answer.headers["mcp-session-id"]


def write_call(arguments: dict[str, Any], **more: Any) -> bytes:
    """A call of a tool, with more parameters."""
    params = {"name": "query_logs", "arguments": {"service": "api-gateway", **arguments}, **more}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


CROWDS: dict[str, dict[str, Any]] = {
    "responses": {"inputResponses": {f"k{number}": {} for number in range(600)}},
    "contents": {"inputResponses": {"a": {"role": "user", "model": "any", "content": [{}] * 600}}},
    "nested": {"inputResponses": {"a": {"content": [[{}] * 9] * 60}}},
    "JSON for one parser": {"inputResponses": {"a": {"roots": [{}] * 600}}, "x": float("nan")},
    "JSON for the other": {"inputResponses": {"a": {"roots": [{}] * 600}}, "x": "\ud800"},
}
"""What answers a question that the server has not asked."""


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("path", ["/mcp", "/agent", "/messages?session_id=" + "0" * 32])
def test_messages_of_very_many_values_are_refused_unread(
    api: httpx2.Client, path: str, crowd: str, version: str
) -> None:
    if path == "/agent":
        path = read_answer(api.post("/reset", json={}))["info"]["agent_url"]
    headers = {**HEADERS, "Mcp-Protocol-Version": version, "Mcp-Method": "tools/call", "Mcp-Name": "query_logs"}
    answer = api.post(path, content=write_call({}, **CROWDS[crowd]), headers=headers)
    assert "500 values" in read_answer(answer, 413)["detail"]


def test_long_messages_of_few_values_are_served(api: httpx2.Client) -> None:
    path = read_answer(api.post("/reset", json={}))["info"]["agent_url"]
    call = write_call({"more": "{}," * 100_000}, inputResponses={})
    headers = {**HEADERS, "Mcp-Protocol-Version": "2025-06-18", "Mcp-Session-Id": "lost"}
    told = read_answer(api.post(path, content=call, headers=headers))
    assert "`more` is not a parameter" in told["result"]["content"][0]["text"]


def test_clients_over_sse_are_counted() -> None:
    with full_server("--max-sessions", "2") as address, Raw(address) as raw:
        streams = [raw.send(STREAM) for _ in range(2)]
        assert [read_status(stream) for stream in streams] == [200, 200]
        refused = httpx2.get(f"{address}/sse")
        assert "All 2 SSE sessions" in read_answer(refused, 503)["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        streams.pop().close()
        deadline = time.monotonic() + 20
        while read_status(raw.send(STREAM)) != 200:
            assert time.monotonic() < deadline


def test_idle_clients_over_sse_are_ended() -> None:
    with full_server("--idle-seconds", "1") as address, Raw(address) as raw:
        assert read_all(raw.send(STREAM)).endswith(b"0\r\n\r\n")


def read_path(stream: socket.socket) -> str:
    """Where a client over SSE sends its messages."""
    text = b""
    while not (found := re.search(rb"data: (\S+session_id=\w{32})", text)):
        text += stream.recv(4096)
    return found[1].decode()


def test_messages_are_refused_while_their_answers_are_not_read() -> None:
    hello: list[Any] = [json.loads(write_initialize("n")), {"jsonrpc": "2.0", "method": "notifications/initialized"}]
    with full_server() as address, Raw(address) as raw, httpx2.Client(base_url=address) as api:
        path = read_path(raw.send(STREAM))
        for message in hello:
            assert api.post(path, json=message).status_code == 202
        statuses: list[int] = []
        while not statuses or (statuses[-1] == 202 and len(statuses) < 2_000):
            statuses.append(api.post(path, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"}).status_code)
        assert statuses[-1] == 429
