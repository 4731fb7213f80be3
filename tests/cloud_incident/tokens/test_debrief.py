"""A debrief that is kept for the harness: a `play` token is told neither score nor cause, by whatever door it comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from env_core.callers import OPERATE, PLAY
from mcp_server.resources import VIEWS
from tests.cloud_incident.tokens.holding import Tokens, bearer, guarded_server
from tests.http_compat.talking import QUERY, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBMIT, SEVERITY = "submit_severity", {"severity": "P3"}
WRONG_ANSWER: dict[str, Any] = {"action_type": SUBMIT, "parameters": SEVERITY}
"""It scores 0.25: two levels off."""

TELLING = (
    '"grade": {',
    "breakdown",
    "0.2500",
    ": 0.25,",
    "Submitted P3, but",
    "Final score",
    "What happened",
    "root_cause",
)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens.write(tmp_path_factory.mktemp("tokens") / "tokens")


@pytest.fixture(scope="module")
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens, training=True) as address:
        yield address


@pytest.fixture
def harness(address: str, tokens: Tokens) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers=bearer(tokens.alice[OPERATE])) as client:
        yield client


@pytest.fixture
def player(address: str, tokens: Tokens) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers=bearer(tokens.alice[PLAY])) as client:
        yield client


def open_episode(harness: httpx2.Client, **options: Any) -> str:
    """Open an episode whose debrief is for the harness; its handle."""
    given = {"scenario_id": "AC-001", "debrief": "harness", **options}
    handle: str = read_answer(harness.post("/reset", json=given))["observation"]["episode_id"]
    return handle


def look_everywhere(player: httpx2.Client, handle: str) -> list[str]:
    """What a player is told of an episode over REST."""
    return [player.get(path, params={"episode_id": handle}).text for path in ("/state", "/frames", "/evidence")]


def check_told(told: list[str]) -> None:
    for text in told:
        for word in TELLING:
            assert word not in text.replace('":', '": '), (word, text)


def test_over_rest(harness: httpx2.Client, player: httpx2.Client) -> None:
    handle = open_episode(harness)
    named = {"episode_id": handle}
    ended = player.post("/step", params=named, json={**WRONG_ANSWER, "request_id": "last"})
    assert read_answer(ended)["done"]
    again = player.post("/step", params=named, json={**WRONG_ANSWER, "request_id": "last"})
    assert again.content == ended.content
    over = player.post("/step", params=named, json=QUERY)
    assert "Nothing was changed" in read_answer(over, 409)["detail"]
    check_told([ended.text, over.text, *look_everywhere(player, handle)])
    assert read_answer(ended)["reward"] == 0.0
    read_answer(player.get("/grader", params=named), 403)
    graded = read_answer(harness.get("/grader", params=named))
    assert (graded["score"], graded["debrief"]["severity"]) == (0.25, "P1")
    assert read_answer(harness.get("/state", params=named))["cumulative_reward"] == 0.25


def test_over_a_websocket(address: str, tokens: Tokens, harness: httpx2.Client) -> None:
    handle = open_episode(harness)
    with open_talk(address, additional_headers=bearer(tokens.alice[PLAY])) as talk:
        talk.reset(resume=True, episode_id=handle)
        tool = {"type": "call_tool", "tool_name": SUBMIT, "arguments": SEVERITY}
        told = [talk.step(tool), talk.expect_error({"type": "step", "data": QUERY}), talk.state()]
        told.append(talk.reset(resume=True, episode_id=handle))
    check_told([json.dumps(each) for each in told])


def test_over_json_rpc(harness: httpx2.Client, player: httpx2.Client) -> None:
    options = {"scenario_id": "AC-001", "debrief": "harness"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create", "params": options}
    session = read_answer(harness.post("/mcp", json=call))["result"]["session_id"]
    arguments = {"name": SUBMIT, "arguments": SEVERITY, "session_id": session}
    ended = player.post("/mcp", json={**call, "method": "tools/call", "params": arguments})
    assert read_answer(ended)["result"]["structuredContent"]["done"]
    check_told([ended.text, player.post("/mcp", json={**call, "method": "tools/call", "params": arguments}).text])


@pytest.mark.anyio
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_over_mcp(address: str, tokens: Tokens, harness: httpx2.Client, era: str) -> None:
    handle = open_episode(harness)
    named = {"episode_id": handle}
    async with (
        httpx2.AsyncClient(headers=bearer(tokens.alice[PLAY])) as api,
        Client(streamable_http_client(f"{address}/mcp", http_client=api), mode=era) as client,
    ):
        answer = {**SEVERITY, **named}
        told = [(await client.call_tool(SUBMIT, answer)).model_dump_json() for _ in range(2)]
        told.append((await client.call_tool("show_drill", named)).model_dump_json())
        views = [*(view.path for view in VIEWS), "frames"]
        told += [(await client.read_resource(f"incident://{handle}/{path}")).model_dump_json() for path in views]
        told.append((await client.get_prompt("write_summary", named)).model_dump_json())
    check_told(told)


def test_at_the_step_limit(harness: httpx2.Client, player: httpx2.Client) -> None:
    handle = open_episode(harness)
    told = [player.post("/step", params={"episode_id": handle}, json=QUERY) for _ in range(3)]
    assert read_answer(told[-1])["done"]
    assert "grade" not in told[-1].text
    check_told(look_everywhere(player, handle))


def test_without_that_a_player_is_told_its_score(harness: httpx2.Client, player: httpx2.Client) -> None:
    handle = open_episode(harness, debrief="agent")
    ended = read_answer(player.post("/step", params={"episode_id": handle}, json=WRONG_ANSWER))
    assert ended["metadata"]["grade"]["score"] == 0.25
