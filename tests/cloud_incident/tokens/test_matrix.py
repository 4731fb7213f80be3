"""The matrix: no token, a wrong one, an expired one, each scope, and another's episode, at everything that is declared.

What is tried is generated from the declarations, so that something new is tried as soon as it is declared.
"""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from websockets.exceptions import InvalidStatus

from cloud_incident.app import build_app
from cloud_incident.settings.serve import ServeSettings
from env_core.callers import ADMIN, OPERATE, PLAY, PUBLIC, SCOPES
from env_core.service import EpisodeService
from http_compat.gate import Gate, list_needs
from http_compat.operations import BoundOperation, Operation
from http_compat.rpc import METHODS
from http_compat.websocket import MESSAGES
from mcp_server.binding import OperatorBinding
from mcp_server.control import ControlTools
from mcp_server.resources import VIEWS
from mcp_server.tools import ActionTools
from scenarios.catalogue import Catalogue
from tests.cloud_incident.tokens.holding import WRONG, Tokens, bearer, guarded_server
from tests.http_compat.talking import QUERY, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start
from tests.servers import read_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

FILLINGS = {
    "env_name": "cloud-incident",
    "episode_id": "any",
    "run_id": "any",
    "run": "any",
    "key": "any",
    "name": "any",
}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens.write(tmp_path_factory.mktemp("tokens") / "tokens")


@pytest.fixture(scope="module")
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens, training=True) as address:
        yield address


def list_operations() -> list[Operation]:
    """Every operation that is served."""
    apps = [getattr(route, "app", None) for route in read_routes()]
    return [app.operation for app in apps if isinstance(app, BoundOperation)]


def list_requests() -> list[tuple[str, str, str]]:
    """Every method and path over HTTP, and what it needs."""
    requests: list[tuple[str, str, str]] = []
    for route, (path, needs) in zip(read_routes(), list_needs(read_routes()), strict=True):
        if isinstance(route, WebSocketRoute):
            continue
        path = path.split(":path}")[0] + "}" if ":path}" in path else path
        path = path.format(**FILLINGS) + ("/missing" if isinstance(route, Mount) else "")
        methods = sorted((getattr(route, "methods", None) or {"GET", "POST", "DELETE"}) - {"HEAD"})
        requests += [(method, path, needs) for method in methods]
    return requests


def list_refusals(tokens: Tokens, needs: str) -> list[tuple[str, int]]:
    """The tokens that are refused where something is needed, and the status of each refusal."""
    if needs == PUBLIC:
        return []
    unknown = [("", 401), (WRONG, 401), (tokens.expired, 401), (tokens.alice[PLAY][:-1], 401)]
    return [*unknown, *((tokens.alice[scope], 403) for scope in SCOPES[: SCOPES.index(needs)])]


@pytest.mark.parametrize(("method", "path", "needs"), list_requests())
def test_every_route_asks_for_the_scope_that_it_declares(
    address: str, tokens: Tokens, method: str, path: str, needs: str
) -> None:
    body = b"{}" if method == "POST" else None
    for token, status in list_refusals(tokens, needs):
        refused = httpx2.request(method, f"{address}{path}", headers=bearer(token), content=body)
        detail = read_answer(refused, status)["detail"]
        assert "token" in detail
        assert token not in refused.text or not token
        challenge = refused.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer error="')
        assert f'resource_metadata="{address}/.well-known/oauth-protected-resource{path}"' in challenge
        assert status == 401 or f'scope="{needs}"' in challenge
    if path != "/sse":  # it would stream for ever; how it is used is tried below
        for token in ["", WRONG] if needs == PUBLIC else [tokens.alice[needs], tokens.bob[ADMIN]]:
            answer = httpx2.request(method, f"{address}{path}", headers=bearer(token), content=body)
            assert answer.status_code != 401
            assert needs == PUBLIC or "insufficient_scope" not in answer.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("key", ["%E2%82%AC", "%00", "%22,%20error=%22", "a%09b"])
def test_a_refusal_names_every_path_within_its_header(address: str, key: str, caplog: pytest.LogCaptureFixture) -> None:
    path = f"/console/evaluations/{key}"
    refused = httpx2.get(f"{address}{path}")
    read_answer(refused, 401)
    written = quote(unquote(path))
    metadata = f'resource_metadata="{address}/.well-known/oauth-protected-resource{written}"'
    assert refused.headers["WWW-Authenticate"].endswith(f", {metadata}")
    assert not caplog.text  # nothing has failed


