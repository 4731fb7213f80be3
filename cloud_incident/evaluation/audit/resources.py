"""What does it cost: a reset, a step, an episode's memory?"""

from __future__ import annotations

import time
import tracemalloc
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import FEWEST
from cloud_incident.evaluation.audit.case import Bench
from cloud_incident.evaluation.audit.check import MOST_EXAMPLES, Check, Found, Group, Spec
from env_core.episode import Reference, advance, begin
from env_core.observation import observe
from env_core.transition import Transition
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context

RESET_MS = (15.0, 60.0)
"""CPU time of a reset on a seed that nobody has asked for yet: the median, and the 99th of a hundred."""
STEP_MS = (1.0, 10.0)
MEMORY_MB = 8.0
"""Of an episode with the incident that it plays on, at its peak."""

_AGENT = "responder"
_WEIGHED = 5
"""Incidents whose memory is measured, which slows them down."""


class Spent(NamedTuple):
    """Of one incident, in milliseconds of CPU and megabytes."""

    reset: float
    steps: list[float]
    memory: float | None


class Resources(Group[Spent]):
    """Resource envelope."""

    specs = (
        Spec(
            "semantic.resource_envelope",
            "Resets of fresh seeds and steps take little CPU time, and an episode little memory",
            f"reset {RESET_MS[0]:g} ms median, {RESET_MS[1]:g} ms p99; step {STEP_MS[0]:g} ms, {STEP_MS[1]:g} ms; "
            f"{MEMORY_MB:g} MB",
        ),
    )

    def measure(self, case: Case) -> Spent:
        steps = [spent for task_id in case.scenarios for spent in _stepped(case, task_id)]
        weighed = case.specimen.position < _WEIGHED
        return Spent(case.made_ms, steps, _memory(case) if weighed else None)

    def judge(self, found: Sequence[Found[Spent]], context: Context) -> Iterator[Check]:  # noqa: ARG002 - as every group judges
        measured: dict[str, float | int | str] = {}
        notes, broken = [], False
        for what, values, limits in (
            ("reset", [one.value.reset for one in found], RESET_MS),
            ("step", [spent for one in found for spent in one.value.steps], STEP_MS),
        ):
            for depth, limit in zip((0.5, 0.99), limits, strict=True):
                value, low = quantile(values, depth)
                measured[f"{what} p{100 * depth:g}, ms"] = round(value, 2)
                if value > limit:
                    sure = low > limit and len(values) >= FEWEST
                    broken = broken or sure
                    doubt = "" if sure else f"; n = {len(values)} is too small to tell"
                    notes.append(f"{what} p{100 * depth:g} {value:.1f} ms is over {limit:g} ms{doubt}")
        memory = max((one.value.memory for one in found if one.value.memory is not None), default=0.0)
        measured["memory, MB"] = round(memory, 2)
        if memory > MEMORY_MB:
            broken = True
            notes.append(f"{memory:.1f} MB is over {MEMORY_MB:g} MB")
        slowest = sorted(found, key=lambda one: -one.value.reset)[:MOST_EXAMPLES] if notes else []
        examples = tuple(f"{one.name}: reset {one.value.reset:.1f} ms" for one in slowest)
        yield Check(self.specs[0], "fail" if broken else "pass", measured, "; ".join(notes), examples)


def quantile(values: Sequence[float], depth: float) -> tuple[float, float]:
    """A quantile, and the low end of its interval of 95 % by order statistics."""
    ordered = sorted(values)
    count = len(ordered)
    at = min(count - 1, ceil(depth * count) - 1)
    reach = 1.96 * (count * depth * (1 - depth)) ** 0.5
    return ordered[at], ordered[max(0, int(depth * count - reach) - 1)]


def _stepped(case: Case, task_id: str) -> Iterator[float]:
    """What each of the responder's steps costs the environment, what it shows included."""
    scenario = next(one for one in case.scenarios.values() if one.task.id == task_id)
    played = case.played(_AGENT, scenario.task.id)
    scenario = case.again(scenario.task.id)
    episode = begin("audited", Reference.to(scenario), scenario)
    for step in played["steps"]:
        began = time.thread_time()
        episode = advance(episode, parse_action(**step["action"]))
        observe(episode)
        Transition(episode, stepped=True).info()
        yield (time.thread_time() - began) * 1000


def _memory(case: Case) -> float:
    """Megabytes at the peak, from the making of the incident to the end of the responder's longest episode."""
    longest = max(case.scenarios.values(), key=lambda scenario: scenario.task.max_steps)
    actions = [parse_action(**step["action"]) for step in case.played(_AGENT, longest.task.id)["steps"]]
    catalogue = Bench(case.bench.world).first
    catalogue.load()
    tracemalloc.start()
    try:
        scenario = case.specimen.scenario(catalogue, longest.task.id)
        episode = begin("audited", Reference.to(scenario), scenario)
        for action in actions:
            episode = advance(episode, action)
            observe(episode)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
