"""What clients say that they accept: `initialize` and what follows it is answered to all whom JSON or events suit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from mcp_server.accepting import read_accept
from tests.http_compat.talking import open_for_agent
from tests.servers import full_server, http_server
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON, EVENTS = "application/json", "text/event-stream"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "any", "version": "1"}},
}
ACCEPTS = [
    (f"{JSON}, {EVENTS}", JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (EVENTS, EVENTS),
    ("text/*", EVENTS),
    (None, JSON),
    ("", JSON),
    (f"{EVENTS}, {JSON};q=0", EVENTS),
    (f"{JSON};q=0.1, {EVENTS};q=0", JSON),
    ("*/*;q=0.1, text/html", JSON),
    ("APPLICATION/JSON; charset=utf-8", JSON),
]


@pytest.fixture(
    scope="module", params=mark_slow_after(1, [full_server, lambda: http_server("--transport", "streamable-http")])
)
def api(request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    with request.param() as address, httpx2.Client(base_url=address) as client:
        yield client


def post(api: httpx2.Client, path: str, message: Any, **headers: str | None) -> httpx2.Response:
    """The answer to a message; a header of None is left out, which no client of ours does by itself."""
    request = api.build_request("POST", path, json=message)
    del request.headers["Accept"]
    for name, value in headers.items():
        if value is not None:
            request.headers[name.replace("_", "-")] = value
    return api.send(request)


def read_message(answer: httpx2.Response, form: str) -> Any:
    """The message of an answer, which has to have a form."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, form), answer.text
    if form == JSON:
        return answer.json()
    event, data = answer.text.strip().splitlines()
    assert event == "event: message"
    return json.loads(data.removeprefix("data: "))


@pytest.mark.parametrize(("accept", "form"), ACCEPTS)
def test_a_client_is_served_whatever_it_accepts(api: httpx2.Client, accept: str | None, form: str) -> None:
    opened = post(api, "/mcp", INITIALIZE, Accept=accept)
    assert read_message(opened, form)["result"]["serverInfo"]["name"] == "cloud-incident"
    session = opened.headers["Mcp-Session-Id"]
    ready = post(
        api, "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, Accept=accept, Mcp_Session_Id=session
    )
    assert ready.status_code == 202
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    tools = read_message(post(api, "/mcp", listing, Accept=accept, Mcp_Session_Id=session), form)["result"]["tools"]
    assert "query_logs" in {tool["name"] for tool in tools}


def test_who_accepts_neither_is_refused(api: httpx2.Client) -> None:
    assert post(api, "/mcp", INITIALIZE, Accept="image/png, text/event-stream").status_code == 200
    assert (
        post(api, "/mcp", {**INITIALIZE, "id": 2}, Mcp_Protocol_Version="2025-06-18", Accept="image/png").status_code
        == 406
    )


@pytest.mark.parametrize(("accept", "form"), ACCEPTS)
def test_agents_are_served_whatever_they_accept(accept: str | None, form: str, agents: httpx2.Client) -> None:
    opened = post(agents, open_for_agent(agents), INITIALIZE, Accept=accept)
    assert "result" in read_message(opened, form)


@pytest.fixture(scope="module")
def agents() -> Iterator[httpx2.Client]:
    with full_server() as address, httpx2.Client(base_url=address) as client:
        yield client


@pytest.mark.parametrize("accept", ["*/*", "application/*", JSON, "text/html", None])
def test_openenvs_dialect_stays_what_it_was(agents: httpx2.Client, accept: str | None) -> None:
    def ask(method: str, **params: Any) -> Any:
        return post(agents, "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, Accept=accept)

    session = ask("openenv/session/create").json()["result"]
    assert len(ask("tools/list", **session).json()["result"]["tools"]) == 14
    assert ask("openenv/session/close", **session).json()["result"]["closed"]
    empty = post(agents, "/mcp", {}, Accept=accept)
    assert (empty.status_code, empty.json()["error"]["code"]) == (200, -32600)
    named = ask("tools/call", name="query_logs", arguments={"service": "initialize"})
    assert "session_id is required" in named.json()["error"]["message"]


@pytest.mark.parametrize(
    ("header", "json_", "events", "named"),
    [
        (None, True, True, False),
        (b"*/*", True, True, False),
        (b"*/*;q=0", False, False, False),
        (b"text/event-stream;q=0, */*", True, False, False),
        (b"application/*;q=0, */*", False, True, False),
        (b"text/event-stream ; q=0.5", False, True, True),
        (b"application/json;q=nonsense", True, False, False),
        (b",,;", True, True, False),
        (b"\xff", False, False, False),
    ],
)
def test_the_most_specific_range_decides(header: bytes | None, json_: bool, events: bool, named: bool) -> None:
    assert read_accept(header) == (json_, events, named)
