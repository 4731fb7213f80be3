"""Plays one attempt: an agent decides, an environment answers, and the trajectory records both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents import ModelError, Usage
from cloud_incident.evaluation.running.environments import BrokenError, RefusedError
from cloud_incident.evaluation.running.trajectory import TRAJECTORY_FORMAT, record_reference
from env_core.episode import Reference
from env_core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents import Agent
    from cloud_incident.evaluation.running.environments import Environment, EnvironmentReply
    from cloud_incident.evaluation.running.schedule import Attempt
    from cloud_incident.evaluation.running.trajectory import StepTaken, Trajectory, UsageRecord
    from env_core.observation import Observation
    from scenarios.catalogue import Scenario

MOST_REFUSALS = 3
"""An agent fails when this many of its actions in a row are refused."""

_BRIEFING_FIELDS = (
    "task_id",
    "scenario_id",
    "max_steps",
    "incident_summary",
    "alert",
    "available_actions",
    "known_services",
)


class AgentFailedError(RuntimeError):
    """The agent gave no action that could be taken."""


async def play_attempt(
    attempt: Attempt,
    scenario: Scenario,
    agent: Agent,
    environment: Environment,
    on_step: Callable[[StepTaken, EnvironmentReply], None] = lambda _step, _reply: None,
) -> Trajectory:
    """Play an attempt, and give its trajectory. An error ends the episode and stands in the trajectory as `failed`.

    `on_step` is called after each step.

    Raises:
        BrokenError: if the agent needs a model that cannot be asked at all.
    """
    began = time.perf_counter()
    selection = Selection(scenario_id=scenario.id, seed=attempt.seed, reward_mode=attempt.reward_mode)
    steps: list[StepTaken] = []
    reply: EnvironmentReply | None = None
    failed = ""
    briefing: dict[str, Any] = {}
    try:
        reply = await environment.reset(selection)
        briefing = _extract_briefing(reply.observation)
        while not reply.done:
            step, reply = await _take_step(agent, environment, reply.observation)
            steps.append(step)
            on_step(step, reply)
    except ModelError as error:
        if error.final:  # every other episode would fail in the same way
            raise BrokenError(f"The model cannot be asked: {error}") from error
        failed = f"{type(error).__name__}: {error}"[:2000]
    except Exception as error:
        failed = f"{type(error).__name__}: {error}"[:2000]
    return _build_trajectory(attempt, scenario, reply, steps, briefing, failed, time.perf_counter() - began)


def _extract_briefing(shown: Observation) -> dict[str, Any]:
    known: dict[str, Any] = {**shown}
    return {name: known[name] for name in _BRIEFING_FIELDS}


async def _take_step(agent: Agent, environment: Environment, shown: Observation) -> tuple[StepTaken, EnvironmentReply]:
    """Take one step. The agent is told of a refused action and decides again.

    Raises:
        AgentFailedError: if too many actions in a row are refused.
    """
    began = time.perf_counter()
    refused: list[str] = []
    usage, messages = Usage(), []
    while True:
        decision = await agent.decide(shown)
        usage = usage.add(decision.usage)
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
        "evidence": _find_evidence(decision.action, reply.observation),
        "reward": reply.reward,
        "reward_events": dict(reply.info["reward_events"]),
        "feedback": reply.observation["feedback"],
        "error": reply.observation["last_action_error"],
        "note": decision.note,
        "messages": messages,
        "refused": refused,
        "usage": _record_usage(usage),
        "seconds": round(time.perf_counter() - began, 6),
    }
    return step, reply


def _find_evidence(action: Any, shown: Observation) -> str | None:
    """Find the evidence that a step showed; None if it showed none."""
    service = str(action["parameters"].get("service", "")).strip().casefold()
    if shown["last_action_error"] is not None:
        return None
    return shown["queried_data"].get(action["action_type"], {}).get(service)


def _record_usage(usage: Usage) -> UsageRecord:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost": round(usage.cost, 8),
    }


def _build_trajectory(
    attempt: Attempt,
    scenario: Scenario,
    reply: EnvironmentReply | None,
    steps: list[StepTaken],
    briefing: dict[str, Any],
    failed: str,
    seconds: float,
) -> Trajectory:
    grade = reply.info.get("grade") if reply is not None else None
    used = Usage()
    for step in steps:
        used = used.add(Usage(**step["usage"]))
    trajectory: Trajectory = {
        "format": TRAJECTORY_FORMAT,
        "key": attempt.key,
        "agent": attempt.agent,
        "task_id": scenario.task.id,
        "scenario_id": scenario.id,
        "seed": attempt.seed,
        "repeat": attempt.repeat,
        "reference": record_reference(Reference.to(scenario, attempt.reward_mode, attempt.seed)),
        "briefing": briefing,
        "steps": steps,
        "score": grade["score"] if grade and not failed else 0.0,
        "total_reward": round(sum(step["reward"] for step in steps), 4),
        "done": reply.done if reply is not None else False,
        "truncated": reply.info["truncated"] if reply is not None else False,
        "usage": _record_usage(used),
        "seconds": round(seconds, 6),
    }
    if grade is not None:
        trajectory["grade"] = grade
    if failed:
        trajectory["failed"] = failed
    return trajectory
