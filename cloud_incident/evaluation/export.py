"""Episodes as chat, one line of JSON each, in the form that fine-tuning takes."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import orjson

from cloud_incident.evaluation.agents.prompting import function_tools, system_text
from env_core.briefing import describe_remaining, write_briefing_of
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_incident.evaluation.trajectory import StepTaken, Trajectory
    from env_core.observation import Observation
    from scenarios.vocabulary import Task

    Message = dict[str, Any]


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
    actions and evidence, as a model would have been told them. They end with what the assistant did last. Of `steps`
    so many were `decided_by_others` because the model failed. `tools` are there if any message calls one.
    """
    own = [step for step in one["steps"] if _decided_by_model(step)]
    messages = list(chain.from_iterable(step["messages"] for step in own)) if own else _synthesised(one)
    told: dict[str, Any] = {"messages": messages}
    if any(message.get("tool_calls") for message in messages):
        told["tools"] = function_tools(one["briefing"]["available_actions"])
    return {
        **told,
        "score": one["score"],
        "agent": one["agent"],
        "task_id": one["task_id"],
        "scenario_id": one["scenario_id"],
        "seed": one["seed"],
        "repeat": one["repeat"],
        "steps": len(one["steps"]),
        "decided_by_others": len(one["steps"]) - len(own) if own else 0,
        "source": "recorded" if own else "synthesised",
    }


def _decided_by_model(step: StepTaken) -> bool:
    """Messages that do not end with the assistant's are of an attempt that was given up: another decided, and the model
    heard of it with the next step, where it is recorded."""
    return bool(step["messages"]) and step["messages"][-1].get("role") == "assistant"


def _synthesised(one: Trajectory) -> list[Message]:
    shown, task = one["briefing"], next(task for task in TASKS.values() if task.id == one["task_id"])
    opening = [
        {"role": "system", "content": system_text(cast("Observation", shown), tools=True)},
        {"role": "user", "content": write_briefing_of(shown)},
    ]
    pairs = (_call_and_result(number, step, task) for number, step in enumerate(one["steps"], 1))
    return [*opening, *chain.from_iterable(pairs)][:-1]


def _call_and_result(number: int, step: StepTaken, task: Task) -> list[Message]:
    action = step["action"]
    function = {"name": action["action_type"], "arguments": json.dumps(action["parameters"], ensure_ascii=False)}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    shown = [step["evidence"], step["error"], f"{step['feedback']} {describe_remaining(number, task)}"]
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "\n\n".join(part for part in shown if part)},
    ]
