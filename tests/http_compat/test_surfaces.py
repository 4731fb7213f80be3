"""Every door leads to the same room: the same actions give the same evidence, rewards and scores on all surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client

from cloud_incident.evaluation.running import play_actions
from env_core.briefing import describe_step
from env_core.perfect import play_perfectly
from scenarios.parsing import parse_action
from scenarios.vocabulary import POINT
from tests.conftest import CURATED_IDS
from tests.http_compat.talking import open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, play_through, start
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.vocabulary import Action


@dataclass(frozen=True)
class Seen:
    """What a client saw: evidence as observations hold it, texts of tools, rewards, the score. None: not shown.

    `plain` are texts that do not say what a step earned.
    """

    rewards: list[float]
    score: float | None
    evidence: list[dict[str, Any]] | None = None
    texts: list[str] | None = None
    plain: list[str] | None = None

    def agrees(self, truth: Seen) -> bool:
        """Whether it is something, and all of it is as in process."""
        shown = [(self.evidence, truth.evidence), (self.texts, truth.texts), (self.plain, truth.plain)]
        seen = [(ours, theirs) for ours, theirs in shown if ours is not None]
        return seen != [] and all(ours == theirs for ours, theirs in seen)


def play_in_process(scenario: Scenario, actions: list[Action]) -> Seen:
    episodes = [play_actions(scenario, actions[: count + 1]) for count in range(len(actions))]
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
        [describe_step(episode, rewards=False) for episode in episodes],
    )


def _read_replies(replies: list[Any]) -> Seen:
    return Seen(
        [reply["reward"] for reply in replies],
        replies[-1]["metadata"]["grade"]["score"],
        [reply["observation"]["queried_data"] for reply in replies],
    )


def _read_results(results: list[Any]) -> Seen:
    return Seen(
        [result["data"]["reward"] for result in results],
        results[-1]["data"]["grade"]["score"],
        texts=[result["content"][0]["text"] for result in results],
    )


def play_over_rest(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with httpx2.Client(base_url=address) as api:
        read_answer(api.post(f"/reset?scenario_id={scenario_id}"))
        return _read_replies([read_answer(api.post("/step", json=action.dump())) for action in actions])


def play_in_envelopes(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with httpx2.Client(base_url=address) as api:
        started = read_answer(api.post("/reset", json={"scenario_id": scenario_id, "seed": 5}))
        named = {"episode_id": started["observation"]["episode_id"]}
        return _read_replies(
            [read_answer(api.post("/step", json={"action": action.dump(), **named})) for action in actions]
        )


def play_over_websocket(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with open_talk(address) as talk:
        talk.reset(scenario_id=scenario_id)
        return _read_replies([talk.step(action.dump()) for action in actions])


def play_websocket_tools(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with open_talk(address) as talk:
        talk.reset(scenario_id=scenario_id)
        calls = [
            {"type": "call_tool", "tool_name": action.name, "arguments": action.dump()["parameters"]}
            for action in actions
        ]
        return _read_results([talk.step(call)["observation"]["result"] for call in calls])


def play_over_rpc(address: str, scenario_id: str, actions: list[Action]) -> Seen:
    with httpx2.Client(base_url=address) as api:

        def ask(method: str, params: dict[str, Any]) -> Any:
            return read_answer(api.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))[
                "result"
            ]

        session = ask("openenv/session/create", {"scenario_id": scenario_id})
        calls = [{"name": action.name, "arguments": action.dump()["parameters"], **session} for action in actions]
        return _read_results([ask("tools/call", call) for call in calls])


def play_over_mcp(era: str, path: str) -> Callable[[str, str, list[Action]], Seen]:
    async def played(address: str, scenario_id: str, actions: list[Action]) -> Seen:
        server = sse_client(f"{address}{path}") if path == "/sse" else f"{address}{path}"
        async with Client(server, mode=era) as client:
            transcript = await play_through(client, await start(client, scenario_id), actions)
        return Seen(list(transcript.rewards), transcript.score, plain=list(transcript.texts))

    return lambda *arguments: anyio.run(played, *arguments)


SURFACES = {
    "rest": play_over_rest,
    "rest in OpenEnv's form": play_in_envelopes,
    "websocket": play_over_websocket,
    "websocket by tools": play_websocket_tools,
    "plain JSON-RPC": play_over_rpc,
    "streamable HTTP, 2026-07-28": play_over_mcp(MODERN, "/mcp"),
    "streamable HTTP, 2025-11-25": play_over_mcp(LEGACY, "/mcp"),
    "SSE": play_over_mcp(LEGACY, "/sse"),
}


def choose_blunders(scenario: Scenario) -> list[Action]:
    """A look, looks again and looks at what is not there, until the steps are used up."""
    services = [scenario.incident.services[0], "nowhere"]
    looks = [parse_action("query_logs", {"service": service}) for service in services]
    return (looks * scenario.task.max_steps)[: scenario.task.max_steps]


CASES = (
    *("GEN1-AC-D1-7", "GEN1-RCA-D3-42", "GEN1-RP-D5-42"),
    *sorted(CURATED_IDS, key=lambda scenario_id: scenario_id[-1]),
)
"""Each task on an incident that was generated, then on those written by hand."""


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("scenario_id", mark_slow_after(3, CASES))
def test_all_surfaces_show_the_same(address: str, catalogue: Catalogue, scenario_id: str, surface: str) -> None:
    scenario = catalogue.get(scenario_id)
    for actions in (play_perfectly(scenario.incident, scenario.task), choose_blunders(scenario)):
        truth = play_in_process(scenario, actions)
        seen = SURFACES[surface](address, scenario.id, actions)
        assert seen.rewards == truth.rewards
        assert seen.score == truth.score
        assert seen.agrees(truth)
