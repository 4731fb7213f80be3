"""Chat for fine-tuning: recorded messages as they are, others as a model would have been told them."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import validate

from cloud_incident.evaluation.agents.agent import Seat
from cloud_incident.evaluation.agents.endpoint import EndpointSettings, ModelEndpoint
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.reporting.export import build_chat, render_chat_lines
from cloud_incident.evaluation.running.environments import InProcess
from cloud_incident.evaluation.running.episode_loop import play_attempt as attempt_played
from cloud_incident.evaluation.running.schedule import Attempt
from tests.cloud_incident.evaluation.scripted_model import serving
from tests.cloud_incident.evaluation.trajectories import made_up, played, step_taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.running.trajectory import Trajectory
    from scenarios.catalogue import Catalogue
    from tests.cloud_incident.evaluation.scripted_model import ScriptedModel


@pytest.fixture(scope="module")
def episodes(catalogue: Catalogue) -> list[Trajectory]:
    return played(catalogue, repeats=2)


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with serving() as model:
        yield model


def played_by_model(model: ScriptedModel, name: str, scenario_id: str, catalogue: Catalogue) -> Trajectory:
    """An episode of a model that may fail, with the oracle behind it."""
    scenario = catalogue.get(scenario_id)

    async def play() -> Trajectory:
        endpoint = ModelEndpoint(
            EndpointSettings(base_url=model.address, model=name, api_key="a-key", first_wait=0.001, attempts=1)
        )
        agent = Fallback(LLM(endpoint), Oracle(Seat(scenario)), "oracle")
        try:
            return await attempt_played(Attempt("llm", scenario_id), scenario, agent, InProcess(catalogue))
        finally:
            await endpoint.close()

    return asyncio.run(play())


def check(messages: list[dict[str, Any]]) -> None:
    """Every call is answered by the next message, and the assistant has the last word."""
    assert [message["role"] for message in messages[:2]] == ["system", "user"]
    assert messages[-1]["role"] == "assistant"
    for message, following in pairwise(messages):
        assert message["role"] != following["role"]
        for call in message.get("tool_calls", ()):
            assert following["tool_call_id"] == call["id"]
        if following["role"] == "tool":
            assert message["tool_calls"]


def without_ids(messages: list[dict[str, Any]]) -> list[Any]:
    """Messages without the names of calls, and with arguments that do not depend on how they are written."""
    bare = []
    for message in messages:
        calls = [
            (call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls", ())
        ]
        bare.append((message["role"], message["content"], calls))
    return bare


def test_a_line_for_every_episode_that_scored_enough(episodes: list[Trajectory]) -> None:
    assert len(list(render_chat_lines(episodes))) == len(episodes)
    lines = list(render_chat_lines(episodes, minimum=1.0))
    assert len(lines) == sum(episode["score"] == 1.0 for episode in episodes)
    for line in lines:
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert json.loads(line)["score"] == 1.0
    assert list(render_chat_lines([made_up(0.0, failed="gone"), made_up(0.0, steps=[])])) == []
    assert list(render_chat_lines(episodes)) == list(render_chat_lines(episodes))


def test_a_synthesised_conversation_is_what_was_shown_and_done(episodes: list[Trajectory]) -> None:
    for episode in episodes:
        chat = build_chat(episode)
        messages = chat["messages"]
        assert (chat["source"], chat["decided_by_others"]) == ("synthesised", 0)
        check(messages)
        calls, results = messages[2::2], messages[3::2]
        assert len(calls) == len(episode["steps"]) == len(results) + 1
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in chat["tools"]}
        for step, message in zip(episode["steps"], calls, strict=True):
            (call,) = message["tool_calls"]
            assert call["function"]["name"] == step["action"]["action_type"]
            arguments = json.loads(call["function"]["arguments"])
            assert arguments == step["action"]["parameters"]
            validate(arguments, schemas[call["function"]["name"]])
        for step, result in zip(episode["steps"], results, strict=False):
            assert (step["evidence"] or "") in result["content"]
            assert (step["error"] or "") in result["content"]
            assert step["feedback"] in result["content"]


@pytest.mark.parametrize("scenario_id", ["AC-001", "RCA-002", "RP-003"])
def test_what_is_synthesised_is_what_a_model_that_plays_the_same_is_told(
    model: ScriptedModel, catalogue: Catalogue, scenario_id: str
) -> None:
    recorded = build_chat(played_by_model(model, "perfect", scenario_id, catalogue))
    (oracle,) = played(catalogue, ["oracle"], [scenario_id])
    synthesised = build_chat(oracle)
    assert (recorded["source"], synthesised["source"]) == ("recorded", "synthesised")
    check(recorded["messages"])
    assert without_ids(recorded["messages"]) == without_ids(synthesised["messages"])
    assert recorded["tools"] == synthesised["tools"]


@pytest.mark.parametrize(
    ("name", "helped"), [("mumbling*1", 0), ("mumbling*3", 1), ("500*1", 1), ("unknown-tool*4", 1)]
)
def test_a_conversation_in_which_another_helped_out_is_whole(
    model: ScriptedModel, catalogue: Catalogue, name: str, helped: int
) -> None:
    episode = played_by_model(model, name, "RP-001", catalogue)
    chat = build_chat(episode)
    assert episode["score"] == 1.0
    assert chat["source"] == "recorded"
    assert chat["decided_by_others"] == sum("oracle decided" in step["note"] for step in episode["steps"]) == helped
    check(chat["messages"])


def test_what_others_played_for_a_model_is_synthesised(model: ScriptedModel, catalogue: Catalogue) -> None:
    episode = played_by_model(model, "mumbling", "RCA-001", catalogue)
    assert all(step["messages"] for step in episode["steps"])
    assert build_chat(episode)["source"] == "synthesised"


def test_messages_in_text_need_no_tools() -> None:
    def say(role: str, words: str) -> dict[str, Any]:
        return {"role": role, "content": words}

    first, second = (
        [say("user", "an alert"), say("assistant", "look")],
        [say("user", "a log"), say("assistant", "so")],
    )
    chat = build_chat(made_up(0.5, steps=[step_taken(messages=first), step_taken(messages=second)]))
    assert chat["messages"] == [*first, *second]
    assert "tools" not in chat