def test_a_route_that_declares_nothing_is_found() -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("never called")

    with pytest.raises(TypeError, match="/forgotten does not declare"):
        list_needs([Route("/open", Gate(PUBLIC, answer)), Route("/forgotten", answer)])


def test_every_operation_and_message_and_tool_declares_a_scope() -> None:
    operations = list_operations()
    service = EpisodeService(Catalogue())
    binding = OperatorBinding(service)
    tools = [*ControlTools(service, binding, training=True).build_tools(), *ActionTools(binding, True).build_tools()]
    declared = [
        *(operation.needs for operation in operations),
        *(kind.needs for kind in MESSAGES.values()),
        *METHODS.values(),
        *(tool.needs for tool in tools),
    ]
    assert set(declared) <= {PUBLIC, *SCOPES}
    assert {operation.path for operation in operations if operation.needs == PUBLIC} == {
        "/health",
        "/ready",
        "/metadata",
        "/schema",
        "/openapi.json",
        "/docs",
        "/console/session",
    }


def test_the_document_says_what_operations_need(address: str) -> None:
    document = read_answer(httpx2.get(f"{address}/openapi.json"))
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for operation in list_operations():
        if not operation.documented:
            continue
        described = document["paths"][re.sub(r":\w+}", "}", operation.path)][operation.method.lower()]
        scopes = [] if operation.needs == PUBLIC else [{"bearer": [operation.needs]}]
        assert described.get("security", []) == scopes, operation.path
        assert "401" in described["responses"] or not scopes


def test_a_document_without_tokens_says_nothing_of_them() -> None:
    with TestClient(build_app(ServeSettings()), base_url="http://localhost") as client:
        document = client.get("/openapi.json").json()
    assert "securitySchemes" not in document["components"]
    assert "security" not in document["paths"]["/step"]["post"]


@pytest.mark.parametrize("path", ["/ws", "/mcp"])
def test_websockets_are_not_opened_without_a_valid_token(address: str, tokens: Tokens, path: str) -> None:
    for token, status in list_refusals(tokens, PLAY):
        with pytest.raises(InvalidStatus) as refused, open_talk(address, path, additional_headers=bearer(token)):
            pass
        assert refused.value.response.status_code == status
        assert "resource_metadata" in refused.value.response.headers["WWW-Authenticate"]
    with pytest.raises(InvalidStatus), open_talk(address, f"{path}?token={tokens.alice[ADMIN]}"):
        pass


def test_pages_of_other_sites_name_the_token_as_a_subprotocol(address: str, tokens: Tokens) -> None:
    with open_talk(address, subprotocols=["cloud-incident", f"bearer.{tokens.alice[PLAY]}"]) as talk:
        assert talk.socket.subprotocol == "cloud-incident"
        assert talk.state() == {"episode_id": None, "step_count": 0}
    with pytest.raises(InvalidStatus), open_talk(address, subprotocols=["cloud-incident", f"bearer.{WRONG}"]):
        pass


EXAMPLES: dict[str, dict[str, Any]] = {
    "step": {"data": QUERY},
    "reset": {"data": {"scenario_id": "AC-001"}},
    "mcp": {"data": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}},
    "state": {},
    "close": {},
}
"""An example of every message."""


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_message_keeps_to_its_scope(address: str, tokens: Tokens, kind: str) -> None:
    example = {"type": kind, **EXAMPLES[kind]}
    with open_talk(address, additional_headers=bearer(tokens.alice[PLAY])) as talk:
        if kind == "reset":
            assert "scope `operate`" in talk.expect_error(example)["message"]
        elif kind != "close":
            reply = talk.say(example)
            assert "scope" not in json.dumps(reply) or reply["type"] == "mcp"
    with open_talk(address, additional_headers=bearer(tokens.alice[OPERATE])) as talk:
        if kind != "close":
            assert "token" not in json.dumps(talk.say(example).get("data", {}).get("message", ""))


@pytest.mark.parametrize(("method", "needs"), METHODS.items())
def test_every_method_of_json_rpc_keeps_to_its_scope(address: str, tokens: Tokens, method: str, needs: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}
    for scope in SCOPES:
        answer = read_answer(httpx2.post(f"{address}/mcp", json=body, headers=bearer(tokens.alice[scope])))
        refused = "scope" in answer.get("error", {}).get("message", "")
        assert refused is (SCOPES.index(scope) < SCOPES.index(needs))


