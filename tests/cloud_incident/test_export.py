"""Chat for fine-tuning: recorded messages as they are, others made of what was shown and done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import validate

from cloud_incident.evaluation.export import chat_lines, conversation
from env_core.briefing import briefing
from env_core.episode import Reference, begin
from tests.cloud_incident.trajectories import made_up, played, step_taken

if TYPE_CHECKING:
    from cloud_incident.evaluation.trajectory import Trajectory
    from scenarios.catalogue import Catalogue


@pytest.fixture(scope="module")
def episodes(catalogue: Catalogue) -> list[Trajectory]:
    return played(catalogue, repeats=2)


def answer(words: str) -> dict[str, Any]:
    return {"role": "assistant", "content": words}


def told(words: str) -> dict[str, Any]:
    return {"role": "user", "content": words}


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


def test_a_synthesised_conversation_is_what_was_shown_and_done(
    catalogue: Catalogue, episodes: list[Trajectory]
) -> None:
    for one in episodes:
        chat = conversation(one)
        messages, scenario = chat["messages"], catalogue.get(one["scenario_id"])
        assert chat["source"] == "synthesised"
        assert [message["role"] for message in messages[:2]] == ["system", "user"]
        assert messages[1]["content"] == briefing(begin("an-episode", Reference.to(scenario), scenario))
        calls, results = messages[2::2], messages[3::2]
        assert len(calls) == len(one["steps"]) == len(results) + 1
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in chat["tools"]}
        for step, message in zip(one["steps"], calls, strict=True):
            (call,) = message["tool_calls"]
            assert message["role"] == "assistant"
            assert call["function"]["name"] == step["action"]["action_type"]
            arguments = json.loads(call["function"]["arguments"])
            assert arguments == step["action"]["parameters"]
            validate(arguments, schemas[call["function"]["name"]])
        for step, call, result in zip(one["steps"], calls, results, strict=False):
            assert result["tool_call_id"] == call["tool_calls"][0]["id"]
            assert (step["evidence"] or "") in result["content"]
            assert step["feedback"] in result["content"]


@pytest.mark.parametrize("whole", [False, True], ids=["what is new", "all so far"])
def test_recorded_messages_are_kept(whole: bool) -> None:
    said = [told("an alert"), answer("look"), told("logs"), answer("submit"), told("over")]
    second = said if whole else said[2:]
    one = made_up(0.5, steps=[step_taken(messages=said[:2]), step_taken(messages=second)])
    chat = conversation(one)
    assert chat["messages"] == said[:4]
    assert chat["source"] == "recorded"
    assert "tools" not in chat


def test_a_step_without_messages_is_put_in_as_a_call(episodes: list[Trajectory]) -> None:
    (one, *_) = (one for one in episodes if one["agent"] == "oracle" and len(one["steps"]) == 3)
    first, second, third = one["steps"]
    mixed: Trajectory = {
        **one,
        "steps": [
            {**first, "messages": [told("an alert"), answer("look")]},
            second,
            {**third, "messages": [answer("so")]},
        ],
    }
    roles = [message["role"] for message in conversation(mixed)["messages"]]
    assert roles == ["user", "assistant", "assistant", "tool", "assistant"]
    late: Trajectory = {**one, "steps": [first, second, {**third, "messages": [answer("so")]}]}
    roles = [message["role"] for message in conversation(late)["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "tool", "assistant"]
