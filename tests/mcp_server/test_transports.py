"""Every transport in both protocol eras: the same actions give the same evidence, rewards and scores."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from cloud_incident.evaluation.running import play_actions
from env_core.perfect import play_perfectly
from env_core.transition import Transition
from mcp_server.meta import AGENT_URL
from mcp_server.results import build_step_result
from mcp_server.stdio import PROCESS_NOTE
from scenarios.vocabulary import POINT
from tests.mcp_server.playing import LEGACY, MODERN, Transcript, play_through, read_numbers, read_text, start
from tests.servers import full_server, http_server, stdio
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.catalogue import Catalogue, Scenario

pytestmark = pytest.mark.anyio


def play_in_process(scenario: Scenario, *, rewards: bool = False) -> Transcript:
    """Perfect play without any transport, with or without texts that say what each step earned."""
    actions = play_perfectly(scenario.incident, scenario.task)
    episodes = [play_actions(scenario, actions[: count + 1]) for count in range(len(actions))]
    last = episodes[-1]
    return Transcript(
        tuple(read_text(build_step_result(Transition(episode, stepped=True), rewards=rewards)) for episode in episodes),
        tuple(step.reward / POINT for step in last.steps),
        last.grade.score if last.grade else None,
    )


@pytest.fixture(scope="module")
def streamable() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.fixture(scope="module")
def training() -> Iterator[str]:
    with full_server("--training") as address:
        yield address


@pytest.fixture(
    scope="module",
    params=mark_slow_after(1, [full_server, partial(http_server, "--transport", "sse")]),
    ids=["serve", "mcp"],
)
def sse(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.param() as address:
        yield address


async def play_all(client: Client, catalogue: Catalogue) -> None:
    for scenario in catalogue.scenarios.values():
        handle = await start(client, scenario.id)
        seen = await play_through(client, handle, play_perfectly(scenario.incident, scenario.task))
        assert seen == play_in_process(scenario)
        assert seen.score == 1.0


@pytest.mark.parametrize("era", mark_slow_after(1, [MODERN, LEGACY]))
async def test_stdio(catalogue: Catalogue, era: str) -> None:
    async with Client(stdio(), mode=era) as client:
        await play_all(client, catalogue)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_streamable_http(catalogue: Catalogue, streamable: str, era: str) -> None:
    async with Client(f"{streamable}/mcp", mode=era) as client:
        await play_all(client, catalogue)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_sse(catalogue: Catalogue, sse: str, era: str) -> None:
    async with Client(sse_client(f"{sse}/sse"), mode=era) as client:
        await play_all(client, catalogue)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_two_clients_at_once_never_see_each_others_episode(
    catalogue: Catalogue, streamable: str, era: str
) -> None:
    first, second = catalogue.get("RP-001"), catalogue.get("RP-003")
    async with Client(f"{streamable}/mcp", mode=era) as one, Client(f"{streamable}/mcp", mode=era) as two:
        handles = [await start(one, first.id), await start(two, second.id)]
        seen: dict[str, Transcript] = {}

        async def work(client: Client, handle: str, scenario: Scenario) -> None:
            seen[handle] = await play_through(client, handle, play_perfectly(scenario.incident, scenario.task))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work, one, handles[0], first)
            tasks.start_soon(work, two, handles[1], second)
        assert [seen[handle] for handle in handles] == [play_in_process(first), play_in_process(second)]
        for client, foreign in ((one, handles[1]), (two, handles[0])):
            assert foreign not in read_text(await client.call_tool("list_drills", {}))
            assert all(foreign not in resource.uri for resource in (await client.list_resources()).resources)


async def test_the_agent_endpoint_is_one_episode(catalogue: Catalogue, streamable: str) -> None:
    scenario = catalogue.get("RCA-002")
    async with Client(f"{streamable}/mcp", mode=MODERN) as operator:
        handle = await start(operator, scenario.id)
        url = ((await operator.call_tool("show_drill", {"episode_id": handle})).meta or {})[AGENT_URL]
        assert url.startswith(f"{streamable}/agent/")
        assert handle not in url
        for era in (MODERN, LEGACY):
            async with Client(url, mode=era) as agent:
                tools = (await agent.list_tools()).tools
                assert [tool.name for tool in tools] == scenario.task.available_actions
                assert all("episode_id" not in tool.input_schema["properties"] for tool in tools)
        async with Client(url, mode=MODERN) as agent:
            seen = await play_through(agent, "", play_perfectly(scenario.incident, scenario.task))
        assert seen == play_in_process(scenario, rewards=True)
        graded = await operator.call_tool("grade_drill", {"episode_id": handle})
        assert "Score 1.0000" in read_text(graded)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/", "/agent/any/mcp"])
async def test_foreign_hosts_and_origins_are_refused(sse: str, path: str, headers: dict[str, str]) -> None:
    async with httpx2.AsyncClient(base_url=sse, timeout=10) as client:
        method = "GET" if path == "/sse" else "POST"
        body = None if method == "GET" else {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        accept = {"Accept": "application/json, text/event-stream"}
        answer = await client.request(method, path, json=body, headers={**headers, **accept})
    assert answer.status_code in {403, 421}


async def test_no_agent_endpoint_without_an_open_episode(streamable: str) -> None:
    async with httpx2.AsyncClient(base_url=streamable) as client:
        answer = await client.post("/agent/never-minted/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert answer.status_code == 404
    assert "No open episode has its endpoint here" in answer.text


async def test_a_lost_handle_is_found_where_there_is_a_session(streamable: str) -> None:
    async with Client(f"{streamable}/mcp", mode=LEGACY) as client:
        finished, unfinished = await start(client, "AC-001"), await start(client, "RP-001")
        await client.call_tool("submit_severity", {"severity": "P1", "episode_id": finished})
        listed = read_text(await client.call_tool("list_drills", {}))
        assert f"Your open drills:\n- episode_id {unfinished}: RP-001. Step 0 of 15" in listed
        assert f"Your finished drills:\n- episode_id {finished}: AC-001. Over after 1 step. Score 1.0000." in listed


async def test_launched_for_training_texts_say_what_steps_earn(training: str) -> None:
    async with Client(f"{training}/mcp", mode=MODERN) as client:
        chosen = {"split": "curated", "index": 6, "reward_mode": "dense", "episode_id": "trained"}
        started = await client.call_tool("start_drill", chosen)
        assert "episode_id: trained\n\nRP-001" in read_text(started)
        look = await client.call_tool("query_logs", {"service": "postgres-db", "episode_id": "trained"})
        assert "First look at postgres-db (reward +0.03)." in read_text(look)
        await client.call_tool("close_drill", {"episode_id": "trained"})


@pytest.mark.slow
async def test_launched_for_training_over_stdio() -> None:
    async with Client(stdio("--training")) as client:
        await client.call_tool("start_drill", {"split": "curated", "index": 6})
        look = await client.call_tool("query_logs", {"service": "postgres-db"})
        assert "First look at postgres-db (reward +0.03)." in read_text(look)


async def test_handles_may_be_left_out_where_there_is_a_session(streamable: str) -> None:
    async with Client(f"{streamable}/mcp", mode=LEGACY) as one, Client(f"{streamable}/mcp", mode=LEGACY) as two:
        await start(one, "RP-001")
        await start(two, "RP-003")
        assert "RP-001" in read_text(await one.call_tool("show_drill", {}))
        assert "RP-003" in read_text(await two.call_tool("show_drill", {}))


async def test_a_request_without_a_session_cannot_invent_one(streamable: str) -> None:
    headers = {"Mcp-Session-Id": "spoofed"}
    async with httpx2.AsyncClient(headers=headers) as http:
        transport = streamable_http_client(f"{streamable}/mcp", http_client=http)
        async with Client(transport, mode=MODERN) as client:
            handle = await start(client, "RP-001")
            listed = read_text(await client.call_tool("list_drills", {}))
            assert handle not in listed
            assert "without it a drill cannot be found again" in listed
            refused = await client.call_tool("show_drill", {})
            assert "this connection has no session" in read_text(refused)


@pytest.mark.parametrize("name", ["list_drills ", " list_drills\t", "list_drill"])
def test_whitespace_around_header_values_means_nothing(streamable: str, name: str) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "list_drills", "arguments": {}, "_meta": meta}
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "MCP-Protocol-Version": f"{MODERN} ",
        "Mcp-Method": "tools/call\t ",
        "Mcp-Name": name,
    }
    with closing(HTTPConnection(urlsplit(streamable).netloc)) as connection:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        connection.request("POST", "/mcp", body, headers)
        answer = connection.getresponse()
        assert ("error" in json.load(answer)) == (answer.status == 400) == (name.strip() != "list_drills")


async def test_a_handle_opened_anew_by_another_is_not_mine(training: str) -> None:
    async with Client(f"{training}/mcp", mode=LEGACY) as one, Client(f"{training}/mcp", mode=LEGACY) as two:
        chosen = {"incident": "RP-001", "episode_id": "shared-name"}
        await one.call_tool("start_drill", chosen)
        await one.call_tool("close_drill", {"episode_id": "shared-name"})
        await two.call_tool("start_drill", chosen)
        assert "shared-name" not in read_text(await one.call_tool("list_drills", {}))
        assert "No drill is open" in read_text(await one.call_tool("restart_service", {"service": "postgres-db"}))
        await two.call_tool("close_drill", {"episode_id": "shared-name"})


@pytest.mark.slow
async def test_the_agent_profile_over_stdio(catalogue: Catalogue) -> None:
    scenario = catalogue.get("AC-002")
    async with Client(stdio("--profile", "agent", "--scenario", "AC-002")) as agent:
        assert [tool.name for tool in (await agent.list_tools()).tools] == scenario.task.available_actions
        assert scenario.incident.alert["name"] in (agent.instructions or "")
        refused = await agent.call_tool("start_drill", {})
        assert refused.is_error
        assert read_text(refused).endswith(PROCESS_NOTE)
        seen = await play_through(agent, "", play_perfectly(scenario.incident, scenario.task))
        assert seen == play_in_process(scenario, rewards=True)
        over = await agent.call_tool("query_logs", {"service": scenario.incident.services[0]})
        assert over.is_error
        assert "There is nothing more to do" in read_text(over)


@pytest.mark.slow
async def test_an_incident_opened_at_launch(catalogue: Catalogue) -> None:
    scenario = catalogue.get("RCA-003")
    async with Client(stdio("--scenario", "RCA-003")) as client:
        first = await client.call_tool("show_drill", {})
        assert read_text(first).endswith(PROCESS_NOTE)
        assert read_numbers(first)["note"] == PROCESS_NOTE
        seen = await play_through(client, "", play_perfectly(scenario.incident, scenario.task))
    assert seen == play_in_process(scenario)