def test_another_callers_episode_is_as_one_that_there_is_not(address: str, tokens: Tokens) -> None:
    """Over REST, on every operation that takes a handle; the answers are the same, byte for byte."""
    alice, bob = (httpx2.Client(base_url=address, headers=bearer(who[OPERATE])) for who in (tokens.alice, tokens.bob))
    with alice, bob:
        handle = read_answer(alice.post("/reset", json={}))["observation"]["episode_id"]
        on_episodes = [
            operation
            for operation in list_operations()
            if operation.query is not None
            and "episode_id" in operation.query.model_fields
            and operation.name != "reset"
        ]
        assert {operation.path for operation in on_episodes} == {
            "/step",
            "/state",
            "/fork",
            "/grader",
            "/evidence",
            "/frames",
            "/close",
        }
        for operation in on_episodes:
            told = [
                bob.request(
                    operation.method,
                    operation.path,
                    params={"episode_id": asked},
                    json=QUERY if operation.path == "/step" else {} if operation.method == "POST" else None,
                )
                for asked in (handle, "0" * len(handle))
            ]
            assert [answer.status_code for answer in told] == [404, 404], operation.path
            assert told[0].text.replace(handle, "0" * len(handle)) == told[1].text
        assert read_answer(alice.get("/state", params={"episode_id": handle}))["step_count"] == 0
        admin = httpx2.get(f"{address}/state", params={"episode_id": handle}, headers=bearer(tokens.bob[ADMIN]))
        assert read_answer(admin)["episode_id"] == handle


def test_a_play_token_plays_what_its_name_has_opened(address: str, tokens: Tokens) -> None:
    opened = read_answer(httpx2.post(f"{address}/reset", json={}, headers=bearer(tokens.alice[OPERATE])))
    handle = {"episode_id": opened["observation"]["episode_id"]}
    step = httpx2.post(f"{address}/step", params=handle, json=QUERY, headers=bearer(tokens.alice[PLAY]))
    assert read_answer(step)["done"] is False
    with open_talk(address, additional_headers=bearer(tokens.alice[PLAY])) as talk:
        talk.reset(resume=True, **handle)
        assert talk.state()["step_count"] == 1
        talk.socket.send(json.dumps({"type": "close"}))
    left = httpx2.get(f"{address}/state", params=handle, headers=bearer(tokens.alice[PLAY]))
    assert read_answer(left)["step_count"] == 1  # who may close none leaves it behind


def test_a_chosen_handle_is_the_callers_own(address: str, tokens: Tokens) -> None:
    def reset(who: dict[str, str], handle: str) -> httpx2.Response:
        return httpx2.post(f"{address}/reset", json={"episode_id": handle}, headers=bearer(who[OPERATE]))

    assert "alice.run-1" in read_answer(reset(tokens.alice, "run-1"), 403)["detail"]
    read_answer(reset(tokens.alice, "alice.run-1"))
    taken, free = reset(tokens.bob, "alice.run-1"), reset(tokens.bob, "alice.run-2")
    assert (taken.status_code, taken.text) == (403, free.text.replace("run-2", "run-1"))
    read_answer(reset(tokens.alice, "alice.run-1"), 409)


