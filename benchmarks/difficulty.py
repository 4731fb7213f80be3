"""How the responder fares on generated incidents, level by level of difficulty, on the same seeds at each.

Run with `python -m benchmarks.difficulty`, or with a number of seeds (400 unless arguments) and the first of them (0).
Differences between neighbouring levels are paired by seed; `±` stands before standard errors.
"""

from __future__ import annotations

import asyncio
import sys
from math import sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.agents import AGENTS, Seat
from cloud_incident.evaluation.running import InProcess
from env_core.selection import Selection
from scenarios.catalogue import Catalogue
from scenarios.generator.naming import DIFFICULTIES, GENERATOR_VERSION
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEDS = 400
AGENT = "responder"
CODES = {task.id: task.code for task in TASKS.values()}


class Result(NamedTuple):
    """What came of one episode: its score, whether the right service was named, and what chance would name right."""

    score: float
    right: float
    chance: float


async def play_scenario(catalogue: Catalogue, scenario_id: str) -> Result:
    """One episode of the agent."""
    scenario = catalogue.get(scenario_id)
    agent, environment = AGENTS[AGENT](Seat(scenario)), InProcess(catalogue)
    reply = await environment.reset(Selection(scenario_id=scenario_id))
    named = None
    while not reply.done:
        action = (await agent.decide(reply.observation)).action
        named = action["parameters"].get("service")
        reply = await environment.step(action)
    await agent.close()
    incident = scenario.incident
    score: float = reply.info["grade"]["score"]
    return Result(score, float(named == incident.truth.service), 1 / len(incident.services))


async def collect_results(catalogue: Catalogue, task: str, seeds: Sequence[int]) -> dict[int, list[Result]]:
    """Level by level the results of all seeds, in their order."""
    return {
        level: [await play_scenario(catalogue, f"GEN{GENERATOR_VERSION}-{task}-D{level}-{seed}") for seed in seeds]
        for level in DIFFICULTIES
    }


def format_table(title: str, levels: dict[int, list[float]], beside: dict[int, str] | None = None) -> str:
    """The mean at each level, and how much it is below the level before."""
    lines = ["", title, "", "| difficulty | mean | below the level before |" + (" chance |" if beside else "")]
    lines.append("|---|---|---|" + ("---|" if beside else ""))
    before: list[float] = []
    for level, values in levels.items():
        fall = _format_values([high - low for high, low in zip(before, values, strict=True)]) if before else ""
        lines.append(f"| {level} | {_format_values(values)} | {fall} |" + (f" {beside[level]} |" if beside else ""))
        before = values
    return "\n".join(lines)


def _format_values(values: list[float]) -> str:
    return f"{mean(values):.3f} ± {stdev(values) / sqrt(len(values)):.3f}"


async def main(count: int, first: int) -> None:
    """Measure and print the tables of all tasks."""
    catalogue = Catalogue()
    for task_id, task in CODES.items():
        found = await collect_results(catalogue, task, range(first, first + count))
        if task == "RCA":
            chance = {level: f"{mean(result.chance for result in results):.3f}" for level, results in found.items()}
            named = {level: [result.right for result in results] for level, results in found.items()}
            print(format_table(f"{task_id}: the right service named, {count} seeds", named, chance), flush=True)
        scores = {level: [result.score for result in results] for level, results in found.items()}
        print(format_table(f"{task_id}: score, {count} seeds", scores), flush=True)


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:3]]
    asyncio.run(main(*arguments, *(SEEDS, 0)[len(arguments) :]))
