"""Sessions over streamable HTTP: they end with their episodes, in time, and for others; none is refused."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.http_compat.talking import open_for_agent
from tests.servers import full_server, started

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "2025-06-18"
HEADERS = {"Accept": "application/json, text/event-stream"}
ANSWER = {"name": "submit_severity", "arguments": {"severity": "P1"}}


@pytest.fixture(scope="module")
def api() -> Iterator[httpx2.Client]:
    with full_server("--max-sessions", "20") as address, httpx2.Client(base_url=address, headers=HEADERS) as client:
        yield client


def open_session(api: httpx2.Client, path: str) -> str:
    client = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "any", "version": "1"}}
    answer = api.post(path, json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client})
    assert answer.status_code == 200, answer.text
    session: str = answer.headers["Mcp-Session-Id"]
    return session


def ask(api: httpx2.Client, path: str, session: str, method: str = "ping", **params: Any) -> httpx2.Response:
    message = {"jsonrpc": "2.0", "id": 2, "method": method, "params": params}
    return api.post(path, json=message, headers={"Mcp-Session-Id": session, "MCP-Protocol-Version": VERSION})


def end(api: httpx2.Client, path: str, session: str) -> int:
    return api.delete(path, headers={"Mcp-Session-Id": session}).status_code


def test_more_sessions_than_there_is_room_for_are_opened_one_after_the_other(api: httpx2.Client) -> None:
    path = open_for_agent(api, "crowded")
    sessions = [open_session(api, path) for _ in range(50)]
    assert all(ask(api, path, session).json()["result"] == {} for session in (sessions[0], sessions[-1]))
    operators = [open_session(api, "/mcp") for _ in range(50)]
    assert ask(api, "/mcp", operators[-1]).status_code == 200
    assert ask(api, "/mcp", operators[0]).status_code == 404, "the session that was used longest ago made room"
    api.post("/close", json={"episode_id": "crowded"})


def test_a_session_ends_when_its_client_ends_it(api: httpx2.Client) -> None:
    path = open_for_agent(api, "left")
    session = open_session(api, path)
    assert end(api, path, session) in {200, 204}
    assert end(api, path, session) in {200, 204}, "it has ended, as was asked"
    api.post("/close", json={"episode_id": "left"})


def test_the_closing_of_an_episode_ends_its_sessions(api: httpx2.Client) -> None:
    path = open_for_agent(api, "closed")
    sessions = [open_session(api, path) for _ in range(3)]
    with api.stream("GET", path, headers={"Mcp-Session-Id": sessions[0]}) as listening:
        assert listening.status_code == 200
        api.post("/close", json={"episode_id": "closed"})
        assert listening.read() == b"", "the stream of the session ends with it"
    assert ask(api, path, sessions[1]).status_code == 404
    assert [end(api, path, session) for session in sessions] == [204, 204, 204]


def test_the_end_of_an_episode_ends_its_sessions_and_its_agent_hears_that_it_is_over(api: httpx2.Client) -> None:
    path = open_for_agent(api, "ended")
    session = open_session(api, path)
    graded = ask(api, path, session, "tools/call", **ANSWER).json()["result"]
    assert not graded["isError"]
    over = ask(api, path, session, "tools/call", **ANSWER).json()["result"]
    assert over["isError"]
    assert "There is nothing more to do" in over["content"][0]["text"]
    assert ask(api, path, session, "tools/list").json()["result"]["tools"]
    assert api.get(path, headers={"Mcp-Session-Id": session}).status_code == 405
    assert end(api, path, session) == 204
    api.post("/close", json={"episode_id": "ended"})


def test_an_endpoint_whose_episode_never_was_has_no_sessions(api: httpx2.Client) -> None:
    assert ask(api, "/agent/never/mcp", "unheard-of").status_code == 404
    assert api.post("/agent/never/mcp", json={}).status_code == 404


@pytest.mark.slow
def test_idle_sessions_end_and_the_agent_of_an_open_episode_is_served_on() -> None:
    with full_server("--idle-seconds", "1") as address, httpx2.Client(base_url=address, headers=HEADERS) as api:
        path = open_for_agent(api)
        operator, agent = open_session(api, "/mcp"), open_session(api, path)
        time.sleep(2)
        assert ask(api, "/mcp", operator).status_code == 404
        assert ask(api, path, agent).status_code == 200


@pytest.mark.slow
def test_a_server_with_many_sessions_and_open_streams_stops_without_waiting() -> None:
    with started("serve") as (address, process), httpx2.Client(base_url=address, headers=HEADERS) as api:
        path = open_for_agent(api)
        sessions = [open_session(api, path) for _ in range(100)]
        with (
            api.stream("GET", path, headers={"Mcp-Session-Id": sessions[0]}) as agent,
            api.stream("GET", "/mcp", headers={"Mcp-Session-Id": open_session(api, "/mcp")}) as operator,
        ):
            process.terminate()
            for stream in (agent, operator):
                with suppress(httpx2.RemoteProtocolError):  # cut off or ended, whichever comes first
                    assert stream.read() == b""
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
