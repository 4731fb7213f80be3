"""Several processes on one store: whichever of them a client reaches next, it goes on."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager
from itertools import cycle
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from cloud_incident.cli import main
from cloud_incident.settings.serve import ServeSettings
from env_core.perfect import play_perfectly
from tests.http_compat.talking import build_rpc, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, play_through, read_text, start
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio


class TakingTurns(httpx2.AsyncBaseTransport):
    """Sends each request to the next of some servers, over connections of its own."""

    def __init__(self, addresses: list[str]) -> None:
        self._turns = cycle(httpx2.URL(address) for address in addresses)
        self._inner = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        turn = next(self._turns)
        request.url = request.url.copy_with(host=turn.host, port=turn.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    store = str(tmp_path_factory.mktemp("shared") / "episodes.db")
    with ExitStack() as stack:
        yield [stack.enter_context(full_server("--store", store, "--stateless")) for _ in range(2)]


@pytest.fixture
async def api(addresses: list[str]) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=TakingTurns(addresses), base_url=addresses[0]) as client:
        yield client


async def ask(api: httpx2.AsyncClient, method: str, /, **params: Any) -> Any:
    return read_answer(await api.post("/mcp", json=build_rpc(method, **params)))


async def test_every_request_over_rest_may_go_to_another_process(api: httpx2.AsyncClient, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RP-001")
    reset = (await api.post("/reset", json={"scenario_id": "RP-001"})).json()
    named = {"X-Episode-Id": reset["observation"]["episode_id"]}
    for number, action in enumerate(play_perfectly(scenario.incident, scenario.task), 1):
        answer = (await api.post("/step", json=action.dump(), headers=named)).json()
        assert answer["observation"]["step_count"] == number
        assert (await api.get("/state", headers=named)).json()["step_count"] == number
    for _ in range(2):
        assert (await api.get("/grader", headers=named)).json()["score"] == 1.0
    assert (await api.post("/close", json={}, headers=named)).status_code == 200
    for _ in range(2):
        assert (await api.get("/state", headers=named)).status_code == 404


async def test_no_process_takes_an_episode_of_its_own_for_the_one_that_is_meant(addresses: list[str]) -> None:
    with httpx2.Client(base_url=addresses[0]) as first, httpx2.Client(base_url=addresses[1]) as second:
        for client in (first, second):
            client.post("/reset", json={"scenario_id": "RP-001"})
            client.cookies.clear()
            look = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
            for refused in (client.get("/state"), client.post("/step", json=look)):
                assert refused.status_code == 404
                assert "Name the episode" in refused.json()["detail"]


async def test_an_episode_is_taken_up_over_a_socket_of_another_process(addresses: list[str]) -> None:
    first, second = addresses
    look = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
    with open_talk(first) as talk:
        talk.reset(scenario_id="RP-001", episode_id="dropped")
        talk.step(look)
        talk.socket.socket.shutdown(SHUT_RDWR)  # without a word
    with open_talk(second) as talk:
        taken_up = talk.say({"type": "reset", "data": {"episode_id": "dropped", "resume": True}})
        assert taken_up["data"]["observation"]["step_count"] == 1
        talk.step(look)
        assert talk.state()["step_count"] == 2


@asynccontextmanager
async def open_client(addresses: list[str], path: str, era: str) -> AsyncIterator[Client]:
    """An MCP client each of whose requests goes to another server, those of its handshake too."""
    async with httpx2.AsyncClient(transport=TakingTurns(addresses)) as http:
        transport = streamable_http_client(f"{addresses[0]}{path}", http_client=http)
        async with Client(transport, mode=era) as client:
            yield client


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_operators_over_mcp_need_no_session_in_any_era(
    addresses: list[str], era: str, catalogue: Catalogue
) -> None:
    scenario = catalogue.get("RCA-001")
    async with open_client(addresses, "/mcp", era) as client:
        handle = await start(client, scenario.id)
        for _ in addresses:
            nameless = await client.call_tool("show_drill", {})
            assert nameless.is_error
            assert "Pass the episode_id that start_drill returned" in read_text(nameless)
        seen = await play_through(client, handle, play_perfectly(scenario.incident, scenario.task))
        assert seen.score == 1.0
        for _ in addresses:
            assert "Score 1.0000" in read_text(await client.call_tool("grade_drill", {"episode_id": handle}))


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_agents_need_no_session_in_any_era(
    api: httpx2.AsyncClient, addresses: list[str], era: str, catalogue: Catalogue
) -> None:
    scenario = catalogue.get("RP-001")
    opened = read_answer(await api.post("/reset", json={"scenario_id": "RP-001"}))
    async with open_client(addresses, urlsplit(opened["info"]["agent_url"]).path, era) as agent:
        seen = await play_through(agent, "", play_perfectly(scenario.incident, scenario.task))
    assert seen.score == 1.0


@pytest.mark.parametrize("operates", [True, False])
async def test_a_client_that_still_has_a_session_goes_on_without_it(api: httpx2.AsyncClient, *, operates: bool) -> None:
    opened = read_answer(await api.post("/reset", json={"scenario_id": "RP-001", "episode_id": "old"}))
    path = "/mcp" if operates else urlsplit(opened["info"]["agent_url"]).path
    headers = {"Mcp-Session-Id": "of-another-server", "MCP-Protocol-Version": "2025-06-18"}
    for _ in range(2):
        answer = await api.post(path, json=build_rpc("tools/list"), headers=headers)
        assert "Mcp-Session-Id" not in answer.headers
        assert "query_logs" in {tool["name"] for tool in read_answer(answer)["result"]["tools"]}
        listening = await api.get(path, headers={**headers, "Accept": "text/event-stream"})
        assert (listening.status_code, listening.headers["allow"]) == (405, "POST")
    await api.post("/close", json={"episode_id": "old"})


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/sse", "Use streamable HTTP at /mcp"),
        ("POST", "/messages/?session_id=1", "Use streamable HTTP at /mcp"),
        ("POST", "/console/runs", "a server with one worker"),
    ],
)
async def test_what_one_process_has_to_remember_is_refused_with_what_to_do(
    api: httpx2.AsyncClient, method: str, path: str, said: str
) -> None:
    for _ in range(2):
        refused = await api.request(method, path, json={"agent": "responder", "scenario_id": "RP-001"})
        assert said in read_answer(refused, 501)["detail"]


async def test_a_session_of_json_rpc_is_found_by_every_process(
    api: httpx2.AsyncClient, addresses: list[str], catalogue: Catalogue
) -> None:
    scenario = catalogue.get("RCA-001")
    session = (await ask(api, "openenv/session/create", scenario_id="RCA-001"))["result"]
    for action in play_perfectly(scenario.incident, scenario.task):
        called = await ask(api, "tools/call", name=action.name, arguments=action.parameters.model_dump(), **session)
    assert called["result"]["data"]["grade"]["score"] == 1.0
    for address in addresses:  # a WebSocket joins it anywhere, starts it anew and leaves it
        with open_talk(address, f"/ws?session_id={session['session_id']}") as talk:
            assert talk.reset(scenario_id="RP-001")["observation"]["step_count"] == 0
            assert "names its episode" in talk.expect_error({"type": "reset", "data": {"episode_id": "x"}})["message"]
    look = {"name": "query_logs", "arguments": {"service": "api-gateway"}}
    for number in (1, 2):
        called = await ask(api, "tools/call", **look, **session)
        assert called["result"]["data"]["step_count"] == number
    assert (await ask(api, "openenv/session/close", **session))["result"]["closed"]
    for method in ("tools/call", "openenv/session/close"):
        for _ in addresses:
            assert "Unknown session_id" in (await ask(api, method, **look, **session))["error"]["message"]


@pytest.mark.parametrize("forged", ["guessed", "guessed.", "guessed." + "0" * 64, ".", ""])
async def test_who_knows_a_handle_cannot_make_the_id_of_its_session(api: httpx2.AsyncClient, forged: str) -> None:
    await api.post("/reset", json={"scenario_id": "RP-001", "episode_id": "guessed"})
    look = {"name": "query_logs", "arguments": {"service": "api-gateway"}, "session_id": forged}
    for _ in range(2):
        assert "Unknown session_id" in (await ask(api, "tools/call", **look))["error"]["message"]
    await api.post("/close", json={"episode_id": "guessed"})


async def test_without_a_choice_a_session_of_json_rpc_has_the_default_episode(api: httpx2.AsyncClient) -> None:
    session = (await ask(api, "openenv/session/create"))["result"]
    arguments = {"severity": "P1"}
    called = await ask(api, "tools/call", name="submit_severity", arguments=arguments, **session)
    assert called["result"]["data"]["done"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("serve", "--workers", "2"), "--store: a FILE for the processes of one machine, or redis://HOST"),
        (("serve", "--workers", "2", "--store", "memory"), "cannot share episodes in memory"),
        (("serve", "--workers", "2", "--store", "x.db", "--no-stateless"), "one worker each behind a load balancer"),
        (("mcp", "--transport", "streamable-http", "--workers", "2"), "cannot share episodes in memory"),
        (("mcp", "--transport", "sse", "--workers", "2", "--store", "x.db"), "--workers is for streamable-http"),
        (("mcp", "--workers", "2", "--store", "x.db"), "--workers is for streamable-http"),
    ],
)
def test_settings_that_cannot_be_served_by_several_processes_are_refused(given: tuple[str, ...], said: str) -> None:
    refused = CliRunner().invoke(main, given)
    assert refused.exit_code == 2
    assert said in " ".join(refused.output.split())


@pytest.mark.parametrize(
    ("given", "alone"),
    [
        ({}, True),
        ({"store": "episodes.db"}, True),
        ({"store": "redis://127.0.0.1"}, False),
        ({"store": "redis://127.0.0.1", "stateless": False}, True),
        ({"store": "episodes.db", "stateless": True}, False),
        ({"store": "episodes.db", "workers": 2}, False),
    ],
)
def test_what_makes_a_server_one_of_several(given: dict[str, Any], alone: bool) -> None:
    settings = ServeSettings.load(**given)
    assert settings.alone is alone
    assert settings.has_default is alone
