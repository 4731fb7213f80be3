"""Playing one attempt: an agent in an environment, and the trajectory that comes of it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents.agent import Usage
from cloud_incident.evaluation.agents.endpoint import ModelError
from cloud_incident.evaluation.environments import BrokenError, RefusedError
from cloud_incident.evaluation.trajectory import FORMAT
from env_core.episode import Reference
from env_core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents.agent import Agent
    from cloud_incident.evaluation.environments import Environment, Reply
    from cloud_incident.evaluation.schedule import Attempt
    from cloud_incident.evaluation.trajectory import StepTaken, Trajectory, UsageRecord
    from env_core.observation import Observation
    from scenarios.catalogue import Scenario

MOST_REFUSALS = 3
"""An agent that offers so many actions in a row that are none has failed."""

_BRIEFED = ("task_id", "scenario_id", "max_steps", "incident_summary", "alert", "available_actions", "known_services")


class AgentFailedError(RuntimeError):
    """An agent that came to no step that could be taken."""


async def played(
    attempt: Attempt,
    scenario: Scenario,
    agent: Agent,
    environment: Environment,
    told: Callable[[StepTaken, Reply], None] = lambda _step, _reply: None,
) -> Trajectory:
    """The trajectory of an attempt. What goes wrong in it ends the episode and is told in `failed`.

    `told` hears of each step as it is taken.

    Raises:
        BrokenError: if a model that has to decide cannot be asked at all.
    """
    began = time.perf_counter()
    selection = Selection(scenario_id=scenario.id, seed=attempt.seed, reward_mode=attempt.reward_mode)
    steps: list[StepTaken] = []
    reply: Reply | None = None
    failed = ""
    briefing: dict[str, Any] = {}
    try:
        reply = await environment.reset(selection)
        briefing = _briefed(reply.observation)
        while not reply.done:
            step, reply = await _stepped(agent, environment, reply.observation)
            steps.append(step)
            told(step, reply)
    except ModelError as error:
        if error.final:  # no fault of the model's play, and it would be the same in every episode
            raise BrokenError(f"The model cannot be asked: {error}") from error
        failed = f"{type(error).__name__}: {error}"[:2000]
    except Exception as error:
        failed = f"{type(error).__name__}: {error}"[:2000]
    return _written(attempt, scenario, reply, steps, briefing, failed, time.perf_counter() - began)


def _briefed(shown: Observation) -> dict[str, Any]:
    known: dict[str, Any] = {**shown}
    return {name: known[name] for name in _BRIEFED}


async def _stepped(agent: Agent, environment: Environment, shown: Observation) -> tuple[StepTaken, Reply]:
    """One step of the agent; what is refused is told to it, and it decides anew."""
    began = time.perf_counter()
    refused: list[str] = []
    usage, messages = Usage(), []
    while True:
        decision = await agent.decide(shown)
        usage = usage.plus(decision.usage)
        messages += [dict(message) for message in decision.messages]
        try:
            reply = await environment.step(decision.action)
            break
        except RefusedError as error:
            refused.append(str(error))
            if len(refused) >= MOST_REFUSALS:
                raise AgentFailedError(f"{MOST_REFUSALS} actions in a row were refused, the last: {error}") from error
            shown = {**shown, "last_action_error": str(error)}
    step: StepTaken = {
        "action": {"action_type": decision.action["action_type"], "parameters": dict(decision.action["parameters"])},
        "evidence": _evidence(decision.action, reply.observation),
        "reward": reply.reward,
        "reward_events": dict(reply.info["reward_events"]),
        "feedback": reply.observation["feedback"],
        "error": reply.observation["last_action_error"],
        "note": decision.note,
        "messages": messages,
        "refused": refused,
        "usage": _usage(usage),
        "seconds": round(time.perf_counter() - began, 6),
    }
    return step, reply


def _evidence(action: Any, shown: Observation) -> str | None:
    """The evidence that a step showed; None of one that showed none."""
    service = str(action["parameters"].get("service", "")).strip().casefold()
    if shown["last_action_error"] is not None:
        return None
    return shown["queried_data"].get(action["action_type"], {}).get(service)


def _usage(usage: Usage) -> UsageRecord:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost": round(usage.cost, 8),
    }


def _written(
    attempt: Attempt,
    scenario: Scenario,
    reply: Reply | None,
    steps: list[StepTaken],
    briefing: dict[str, Any],
    failed: str,
    seconds: float,
) -> Trajectory:
    grade = reply.info.get("grade") if reply is not None else None
    used = Usage()
    for step in steps:
        used = used.plus(Usage(**step["usage"]))
    trajectory: Trajectory = {
        "format": FORMAT,
        "key": attempt.key,
        "agent": attempt.agent,
        "task_id": scenario.task.id,
        "scenario_id": scenario.id,
        "seed": attempt.seed,
        "repeat": attempt.repeat,
        "reference": asdict(Reference.to(scenario, attempt.reward_mode, attempt.seed)),  # type: ignore[typeddict-item]
        "briefing": briefing,
        "steps": steps,
        "score": grade["score"] if grade and not failed else 0.0,
        "total_reward": round(sum(step["reward"] for step in steps), 4),
        "done": reply.done if reply is not None else False,
        "truncated": reply.info["truncated"] if reply is not None else False,
        "usage": _usage(used),
        "seconds": round(seconds, 6),
    }
    if grade is not None:
        trajectory["grade"] = grade
    if failed:
        trajectory["failed"] = failed
    return trajectory
