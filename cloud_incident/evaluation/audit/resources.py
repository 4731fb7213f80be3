"""Checks the cost of a reset, of a step, and of the memory of an episode."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import FEWEST, BoundedFigure
from cloud_incident.evaluation.audit.case import Bench
from cloud_incident.evaluation.audit.check import (
    MOST_EXAMPLES,
    Check,
    CheckGroup,
    CheckResult,
    Measurement,
    judge_figures,
)
from env_core.episode import advance, begin
from env_core.observation import observe
from env_core.reference import Reference
from env_core.transition import Transition
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext

RESET_MS = (15.0, 60.0)
"""The most that a reset on a fresh seed may take: median, and 99th percentile. Milliseconds on the yardstick's core."""
STEP_MS = (1.0, 10.0)
"""The most that a step may take: median, and 99th percentile. Milliseconds on the yardstick's core."""
MEMORY_MB = 8.0
"""The highest memory in megabytes of an episode with its incident, at its peak."""

_AGENT = "responder"
_WEIGHED = 5
"""For how many incidents the memory is measured; measuring slows them down."""


class ResourceUse(NamedTuple):
    """The cost of one incident.

    Of its reset and of each step in milliseconds of CPU on the yardstick's core, its memory in megabytes, and how much
    slower than that core this one was.
    """

    reset: float
    steps: list[float]
    memory: float | None
    slowdown: float


class ResourceChecks(CheckGroup[ResourceUse]):
    """Resource envelope."""

    specs = (
        Check(
            "semantic.resource_envelope",
            "Resets of fresh seeds and steps take little CPU time, and an episode little memory",
            f"reset {RESET_MS[0]:g} ms median, {RESET_MS[1]:g} ms p99; step {STEP_MS[0]:g} ms, {STEP_MS[1]:g} ms, "
            f"each after division by the slowdown; {MEMORY_MB:g} MB",
        ),
    )

    def measure(self, case: Case) -> ResourceUse:
        slowdown = case.slowdown
        steps = [milliseconds / slowdown for task_id in case.scenarios for milliseconds in _time_steps(case, task_id)]
        weighed = case.specimen.position < _WEIGHED
        return ResourceUse(case.made_ms / slowdown, steps, _measure_memory(case) if weighed else None, slowdown)

    def judge(self, found: Sequence[Measurement[ResourceUse]], context: AuditContext) -> Iterator[CheckResult]:  # noqa: ARG002 - as every group judges
        measured: dict[str, float | int | str] = {
            "slowdown": round(median(measurement.value.slowdown for measurement in found), 2)
        }
        figures = []
        for what, values, limits in (
            ("reset", [measurement.value.reset for measurement in found], RESET_MS),
            ("step", [milliseconds for measurement in found for milliseconds in measurement.value.steps], STEP_MS),
        ):
            for depth, limit in zip((0.5, 0.99), limits, strict=True):
                value, low = compute_quantile(values, depth)
                measured[f"{what} p{100 * depth:g}, ms"] = round(value, 2)
                if value > limit:
                    sure = low > limit and len(values) >= FEWEST
                    doubt = "" if sure else f"; n = {len(values)} is too small to tell"
                    note = f"{what} p{100 * depth:g} {value:.1f} ms is over {limit:g} ms{doubt}"
                    figures.append(BoundedFigure(value, broken=sure, note=note))
        memory = max((use.memory for _, _, use in found if use.memory is not None), default=0.0)
        measured["memory, MB"] = round(memory, 2)
        if memory > MEMORY_MB:
            figures.append(BoundedFigure(memory, broken=True, note=f"{memory:.1f} MB is over {MEMORY_MB:g} MB"))
        slowest = sorted(found, key=lambda measurement: -measurement.value.reset)[:MOST_EXAMPLES] if figures else []
        examples = tuple(f"{name}: reset {use.reset:.1f} ms" for _, name, use in slowest)
        yield replace(judge_figures(self.specs[0], measured, figures), examples=examples)


def compute_quantile(values: Sequence[float], depth: float) -> tuple[float, float]:
    """Compute a quantile, and the low end of its 95 % interval by order statistics."""
    ordered = sorted(values)
    count = len(ordered)
    at = min(count - 1, ceil(depth * count) - 1)
    reach = 1.96 * (count * depth * (1 - depth)) ** 0.5
    return ordered[at], ordered[max(0, int(depth * count - reach) - 1)]


def _time_steps(case: Case, task_id: str) -> Iterator[float]:
    """Time the responder's steps in the environment, with their observations: milliseconds of CPU each."""
    scenario = next(scenario for scenario in case.scenarios.values() if scenario.task.id == task_id)
    played = case.play(_AGENT, scenario.task.id)
    scenario = case.remake(scenario.task.id)
    episode = begin("audited", Reference.to(scenario), scenario)
    for step in played["steps"]:
        began = time.thread_time()
        episode = advance(episode, parse_action(**step["action"]))
        observe(episode)
        Transition(episode, stepped=True).info()
        yield (time.thread_time() - began) * 1000


def _measure_memory(case: Case) -> float:
    """Measure the peak memory in megabytes, from making the incident to the end of the responder's longest episode."""
    longest = max(case.scenarios.values(), key=lambda scenario: scenario.task.max_steps)
    actions = [parse_action(**step["action"]) for step in case.play(_AGENT, longest.task.id)["steps"]]
    catalogue = Bench(case.bench.world).first
    catalogue.load()
    tracemalloc.start()
    try:
        scenario = case.specimen.make_scenario(catalogue, longest.task.id)
        episode = begin("audited", Reference.to(scenario), scenario)
        for action in actions:
            episode = advance(episode, action)
            observe(episode)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
