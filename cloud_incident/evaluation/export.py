"""Episodes as chat, one line of JSON each, in the form that fine-tuning takes."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson

from env_core.briefing import briefing_of
from env_core.guide import oncall_guide
from scenarios.actions import VOCABULARY
from scenarios.schemas import arguments_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_incident.evaluation.trajectory import StepTaken, Trajectory

    Message = dict[str, Any]

_ROLE = (
    "You are the engineer on call. Work the incident with the tools, one call at a time, and end it with the "
    "submission that is asked for."
)


def chat_lines(trajectories: Iterable[Trajectory], *, minimum: float = 0.0) -> Iterator[bytes]:
    """One line, its end included, for every episode that scored `minimum` (0.0 to 1.0) or more.

    Episodes that failed, and those without a step, are left out.
    """
    for one in trajectories:
        if one["score"] >= minimum and one["steps"] and "failed" not in one:
            yield orjson.dumps(conversation(one), option=orjson.OPT_APPEND_NEWLINE)


def conversation(one: Trajectory) -> dict[str, Any]:
    """An episode of one step or more as `messages` in the chat format, its `score`, and where it comes from.

    `source` is `recorded` where the messages are a model's own, and `synthesised` where they are made of briefing,
    actions and evidence. They end with what the assistant did last. `tools` are there if any message calls one.
    """
    recorded = any(step["messages"] for step in one["steps"])
    messages = _until_the_last_answer(_recorded(one) if recorded else _synthesised(one))
    told: dict[str, Any] = {"messages": messages}
    if any(message.get("tool_calls") for message in messages):
        told["tools"] = _tools(one)
    return {
        **told,
        "score": one["score"],
        "agent": one["agent"],
        "task_id": one["task_id"],
        "scenario_id": one["scenario_id"],
        "seed": one["seed"],
        "repeat": one["repeat"],
        "steps": len(one["steps"]),
        "source": "recorded" if recorded else "synthesised",
    }


def _recorded(one: Trajectory) -> list[Message]:
    """What was said, step after step.

    A step may have recorded what was new, or all that had been said until then. A step that another decided because the
    model failed has no messages of its own; it is put in as a call, so that what follows has something to follow from.
    """
    said: list[Message] = []
    for number, step in enumerate(one["steps"], 1):
        messages = step["messages"]
        if not messages:
            said += [*([] if said else _opening(one)), *_call_and_result(number, step)]
        elif said and messages[: len(said)] == said:
            said = list(messages)
        else:
            said += messages
    return said


def _synthesised(one: Trajectory) -> list[Message]:
    calls = (_call_and_result(number, step) for number, step in enumerate(one["steps"], 1))
    return [*_opening(one), *chain.from_iterable(calls)]


def _opening(one: Trajectory) -> list[Message]:
    return [
        {"role": "system", "content": f"{_ROLE}\n\n{oncall_guide()}"},
        {"role": "user", "content": briefing_of(one["briefing"])},
    ]


def _call_and_result(number: int, step: StepTaken) -> list[Message]:
    action = step["action"]
    function = {"name": action["action_type"], "arguments": json.dumps(action["parameters"], ensure_ascii=False)}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    shown = "\n\n".join(part for part in (step["evidence"], step["error"], step["feedback"]) if part)
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": shown},
    ]


def _until_the_last_answer(messages: Sequence[Message]) -> list[Message]:
    """Without what the assistant was told after its last message: there is nothing to learn from it."""
    last = max((number for number, one in enumerate(messages) if one.get("role") == "assistant"), default=-1)
    return list(messages[: last + 1])


def _tools(one: Trajectory) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": VOCABULARY[name].description,
                "parameters": arguments_schema(VOCABULARY[name].parameters),
            },
        }
        for name in one["briefing"]["available_actions"]
    ]