def test_sessions_and_cookies_of_others_are_of_no_use(address: str, tokens: Tokens) -> None:
    def call(who: dict[str, str], method: str, **params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return read_answer(httpx2.post(f"{address}/mcp", json=body, headers=bearer(who[OPERATE])))

    session = call(tokens.alice, "openenv/session/create")["result"]["session_id"]
    for method in ("tools/call", "openenv/session/close"):
        arguments = {"name": QUERY["action_type"], "arguments": QUERY["parameters"]}
        told = [
            json.dumps(call(tokens.bob, method, session_id=asked, **arguments)).replace(asked, "…")
            for asked in (session, "0" * len(session))
        ]
        assert told[0] == told[1]
        assert "Unknown session_id" in told[0]
    with open_talk(address, f"/ws?session_id={session}", additional_headers=bearer(tokens.bob[OPERATE])) as talk:
        assert "Unknown session_id" in talk.hear()["data"]["message"]
    assert call(tokens.alice, "openenv/session/close", session_id=session)["result"]["closed"]
    opened = httpx2.post(f"{address}/reset", json={"episode_id": "alice.kept"}, headers=bearer(tokens.alice[OPERATE]))
    cookie = {"Cookie": opened.headers["Set-Cookie"].split(";")[0]}
    stolen = httpx2.post(f"{address}/step", json=QUERY, headers={**cookie, **bearer(tokens.bob[OPERATE])})
    read_answer(stolen, 404)
    mine = httpx2.get(f"{address}/state", params={"episode_id": "alice.kept"}, headers=bearer(tokens.alice[PLAY]))
    assert read_answer(mine)["step_count"] == 0


def test_a_request_without_a_handle_means_the_callers_own_episode(address: str, tokens: Tokens) -> None:
    for who in (tokens.alice, tokens.bob):
        read_answer(httpx2.post(f"{address}/reset", json={}, headers=bearer(who[OPERATE])))
    read_answer(httpx2.post(f"{address}/step", json=QUERY, headers=bearer(tokens.bob[OPERATE])))
    steps = [
        read_answer(httpx2.get(f"{address}/state", headers=bearer(who[OPERATE])))["step_count"]
        for who in (tokens.alice, tokens.bob)
    ]
    assert steps == [0, 1]
    read_answer(httpx2.post(f"{address}/close", json={}, headers=bearer(tokens.bob[OPERATE])))
    read_answer(httpx2.post(f"{address}/close", json={}, headers=bearer(tokens.bob[OPERATE])), 404)
    assert read_answer(httpx2.get(f"{address}/state", headers=bearer(tokens.alice[OPERATE])))["step_count"] == 0


@asynccontextmanager
async def open_http(address: str, token: str, era: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=bearer(token)) as api,
        Client(streamable_http_client(f"{address}/mcp", http_client=api), mode=era) as client,
    ):
        yield client


@asynccontextmanager
async def open_sse(address: str, token: str, _: str) -> AsyncIterator[Client]:
    async with Client(sse_client(f"{address}/sse", headers=bearer(token)), mode=LEGACY) as client:
        yield client


MCP_DOORS: dict[str, tuple[Callable[[str, str, str], AbstractAsyncContextManager[Client]], str]] = {
    "stateless": (open_http, MODERN),
    "sessions": (open_http, LEGACY),
    "SSE": (open_sse, LEGACY),
}


@pytest.mark.anyio
@pytest.mark.parametrize("door", MCP_DOORS)
async def test_every_tool_resource_and_prompt_over_mcp(address: str, tokens: Tokens, door: str) -> None:
    connect, era = MCP_DOORS[door]
    service = EpisodeService(Catalogue())
    binding = OperatorBinding(service)
    tools = [*ControlTools(service, binding, training=True).build_tools(), *ActionTools(binding, True).build_tools()]
    async with (
        connect(address, tokens.alice[OPERATE], era) as alice,
        connect(address, tokens.alice[PLAY], era) as player,
        connect(address, tokens.bob[OPERATE], era) as bob,
        connect(address, tokens.bob[ADMIN], era) as admin,
    ):
        handle = await start(alice, "RP-001")
        offered = {tool.name for tool in (await player.list_tools()).tools}
        assert offered == {tool.definition.name for tool in tools if tool.needs == PLAY}
        assert {tool.name for tool in (await alice.list_tools()).tools} == {tool.definition.name for tool in tools}
        for tool in tools:
            name, takes = tool.definition.name, tool.definition.input_schema.get("properties", {})
            if tool.needs == OPERATE:
                refused = await player.call_tool(name, {"episode_id": handle} if "episode_id" in takes else {})
                assert refused.is_error
                assert "scope `operate`" in read_text(refused)
            if "episode_id" in takes and name != "start_drill":
                told = []
                for asked in (handle, "0" * len(handle)):
                    arguments = {**_fill(tool.definition.input_schema), "episode_id": asked}
                    foreign = await bob.call_tool(name, arguments)
                    assert foreign.is_error
                    told.append(read_text(foreign).replace(asked, "…"))
                assert told[0] == told[1], name
        for view in VIEWS:
            with pytest.raises(MCPError, match="no drill"):
                await bob.read_resource(f"incident://{handle}/{view.path}")
            assert (await player.read_resource(f"incident://{handle}/{view.path}")).contents
        with pytest.raises(MCPError, match="no drill"):
            await bob.read_resource(f"incident://{handle}/evidence/api-gateway")
        for prompt in (await bob.list_prompts()).prompts:
            if any(argument.name == "episode_id" for argument in prompt.arguments or []):
                with pytest.raises(MCPError, match="no drill"):
                    await bob.get_prompt(prompt.name, {"episode_id": handle})
        shown = await admin.call_tool("show_drill", {"episode_id": handle})
        assert not shown.is_error
        assert "No drill" not in read_text(shown)
        assert handle not in read_text(await bob.call_tool("list_drills", {}))
        assert not (await alice.call_tool("close_drill", {"episode_id": handle})).is_error


