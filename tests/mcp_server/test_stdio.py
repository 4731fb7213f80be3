"""Standard input and output: every line gets an answer that its sender can act on, and the session goes on."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client

from env_core.service import EpisodeService
from mcp_server import build_server
from mcp_server.binding import OneCaller
from mcp_server.stdio import PROCESS_ADVICE
from tests.mcp_server.playing import LEGACY, MODERN, read_text, start
from tests.servers import START_SECONDS, stdio
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

MARK = b"\xef\xbb\xbf"

REFUSED: list[tuple[bytes, Any, int, str]] = [
    (b"not json", None, -32700, "not JSON"),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping"', None, -32700, "not JSON"),
    (b'{"jsonrpc":"2.0","id":2,"method":"ping"} {"again":1}', None, -32700, "trailing characters"),
    (b"\xff\xfe{\x00", None, -32700, "not UTF-8"),
    (b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"caf\xe9"}}', 3, -32700, "not UTF-8"),
    (b'{"jsonrpc":"2.0","id":"half","method":"ping","params":{"x":"\\ud83d"}}', "half", -32700, "hex escape"),
    (b'{"x":"' + b"y" * 2_000_000, None, -32700, "not JSON"),
    (b"[" * 100_000, None, -32700, "recursion limit"),
    (b"[]", None, -32600, "batch"),
    (b'[{"jsonrpc":"2.0","id":4,"method":"ping"}]', None, -32600, "batch"),
    (b'"ping"', None, -32600, "this line is a string"),
    (b"{}", None, -32600, '"jsonrpc" must be "2.0" and is missing'),
    (b'{"jsonrpc":"1.0","id":"a","method":"ping"}', "a", -32600, "not '1.0'"),
    (b'{"id":5,"method":"ping"}', 5, -32600, "is missing"),
    (b'{"jsonrpc":"2.0","id":6}', 6, -32600, '"method" must be a string and is missing'),
    (b'{"jsonrpc":"2.0","id":7,"method":["ping"]}', 7, -32600, "not a list"),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', None, -32600, "not 1.5"),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', None, -32600, "not True"),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None, -32600, "not null"),
    (b'{"jsonrpc":"2.0","id":8,"method":"tools/list","params":"x"}', 8, -32602, '"params" must be an object'),
    (b'{"jsonrpc":"2.0","id":9,"method":"tools/list","params":[1]}', 9, -32602, "not a list"),
    (b'{"jsonrpc":"2.0","method":"notifications/initialized","params":7}', None, -32602, "not 7"),
]

META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
OPENING: dict[str, dict[str, Any]] = {
    LEGACY: {
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    },
    MODERN: {"method": "tools/list", "params": {"_meta": META}},
}


def converse(*lines: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """What the server says to these lines, after which its input ends: on standard output and on standard error."""
    server = stdio()
    ended = subprocess.run(
        [server.command, *server.args],
        input=b"\n".join([*lines, b""]),
        capture_output=True,
        timeout=START_SECONDS,
        check=True,
    )
    return [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr.decode().splitlines()


def opening(era: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": "opening", **OPENING[era]}).encode()


@pytest.mark.parametrize("era", mark_slow_after(1, [LEGACY, MODERN]))
def test_a_line_that_is_no_message_is_answered_before_the_first_request_and_after(era: str) -> None:
    refused = [line for line, *_ in REFUSED]
    answers, reports = converse(*refused, opening(era), *refused)
    opened = [answer for answer in answers if answer["id"] == "opening"]
    assert "result" in opened[0]
    errors = [answer for answer in answers if answer["id"] != "opening"]
    assert len(errors) == 2 * len(REFUSED)
    for answer, (line, request_id, code, said) in zip(errors, 2 * REFUSED, strict=True):
        assert (answer["id"], answer["error"]["code"]) == (request_id, code), line[:80]
        assert said in answer["error"]["message"]
        assert len(answer["error"]["message"]) < 300
    assert len(reports) == 2 * len(REFUSED)
    assert all(said in report for report, (*_, said) in zip(reports, 2 * REFUSED, strict=True))


@pytest.mark.slow
def test_a_byte_order_mark_a_blank_line_and_the_length_of_a_line_mean_nothing() -> None:
    params = {"x": "y" * 2_000_000, "_meta": META}
    long = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}).encode()
    answers, reports = converse(MARK + opening(MODERN), b"", b"  \r", MARK + long)
    assert {answer["id"]: "result" in answer for answer in answers} == {"opening": True, 1: True}
    assert reports == []


@pytest.mark.slow
def test_a_response_that_is_not_valid_is_reported_and_not_answered() -> None:
    answers, reports = converse(b'{"jsonrpc":"2.0","id":1,"result":3}', opening(LEGACY))
    assert [answer["id"] for answer in answers] == ["opening"]
    assert len(reports) == 1
    assert "response" in reports[0]


@pytest.mark.slow
def test_what_was_asked_before_the_input_ended_is_answered() -> None:
    params = {"name": "start_drill", "arguments": {"incident": "GEN1-RP-D5-77"}}
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
    calls = [{"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params} for number in (1, 2)]
    answers, reports = converse(opening(LEGACY), *(json.dumps(call).encode() for call in (*calls, cancelled)))
    assert {answer["id"]: "result" in answer for answer in answers} == {"opening": True, 1: True}
    assert reports == []


@pytest.mark.anyio
@pytest.mark.parametrize("arguments", [{}, {"episode_id": "of-another-process"}])
async def test_a_process_that_started_no_incident_says_why_none_is_found(
    catalogue: Catalogue, arguments: dict[str, str]
) -> None:
    server = build_server(EpisodeService(catalogue), version="test", callers=lambda: OneCaller(advice=PROCESS_ADVICE))
    async with Client(server, mode=LEGACY) as client:
        call = {"service": "postgres-db", **arguments}
        lost = await client.call_tool("query_logs", call)
        assert lost.is_error
        assert read_text(lost).endswith(PROCESS_ADVICE)
        await start(client, "RP-001")
        found = await client.call_tool("query_logs", call)
        assert PROCESS_ADVICE not in read_text(found)


@pytest.mark.slow
def test_a_client_that_leaves_without_a_word_is_no_failure() -> None:
    server = stdio()
    command = [server.command, *server.args]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(opening(LEGACY) + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n')
        process.stdin.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(START_SECONDS) == 0
