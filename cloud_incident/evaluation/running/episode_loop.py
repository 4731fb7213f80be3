"""Plays one attempt: an agent decides, an environment answers, and the trajectory records both."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_incident.evaluation.agents import ModelError, NoActionError, Usage
from cloud_incident.evaluation.running.environments import BrokenError, RefusedError, describe_error
from cloud_incident.evaluation.running.trajectory import TRAJECTORY_FORMAT, record_reference
from env_core.reference import Reference
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
"""An agent gives up when this many of its actions in a row are refused."""

_LONGEST_REASON = 2000

_BRIEFING_FIELDS = (
    "task_id",
    "scenario_id",
    "max_steps",
    "incident_summary",
    "alert",
    "available_actions",
    "known_services",
)


class RefusedTooOftenError(RuntimeError):
    """The agent gave no action that could be taken. `usage` is what its decisions cost."""

    def __init__(self, reason: str, usage: Usage) -> None:
        super().__init__(reason)
        self.usage = usage


class HopelessError(BrokenError):
    """The model of an agent cannot be asked, for this episode nor for others. `trajectory` is that of this episode."""

    def __init__(self, trajectory: Trajectory) -> None:
        reason = trajectory.get("failed", "").partition(": ")[2]
        super().__init__(f"The model cannot be asked: {reason}")
        self.trajectory = trajectory


class _Ending(NamedTuple):
    """Why an episode ended before its end, if it did, and the cost of the decision that came to nothing."""

    gave_up: str = ""
    failed: str = ""
    usage: Usage = Usage()
    hopeless: bool = False


async def play_attempt(
    attempt: Attempt,
    scenario: Scenario,
    agent: Agent,
    environment: Environment,
    on_step: Callable[[StepTaken, EnvironmentReply], None] = lambda _step, _reply: None,
) -> Trajectory:
    """Play an attempt, and give its trajectory.

    An agent that offers no action which can be taken gives up: the episode ends there, with a score of 0.0. Any other
    error ends the episode without a score and stands in the trajectory as `failed`. `on_step` is called after each
    step.

    Raises:
        HopelessError: if the agent needs a model that cannot be asked at all. It holds the trajectory.
    """
    began = time.perf_counter()
    selection = Selection(scenario_id=scenario.id, seed=attempt.seed, reward_mode=attempt.reward_mode)
    steps: list[StepTaken] = []
    reply: EnvironmentReply | None = None
    ending = _Ending()
    briefing: dict[str, Any] = {}
    try:
        reply = await environment.reset(selection)
        briefing = _extract_briefing(reply.observation)
        while not reply.done:
            step, reply = await _take_step(agent, environment, reply.observation)
            steps.append(step)
            on_step(step, reply)
    except (NoActionError, RefusedTooOftenError) as error:
        ending = _Ending(gave_up=_shorten(str(error)), usage=error.usage)
    except ModelError as error:
        ending = _Ending(failed=_shorten(f"{type(error).__name__}: {error}"), usage=error.usage, hopeless=error.final)
    except Exception as error:
        ending = _Ending(failed=_shorten(describe_error(error)))
    trajectory = _build_trajectory(attempt, scenario, reply, steps, briefing, ending, time.perf_counter() - began)
    if "grade" in trajectory and scenario.task.asks_repair:
        with suppress(Exception):  # what is only drawn costs no result
            curves = await environment.tell_curves()
            if curves is not None:
                trajectory["curves"] = curves
    if ending.hopeless:  # every other episode would fail in the same way
        raise HopelessError(trajectory)
    return trajectory


def fail_attempt(attempt: Attempt, scenario: Scenario, reason: str) -> Trajectory:
    """Give the trajectory of an attempt that could not be begun, and say why."""
    return _build_trajectory(attempt, scenario, None, [], {}, _Ending(failed=_shorten(reason)), 0.0)


def _shorten(reason: str) -> str:
    return reason[:_LONGEST_REASON]


def _extract_briefing(shown: Observation) -> dict[str, Any]:
    known: dict[str, Any] = {**shown}
    return {name: known[name] for name in _BRIEFING_FIELDS}


async def _take_step(agent: Agent, environment: Environment, shown: Observation) -> tuple[StepTaken, EnvironmentReply]:
    """Take one step. The agent is told of a refused action and decides again.

    Raises:
        RefusedTooOftenError: if too many actions in a row are refused.
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
                reason = f"{MOST_REFUSALS} actions in a row were refused, the last: {error}"
                raise RefusedTooOftenError(reason, usage) from error
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
    ending: _Ending,
    seconds: float,
) -> Trajectory:
    grade = reply.info.get("grade") if reply is not None else None
    used = ending.usage
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
        "conditions": attempt.conditions,
        "played_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "reference": record_reference(Reference.to(scenario, attempt.reward_mode, attempt.seed)),
        "briefing": briefing,
        "steps": steps,
        "score": None if ending.failed else grade["score"] if grade is not None else 0.0,
        "total_reward": round(sum(step["reward"] for step in steps), 4),
        "done": reply.done if reply is not None else False,
        "truncated": reply.info["truncated"] if reply is not None else False,
        "usage": _record_usage(used),
        "seconds": round(seconds, 6),
    }
    if grade is not None:
        trajectory["grade"] = grade
    if ending.gave_up:
        trajectory["gave_up"] = ending.gave_up
    if ending.failed:
        trajectory["failed"] = ending.failed
    return trajectory
