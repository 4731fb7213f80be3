"""Episodes as chat, one line of JSON each, in the form that fine-tuning takes."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import orjson

from cloud_incident.evaluation.agents import build_function_tools, write_system_prompt
from cloud_incident.evaluation.running import is_measured, read_results, read_score
from env_core.briefing import describe_remaining, write_briefing_of
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cloud_incident.evaluation.running import StepTaken, Trajectory
    from env_core.observation import Observation
    from scenarios.vocabulary import Task

    Message = dict[str, Any]


def export_chat(run: Path, chat: Path, minimum: float = 0.0) -> str:
    """Write the episodes of a run that score `minimum` or more as chat; the result says how many there are."""
    results = read_results(run)
    lines = list(render_chat_lines(results, minimum=minimum))
    chat.write_bytes(b"".join(lines))
    failed = sum(not is_measured(episode) for episode in results)
    left_out = f" {failed} failed and {'is' if failed == 1 else 'are'} not among them." if failed else ""
    return f"{len(lines)} episodes are in {chat} as chat.{left_out}"


def render_chat_lines(trajectories: Iterable[Trajectory], *, minimum: float = 0.0) -> Iterator[bytes]:
    """Yield a line, its end included, for every episode that scored `minimum` (0.0 to 1.0) or more.

    Episodes that failed, and those without a step, are left out.
    """
    for episode in trajectories:
        if is_measured(episode) and read_score(episode) >= minimum and episode["steps"]:
            yield orjson.dumps(build_chat(episode), option=orjson.OPT_APPEND_NEWLINE)


def build_chat(episode: Trajectory) -> dict[str, Any]:
    """An episode of one step or more as `messages` in the chat format, its `score`, and where it comes from.

    `source` is `recorded` if the messages are those of the model that played. It is `synthesised` if they are made from
    briefing, actions and evidence, as a model would have been shown them. The messages end with what the assistant did
    last. `decided_by_others` says how many of the `steps` another agent decided because the model failed. `tools` are
    there if a message calls one.
    """
    own = [step for step in episode["steps"] if _is_decided_by_model(step)]
    messages = list(chain.from_iterable(step["messages"] for step in own)) if own else _synthesise(episode)
    chat: dict[str, Any] = {"messages": messages}
    if any(message.get("tool_calls") for message in messages):
        chat["tools"] = build_function_tools(episode["briefing"]["available_actions"])
    return {
        **chat,
        "score": episode["score"],
        "agent": episode["agent"],
        "task_id": episode["task_id"],
        "scenario_id": episode["scenario_id"],
        "seed": episode["seed"],
        "repeat": episode["repeat"],
        "steps": len(episode["steps"]),
        "decided_by_others": len(episode["steps"]) - len(own) if own else 0,
        "source": "recorded" if own else "synthesised",
    }


def _is_decided_by_model(step: StepTaken) -> bool:
    """Whether the model decided the step. Messages that do not end with the assistant's are of an attempt that was
    given up: another agent decided, and the messages of the next step tell the model so."""
    return bool(step["messages"]) and step["messages"][-1].get("role") == "assistant"


def _synthesise(episode: Trajectory) -> list[Message]:
    shown = episode["briefing"]
    task = next(task for task in TASKS.values() if task.id == episode["task_id"])
    opening = [
        {"role": "system", "content": write_system_prompt(cast("Observation", shown), tools=True)},
        {"role": "user", "content": write_briefing_of(shown)},
    ]
    pairs = (_build_call_and_result(number, step, task) for number, step in enumerate(episode["steps"], 1))
    return [*opening, *chain.from_iterable(pairs)][:-1]


def _build_call_and_result(number: int, step: StepTaken, task: Task) -> list[Message]:
    action = step["action"]
    function = {"name": action["action_type"], "arguments": json.dumps(action["parameters"], ensure_ascii=False)}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    shown = [step["evidence"], step["error"], f"{step['feedback']} {describe_remaining(number, task)}"]
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "\n\n".join(part for part in shown if part)},
    ]
