"""How often a call loads an episode: once, where it is clear which episode it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.routing import Route

from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.stores import Claim, MemoryStore
from mcp_server import build_server
from mcp_server.binding import CallersBySession, bind_to, find_bound
from mcp_server.transports import AGENT_PATH, AgentsHTTP, SessionLimits
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start

if TYPE_CHECKING:
    from env_core.stores import Record
    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio

LOOK: tuple[str, dict[str, Any]] = ("query_logs", {"service": "postgres-db"})
CALLS: list[tuple[str, dict[str, Any]]] = [
    LOOK,
    ("query_logs", {"service": "postgres-db", "page": 2}),
    ("show_drill", {}),
]
WRONG = {"action_type": "submit_root_cause", "parameters": {"service": "api-gateway", "failure_mode": "unknown"}}


class CountingStore(MemoryStore):
    """Notes the handle of every episode that is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        self.loaded.append(episode_id)
        return await super().load(episode_id, since, touch=touch)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def service(catalogue: Catalogue, store: CountingStore) -> EpisodeService:
    return EpisodeService(catalogue, store)


async def count_loads(client: Client, store: CountingStore, tool: str, arguments: dict[str, Any]) -> list[str]:
    """The handles that a call loads."""
    store.loaded.clear()
    await client.call_tool(tool, arguments)
    return list(store.loaded)


async def finish(client: Client, handle: str) -> None:
    finished = await client.call_tool("submit_severity", {"severity": "P1", "episode_id": handle})
    assert read_numbers(finished)["done"]


async def test_a_named_handle(service: EpisodeService, store: CountingStore) -> None:
    async with Client(build_server(service, version="test")) as client:
        handle, _ = await start(client, "RP-001"), await start(client, "RP-002")
        for tool, arguments in CALLS:
            assert await count_loads(client, store, tool, {**arguments, "episode_id": handle}) == [handle]


async def test_left_out_with_one_open(service: EpisodeService, store: CountingStore) -> None:
    async with Client(build_server(service, version="test")) as client:
        handle = await start(client, "RP-001")
        for tool, arguments in CALLS:
            assert await count_loads(client, store, tool, arguments) == [handle]


async def test_left_out_with_three_finished_and_one_open(service: EpisodeService, store: CountingStore) -> None:
    async with Client(build_server(service, version="test")) as client:
        open_handle = await start(client, "RP-001")
        for scenario_id in ("AC-001", "AC-002", "AC-003"):
            await finish(client, await start(client, scenario_id))
        for tool, arguments in CALLS:
            assert await count_loads(client, store, tool, arguments) == [open_handle]


async def test_left_out_with_all_finished(service: EpisodeService, store: CountingStore) -> None:
    async with Client(build_server(service, version="test")) as client:
        handles = [await start(client, scenario_id) for scenario_id in ("AC-001", "AC-002", "AC-003")]
        for handle in handles:
            await finish(client, handle)
        assert await count_loads(client, store, "grade_drill", {}) == handles[-1:]


async def test_several_open_are_all_looked_at_and_named(service: EpisodeService, store: CountingStore) -> None:
    async with Client(build_server(service, version="test")) as client:
        await finish(client, await start(client, "AC-001"))
        handles = [await start(client, "RP-001"), await start(client, "RP-002")]
        store.loaded.clear()
        refused = await client.call_tool(*LOOK)
        assert store.loaded == handles
        assert all(handle in read_text(refused) for handle in handles)


async def test_what_others_finish_or_close_is_noticed(service: EpisodeService, store: CountingStore) -> None:
    async with Client(build_server(service, version="test")) as client:
        handles = [await start(client, scenario_id) for scenario_id in ("RCA-001", "RCA-002", "RCA-003")]
        await service.step(handles[0], WRONG)
        await service.close(handles[1])
        assert read_numbers(await client.call_tool(*LOOK))["episode_id"] == handles[2]
        assert await count_loads(client, store, *LOOK) == handles[2:]
        await service.step(handles[2], WRONG)
        over = await client.call_tool(*LOOK)
        assert "This incident is over: RCA-003" in read_text(over)


async def test_the_agent_profile(service: EpisodeService, store: CountingStore) -> None:
    episode = await service.create(Selection(scenario_id="RCA-001"))
    server = build_server(service, version="test", bound=bind_to(episode), episode=episode)
    async with Client(server) as agent:
        await agent.list_tools()
        for tool, arguments in CALLS[:2]:
            assert await count_loads(agent, store, tool, arguments) == [episode.id]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_the_agent_profile_over_http(service: EpisodeService, store: CountingStore, era: str) -> None:
    episode = await service.create(Selection(scenario_id="RCA-001"))
    key = (await service.get_keys()).make(Claim(episode.id, episode.incarnation))
    server = build_server(service, version="test", callers=CallersBySession, bound=find_bound)
    agents = AgentsHTTP(server, SessionLimits(), service)
    transport = httpx2.ASGITransport(Starlette(routes=[Route(AGENT_PATH, agents.app)]))
    async with agents.run(), httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        connection = streamable_http_client(f"http://test{AGENT_PATH.format(key=key)}", http_client=http)
        async with Client(connection, mode=era) as agent:
            await agent.list_tools()
            for tool, arguments in CALLS[:2]:
                assert await count_loads(agent, store, tool, arguments) == [episode.id]