def _fill(schema: dict[str, Any]) -> dict[str, Any]:
    """Arguments that a schema asks for."""
    return dict.fromkeys(schema.get("required", []), "api-gateway")


def test_a_session_of_mcp_is_of_use_to_its_caller_alone(address: str, tokens: Tokens) -> None:
    opening = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    }
    accept = {"Accept": "application/json, text/event-stream"}
    opened = httpx2.post(f"{address}/mcp", json=opening, headers={**accept, **bearer(tokens.alice[OPERATE])})
    session = {**accept, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "Mcp-Protocol-Version": "2025-11-25"}
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    for method in ("POST", "DELETE"):
        body = listing if method == "POST" else None
        foreign = httpx2.request(method, f"{address}/mcp", json=body, headers={**session, **bearer(tokens.bob[ADMIN])})
        assert foreign.status_code == 404
    for method, status in (("POST", 200), ("DELETE", 200), ("POST", 404)):
        body = listing if method == "POST" else None
        own = httpx2.request(method, f"{address}/mcp", json=body, headers={**session, **bearer(tokens.alice[OPERATE])})
        assert own.status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize("door", MCP_DOORS)
async def test_open_drills_are_listed_by_their_owner_on_every_connection(tokens: Tokens, door: str) -> None:
    connect, era = MCP_DOORS[door]

    async def list_drills(address: str, token: str) -> dict[str, list[str]]:
        async with connect(address, token, era) as client:
            listing = read_numbers(await client.call_tool("list_drills", {}))
        return {kind: [drill["episode_id"] for drill in listing[kind]] for kind in ("open", "finished")}

    alice, bob = tokens.alice[OPERATE], tokens.bob[ADMIN]
    with guarded_server(tokens) as address:
        async with connect(address, alice, era) as client:
            first, ended = await start(client, "AC-001"), await start(client, "AC-002")
            await client.call_tool("submit_severity", {"severity": "P1", "episode_id": ended})
        reset = httpx2.post(f"{address}/reset", json={}, headers=bearer(alice))
        second = read_answer(reset)["observation"]["episode_id"]
        assert await list_drills(address, alice) == {"open": [first, second], "finished": []}
        assert await list_drills(address, bob) == {"open": [], "finished": []}
        async with connect(address, alice, era) as client:
            third = await start(client, "AC-003")
            told = read_text(await client.call_tool("list_drills", {}))
            assert [told.count(handle) for handle in (first, second, third, ended)] == [1, 1, 1, 0]


@pytest.mark.anyio
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_an_agent_needs_no_token_at_its_own_endpoint(address: str, tokens: Tokens, era: str) -> None:
    opened = read_answer(httpx2.post(f"{address}/reset", json={}, headers=bearer(tokens.alice[OPERATE])))
    handle = {"episode_id": opened["observation"]["episode_id"]}
    async with Client(opened["info"]["agent_url"], mode=era) as agent:
        assert not (await agent.call_tool("query_logs", {"service": "api-gateway"})).is_error
    state = httpx2.get(f"{address}/state", params=handle, headers=bearer(tokens.alice[PLAY]))
    assert read_answer(state)["step_count"] == 1


@pytest.mark.anyio
async def test_the_metadata_says_how_a_token_is_sent(address: str) -> None:
    async with httpx2.AsyncClient(base_url=address) as api:
        for path, resource in (("", address), ("/mcp", f"{address}/mcp"), ("/sse", f"{address}/sse")):
            found = (await api.get(f"/.well-known/oauth-protected-resource{path}")).json()
            assert found["resource"] == resource
            assert found["bearer_methods_supported"] == ["header"]
            assert found["scopes_supported"] == list(SCOPES)
