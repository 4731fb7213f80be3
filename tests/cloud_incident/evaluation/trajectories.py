"""Trajectories for tests: played by agents in process, or made up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents import AGENTS
from cloud_incident.evaluation.running.environments import InProcess, ReopeningEnvironment
from cloud_incident.evaluation.running.runner import Runner
from cloud_incident.evaluation.running.schedule import list_attempts
from cloud_incident.evaluation.running.trajectory import TRAJECTORY_FORMAT
from tests.proved import SHORTEST, name_repair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.running.trajectory import StepTaken, Trajectory
    from scenarios.catalogue import Catalogue


def played(
    catalogue: Catalogue,
    agents: Sequence[str] = ("oracle", "random"),
    scenario_ids: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    repeats: int = 1,
) -> list[Trajectory]:
    """Episodes of agents that need no model, on the named scenarios or all."""
    runner = Runner(catalogue, AGENTS, lambda: InProcess(catalogue))
    attempts = list_attempts(agents, scenario_ids or list(catalogue.scenarios), seeds, repeats)

    async def run() -> list[Trajectory]:
        environment = ReopeningEnvironment(lambda: InProcess(catalogue))
        return [await runner.play(attempt, environment) for attempt in attempts]

    return asyncio.run(run())


def made_up(
    score: float,
    *,
    agent: str = "agent",
    task_id: str = "root_cause_analysis",
    scenario_id: str = "RCA-001",
    seed: int = 0,
    repeat: int = 0,
    **other: Any,
) -> Trajectory:
    """An episode of one step that scored so much; `other` fields replace its own."""
    reason = f"{score} of 1 was earned."
    points: dict[str, Any] = {"name": "everything", "points": score, "most": 1.0, "reason": reason, "reasons": []}
    trajectory: dict[str, Any] = {
        "format": TRAJECTORY_FORMAT,
        "key": f"{agent}/{scenario_id}/{seed}/{repeat}",
        "agent": agent,
        "task_id": task_id,
        "scenario_id": scenario_id,
        "seed": seed,
        "repeat": repeat,
        "conditions": {
            "version": "0.1.0",
            "generator": "1",
            "surface": "in process",
            "address": "",
            "server": "",
            "split": "curated",
            "salt": "",
            "parameters": {},
        },
        "played_at": "2026-07-01T12:00:00+00:00",
        "reference": {
            "scenario_id": scenario_id,
            "task_id": task_id,
            "incident_id": "made-up",
            "digest": "0",
            "rules": "1",
            "reward_mode": "dense",
            "seed": seed,
            "observation": "full",
        },
        "briefing": {},
        "steps": [step_taken()],
        "score": score,
        "total_reward": score,
        "done": True,
        "truncated": False,
        "grade": {"score": score, "breakdown": [points]},
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0.0},
        "seconds": 0.5,
    }
    made: Trajectory = {**trajectory, **other}  # type: ignore[typeddict-item]
    return made


def failed(reason: str = "ModelError: HTTP 500", **other: Any) -> Trajectory:
    """An episode that could not be measured, and why."""
    made = made_up(0.0, **{"steps": [], "done": False, **other})
    del made["grade"]
    return {**made, "score": None, "failed": reason}


def step_taken(**other: Any) -> StepTaken:
    """A submission that showed nothing; `other` fields replace its own."""
    taken: dict[str, Any] = {
        "action": {"action_type": "submit_root_cause", "parameters": {"service": "a", "failure_mode": "b"}},
        "evidence": None,
        "reward": 0.5,
        "reward_events": {"score": 0.5},
        "feedback": "Submitted.",
        "error": None,
        "note": "",
        "messages": [],
        "refused": [],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0.0},
        "seconds": 0.5,
    }
    made: StepTaken = {**taken, **other}  # type: ignore[typeddict-item]
    return made


def hostile() -> list[Trajectory]:
    """Episodes whose every text tries to be markup, with names as long as names get; one of them failed."""
    attack = (
        "</style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg onload=alert(1)>&\x00\x1b[2J"
    )
    endless = "W" * 200
    step = step_taken(
        action={"action_type": attack, "parameters": {attack: attack}},
        evidence=f"{attack}\n{endless}" * 20,
        feedback=attack,
        error=attack,
        note=attack,
        refused=[attack],
    )
    points: dict[str, Any] = {
        "name": attack,
        "points": 0.5,
        "most": 1.0,
        "reason": f"{attack} {endless}",
        "reasons": [],
    }
    grade = {"score": 0.5, "breakdown": [points]}
    conditions = {**made_up(0.5)["conditions"], "surface": attack, "address": endless, "parameters": {attack: attack}}
    measured = [
        made_up(
            0.5,
            agent=f"{agent}{attack}",
            task_id=attack,
            scenario_id=f"{attack}{number}",
            repeat=number,
            steps=[step],
            grade=grade,
            briefing={"incident_summary": attack},
            usage={"prompt_tokens": 10**9, "completion_tokens": 10**8, "cost": 123456.789},
            gave_up=attack,
            conditions=conditions,
        )
        for agent in ("", endless)
        for number in range(2)
    ]
    return [*measured, failed(attack, agent=attack, task_id=attack, scenario_id=attack, conditions=conditions)]


def repaired(catalogue: Catalogue, agents: Sequence[str] = ("oracle", "random")) -> list[Trajectory]:
    """Episodes of remediation on an incident that runs; `curves` tell what users lost in them."""
    return played(catalogue, agents, [name_repair(SHORTEST)])
