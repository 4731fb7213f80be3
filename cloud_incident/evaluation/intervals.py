"""Means with bootstrap intervals: how far a mean would move, had other scenarios been drawn.

Repeats of one scenario say little that is new, so whole scenarios are drawn and not episodes, and within each task,
because the tasks are given and only their scenarios are a sample. A mean counts every scenario alike, however often it
was played.
"""

from __future__ import annotations

import random
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_incident.evaluation.grouping import Scores

RESAMPLES = 2000
LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean and its interval of 95 %, which holds the mean. `draws` counts the scenarios (of a single scenario the
    episodes) it rests on; with one draw nothing is known of the spread, and both ends are the mean."""

    mean: float
    low: float
    high: float
    draws: int

    @property
    def spread_known(self) -> bool:
        return self.draws > 1


class Estimates(NamedTuple):
    """Of all tasks together and of each."""

    overall: Estimate
    tasks: dict[str, Estimate]


def mean(values: Sequence[float]) -> float:
    """The mean, exact whatever the order."""
    return fsum(values) / len(values)


def estimate(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The mean of independent values; the same seed gives the same interval."""
    return _estimate(mean(values), _resampled_means(values, f"{seed}", resamples), len(values))


def estimates(scores: Scores, seed: int = 0, resamples: int = RESAMPLES) -> Estimates:
    """The means of values by task and scenario, of which there is one at least.

    Agents that played the same scenarios are judged on the same draws of them.
    """
    means, drawn, draws, weights = {}, {}, {}, {}
    for task_id, scenarios in scores.items():
        values = _independent(scenarios)
        means[task_id] = mean([mean(ones) for ones in scenarios.values()])
        drawn[task_id] = _resampled_means(values, f"{seed}:{task_id}", resamples)
        draws[task_id] = len(values)
        weights[task_id] = len(scenarios)
    total = sum(weights.values())
    shares = {task_id: weight / total for task_id, weight in weights.items()}
    overall = [
        fsum(share * value for share, value in zip(shares.values(), values, strict=True))
        for values in zip(*drawn.values(), strict=True)
    ]
    middle = fsum(mean(ones) for scenarios in scores.values() for ones in scenarios.values()) / total
    return Estimates(
        _estimate(middle, overall, sum(draws.values()) if len(draws) == 1 else total),
        {task_id: _estimate(means[task_id], drawn[task_id], draws[task_id]) for task_id in scores},
    )


def _independent(scenarios: Mapping[str, Sequence[float]]) -> list[float]:
    """What is drawn from: the means of the scenarios, of a single scenario its episodes."""
    if len(scenarios) > 1:
        return [mean(ones) for ones in scenarios.values()]
    (only,) = scenarios.values()
    return list(only)


def _resampled_means(values: Sequence[float], seed: str, resamples: int) -> list[float]:
    if len(values) == 1:
        return [values[0]] * resamples
    chance = random.Random(seed)  # noqa: S311 - the same seed gives the same interval
    count = len(values)
    return [sum(chance.choices(values, k=count)) / count for _ in range(resamples)]


def _estimate(middle: float, drawn: list[float], draws: int) -> Estimate:
    """The ends lie equally deep on both sides, so that the interval of the negated values is the negated interval."""
    drawn = sorted(drawn)
    depth = int(len(drawn) * (1 - LEVEL) / 2)
    return Estimate(middle, min(drawn[depth], middle), max(drawn[-1 - depth], middle), draws)
