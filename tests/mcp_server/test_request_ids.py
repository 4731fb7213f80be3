"""A call that is sent again under its request id: it gets its first answer, and no second step is taken."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client

from env_core.request_ids import REQUEST_ID_KEY, REQUEST_ID_LIMIT
from env_core.service import EpisodeService
from mcp_server import build_server
from mcp_server.binding import bind_to
from mcp_server.drill import Drill
from tests.http_compat.talking import open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start
from tests.servers import full_server, stdio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from mcp_types import CallToolResult, RequestParamsMeta

    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio

LOGS = ("query_logs", {"service": "api-gateway"})
METRICS = ("check_metrics", {"service": "api-gateway"})
SUBMISSION = ("submit_severity", {"severity": "P1"})


class Reached(NamedTuple):
    """How an episode is reached: what a client connects to, anew each time, and what its calls name."""

    connect: Callable[[], Any]
    era: str
    named: dict[str, str]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


async def reach_operator(connect: Callable[[], Any], era: str) -> Reached:
    async with Client(connect(), mode=era) as client:
        return Reached(connect, era, {"episode_id": await start(client, "AC-001")})


async def reach_agent(address: str, era: str) -> Reached:
    async with httpx2.AsyncClient(base_url=address) as api:
        opened = read_answer(await api.post("/reset", json={"scenario_id": "AC-001"}))
    return Reached(lambda: opened["info"]["agent_url"], era, {})


def agent_process(file: Path) -> StdioServerParameters:
    """A process on a file of episodes that others are on as well, as frameworks start one for each call."""
    return stdio("--store", str(file), "--profile", "agent", "--scenario", "AC-001", "--episode-id", "run")


async def reach_stdio_agent(file: Path, era: str) -> Reached:
    return Reached(lambda: agent_process(file), era, {})


DOORS: dict[str, Callable[[str, Path, str], Awaitable[Reached]]] = {
    "streamable HTTP": lambda address, _, era: reach_operator(lambda: f"{address}/mcp", era),
    "agent's endpoint": lambda address, _, era: reach_agent(address, era),
    "SSE": lambda address, _, era: reach_operator(lambda: sse_client(f"{address}/sse"), era),
    "stdio": lambda _, file, era: reach_operator(lambda: stdio("--store", str(file)), era),
    "stdio, agent": lambda _, file, era: reach_stdio_agent(file, era),
}


def identify(request_id: object) -> RequestParamsMeta:
    return cast("RequestParamsMeta", {REQUEST_ID_KEY: request_id})


async def call(reached: Reached, *calls: tuple[tuple[str, dict[str, str]], object]) -> list[CallToolResult]:
    """Call tools, each under its request id, on one new connection, as a client does that has lost the one before."""
    async with Client(reached.connect(), mode=reached.era) as client:
        return [
            await client.call_tool(name, {**arguments, **reached.named}, meta=identify(request_id))
            for (name, arguments), request_id in calls
        ]


@pytest.mark.parametrize(
    ("door", "era"),
    [
        *((door, era) for door in DOORS if "stdio" not in door for era in (MODERN, LEGACY)),
        # Each connection is a process here. The eras differ in what comes before a call, and not by who calls.
        pytest.param("stdio", MODERN, marks=pytest.mark.slow),
        pytest.param("stdio, agent", LEGACY, marks=pytest.mark.slow),
    ],
)
async def test_a_call_that_is_sent_again_is_answered_as_before(
    address: str, tmp_path: Path, door: str, era: str
) -> None:
    reached = await DOORS[door](address, tmp_path / "episodes.db", era)
    (first,) = await call(reached, (LOGS, "1"))
    again, reused, second = await call(reached, (LOGS, "1"), (METRICS, "1"), (METRICS, "2"))
    assert again == first
    assert reused.is_error
    assert "'1' was used for query_logs; nothing was done" in read_text(reused)
    assert read_numbers(second)["step_count"] == 2
    again, end = await call(reached, (LOGS, "1"), (SUBMISSION, "3"))
    assert again == first
    assert (read_numbers(end)["step_count"], read_numbers(end)["done"]) == (3, True)
    *repeated, late = await call(reached, (SUBMISSION, "3"), (METRICS, "2"), (LOGS, "4"))
    assert repeated == [end, second]
    assert "is over" in read_text(late)


@pytest.mark.parametrize("given", [7, ["1"], {}, "x" * (REQUEST_ID_LIMIT + 1)])
async def test_an_id_that_is_none_is_refused(service: EpisodeService, given: object) -> None:
    episode = await service.create(Drill(incident="AC-001").select())
    for bound in (None, bind_to(episode)):
        server = build_server(service, version="test", bound=bound, episode=episode if bound else None)
        reached = Reached(partial(lambda made: made, server), MODERN, {} if bound else {"episode_id": episode.id})
        (refused,) = await call(reached, (LOGS, given))
        assert refused.is_error
        assert f"`{REQUEST_ID_KEY}` must be a text of at most {REQUEST_ID_LIMIT} characters" in read_text(refused)
    assert (await service.get(episode.id)).step_count == 0


async def test_the_answer_to_an_earlier_step_does_not_reopen_a_drill(service: EpisodeService) -> None:
    async with Client(build_server(service, version="test")) as client:
        handle = await start(client, "AC-001")
        for number, (name, arguments) in enumerate((LOGS, SUBMISSION, LOGS)):
            named, meta = {**arguments, "episode_id": handle}, identify(str(number % 2))
            assert not (await client.call_tool(name, named, meta=meta)).is_error
        other = await start(client, "AC-002")
        assert read_numbers(await client.call_tool(*METRICS))["episode_id"] == other


async def test_schemas_do_not_name_it(catalogue: Catalogue) -> None:
    async with Client(build_server(EpisodeService(catalogue), version="test", training=True)) as client:
        assert "request_id" not in (await client.list_tools()).model_dump_json()


def test_plain_json_rpc_takes_it_too(address: str) -> None:
    with httpx2.Client(base_url=address) as api, open_talk(address) as talk:

        def post(method: str, params: dict[str, Any]) -> Any:
            message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return read_answer(api.post("/mcp", json=message))["result"]

        def say(method: str, params: dict[str, Any]) -> Any:
            message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return talk.say({"type": "mcp", "data": message})["data"]["result"]

        talk.reset(scenario_id="AC-001")
        session = {"session_id": post("openenv/session/create", {"scenario_id": "AC-001"})["session_id"]}
        for ask, named in ((post, session), (say, {})):

            def take(action: tuple[str, dict[str, str]], request_id: object) -> Any:
                name, arguments = action
                meta = {REQUEST_ID_KEY: request_id}
                return ask("tools/call", {**named, "name": name, "arguments": arguments, "_meta": meta})  # noqa: B023

            first = take(LOGS, "1")
            assert not first["isError"]
            assert take(LOGS, "1") == first
            reused, none = take(METRICS, "1"), take(METRICS, 1)
            assert (reused["isError"], none["isError"]) == (True, True)
            assert "was used for query_logs" in reused["content"][0]["text"]
            assert REQUEST_ID_KEY in none["content"][0]["text"]
            assert take(METRICS, "2")["structuredContent"]["step_count"] == 2
