"""Every door leads to the same room: the same actions give the same evidence, rewards and scores on all surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client

from cloud_incident.evaluation.play import play
from env_core.briefing import describe_step
from env_core.perfect import play_perfectly
from scenarios.parsing import parse_action
from scenarios.vocabulary import POINT
from tests.http_compat.talking import talking, told
from tests.mcp_server.playing import LEGACY, MODERN, play_through, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.vocabulary import Action


@dataclass(frozen=True)
class Seen:
    """What a client saw: evidence as observations hold it, texts of tools, rewards, the score. None: not shown."""

    rewards: list[float]
    score: float | None
    evidence: list[dict[str, Any]] | None = None
    texts: list[str] | None = None


def in_process(scenario: Scenario, actions: list[Action]) -> Seen:
    episodes = [play(scenario, actions[: count + 1]) for count in range(len(actions))]
    queried: dict[str, dict[str, str]] = {}
    evidence = []
    for episode in episodes:
        step = episode.steps[-1]
        if step.evidence is not None:
            shown = {**queried.get(step.action.name, {}), step.action.target: step.evidence.text}
            queried = {**queried, step.action.name: shown}
        evidence.append(queried)
    last = episodes[-1]
    return Seen(
        [step.reward / POINT for step in last.steps],
        last.grade.score if last.grade else None,
        evidence,
        [describe_step(episode) for episode in episodes],
    )


def _observed(replies: list[Any]) -> Seen:
    return Seen(
        [reply["reward"] for reply in replies],
        replies[-1]["metadata"]["grade"]["score"],
        [reply["observation"]["queried_data"] for reply in replies],
    )


def _called(results: list[Any]) -> Seen:
    return Seen(
        [result["data"]["reward"] for result in results],
        results[-1]["data"]["grade"]["score"],
        texts=[result["content"][0]["text"] for result in results],
    )


def rest(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with httpx2.Client(base_url=address) as api:
        told(api.post(f"/reset?scenario_id={scenario_id}"))
        return _observed([told(api.post("/step", json=action.dump())) for action in actions])


def rest_in_openenvs_form(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with httpx2.Client(base_url=address) as api:
        started = told(api.post("/reset", json={"scenario_id": scenario_id, "seed": 5}))
        named = {"episode_id": started["observation"]["episode_id"]}
        return _observed([told(api.post("/step", json={"action": one.dump(), **named})) for one in actions])


def websocket(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with talking(address) as talk:
        talk.reset(scenario_id=scenario_id)
        return _observed([talk.step(action.dump()) for action in actions])


def websocket_by_tools(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with talking(address) as talk:
        talk.reset(scenario_id=scenario_id)
        calls = [{"type": "call_tool", "tool_name": one.name, "arguments": one.dump()["parameters"]} for one in actions]
        return _called([talk.step(call)["observation"]["result"] for call in calls])


def plain_json_rpc(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with httpx2.Client(base_url=address) as api:

        def ask(method: str, params: dict[str, Any]) -> Any:
            return told(api.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))[
                "result"
            ]

        session = ask("openenv/session/create", {"scenario_id": scenario_id})
        calls = [{"name": one.name, "arguments": one.dump()["parameters"], **session} for one in actions]
        return _called([ask("tools/call", call) for call in calls])


def mcp(era: str, path: str) -> Callable[[str, str, list[Action]], Seen]:
    async def played(address: str, scenario_id: str, actions: list[Action]) -> Seen:
        server = sse_client(f"{address}{path}") if path == "/sse" else f"{address}{path}"
        async with Client(server, mode=era) as client:
            transcript = await play_through(client, await start(client, scenario_id), actions)
        return Seen(list(transcript.rewards), transcript.score, texts=list(transcript.texts))

    return lambda *arguments: anyio.run(played, *arguments)


SURFACES = {
    "rest": rest,
    "rest in OpenEnv's form": rest_in_openenvs_form,
    "websocket": websocket,
    "websocket by tools": websocket_by_tools,
    "plain JSON-RPC": plain_json_rpc,
    "streamable HTTP, 2026-07-28": mcp(MODERN, "/mcp"),
    "streamable HTTP, 2025-11-25": mcp(LEGACY, "/mcp"),
    "SSE": mcp(LEGACY, "/sse"),
}


def blundering(scenario: Scenario) -> list[Action]:
    """A look, looks again and looks at what is not there, until the steps are used up."""
    services = [scenario.incident.services[0], "nowhere"]
    looks = [parse_action("query_logs", {"service": service}) for service in services]
    return (looks * scenario.task.max_steps)[: scenario.task.max_steps]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("scenario_id", ["GEN1-AC-D1-7", "GEN1-RCA-D3-42", "GEN1-RP-D5-42"])
def test_all_surfaces_show_the_same_of_what_is_generated(
    address: str, catalogue: Catalogue, scenario_id: str, surface: str
) -> None:
    test_all_surfaces_show_the_same(address, catalogue.get(scenario_id), surface)


@pytest.mark.parametrize("surface", SURFACES)
def test_all_surfaces_show_the_same(address: str, scenario: Scenario, surface: str) -> None:
    for actions in (play_perfectly(scenario.incident, scenario.task), blundering(scenario)):
        truth = in_process(scenario, actions)
        seen = SURFACES[surface](address, scenario.id, actions)
        assert seen.rewards == truth.rewards
        assert seen.score == truth.score
        assert seen.evidence in (None, truth.evidence)
        assert seen.texts in (None, truth.texts)
        assert (seen.evidence, seen.texts) != (None, None)
