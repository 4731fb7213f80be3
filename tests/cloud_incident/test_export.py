"""Chat for fine-tuning: recorded messages as they are, others as a model would have been told them."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import validate

from cloud_incident.evaluation.agents.agent import Seat
from cloud_incident.evaluation.agents.endpoint import Endpoint, EndpointSettings
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.environments import InProcess
from cloud_incident.evaluation.export import chat_lines, conversation
from cloud_incident.evaluation.playing import played as attempt_played
from cloud_incident.evaluation.schedule import Attempt
from tests.cloud_incident.scripted_model import serving
from tests.cloud_incident.trajectories import made_up, played, step_taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.trajectory import Trajectory
    from scenarios.catalogue import Catalogue
    from tests.cloud_incident.scripted_model import ScriptedModel


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
        endpoint = Endpoint(
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
    assert len(list(chat_lines(episodes))) == len(episodes)
    lines = list(chat_lines(episodes, minimum=1.0))
    assert len(lines) == sum(one["score"] == 1.0 for one in episodes)
    for line in lines:
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert json.loads(line)["score"] == 1.0
    assert list(chat_lines([made_up(0.0, failed="gone"), made_up(0.0, steps=[])])) == []
    assert list(chat_lines(episodes)) == list(chat_lines(episodes))


def test_a_synthesised_conversation_is_what_was_shown_and_done(episodes: list[Trajectory]) -> None:
    for one in episodes:
        chat = conversation(one)
        messages = chat["messages"]
        assert (chat["source"], chat["decided_by_others"]) == ("synthesised", 0)
        check(messages)
        calls, results = messages[2::2], messages[3::2]
        assert len(calls) == len(one["steps"]) == len(results) + 1
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in chat["tools"]}
        for step, message in zip(one["steps"], calls, strict=True):
            (call,) = message["tool_calls"]
            assert call["function"]["name"] == step["action"]["action_type"]
            arguments = json.loads(call["function"]["arguments"])
            assert arguments == step["action"]["parameters"]
            validate(arguments, schemas[call["function"]["name"]])
        for step, result in zip(one["steps"], results, strict=False):
            assert (step["evidence"] or "") in result["content"]
            assert (step["error"] or "") in result["content"]
            assert step["feedback"] in result["content"]


@pytest.mark.parametrize("scenario_id", ["AC-001", "RCA-002", "RP-003"])
def test_what_is_synthesised_is_what_a_model_that_plays_the_same_is_told(
    model: ScriptedModel, catalogue: Catalogue, scenario_id: str
) -> None:
    recorded = conversation(played_by_model(model, "perfect", scenario_id, catalogue))
    (oracle,) = played(catalogue, ["oracle"], [scenario_id])
    synthesised = conversation(oracle)
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
    one = played_by_model(model, name, "RP-001", catalogue)
    chat = conversation(one)
    assert one["score"] == 1.0
    assert chat["source"] == "recorded"
    assert chat["decided_by_others"] == sum("oracle decided" in step["note"] for step in one["steps"]) == helped
    check(chat["messages"])


def test_what_others_played_for_a_model_is_synthesised(model: ScriptedModel, catalogue: Catalogue) -> None:
    one = played_by_model(model, "mumbling", "RCA-001", catalogue)
    assert all(step["messages"] for step in one["steps"])
    assert conversation(one)["source"] == "synthesised"


def test_messages_in_text_need_no_tools() -> None:
    def said(role: str, words: str) -> dict[str, Any]:
        return {"role": role, "content": words}

    first, second = (
        [said("user", "an alert"), said("assistant", "look")],
        [said("user", "a log"), said("assistant", "so")],
    )
    chat = conversation(made_up(0.5, steps=[step_taken(messages=first), step_taken(messages=second)]))
    assert chat["messages"] == [*first, *second]
    assert "tools" not in chat
