"""Means with bootstrap intervals: how far a mean would move if other scenarios had been drawn.

Repeats of one scenario add little that is new. So whole scenarios are drawn and not episodes, and they are drawn within
each task, because the tasks are given and only their scenarios are a sample. Every scenario has the same weight,
however often it was played.

`scipy.stats.bootstrap` gives the same ends (a test has its numbers). But the server shows these intervals in its
console, and scipy 1.17 takes 2.3 s of processor time to import, and 171 MB of disk with numpy. A thousand scenarios
take 0.2 s here.
"""

from __future__ import annotations

import random
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_incident.evaluation.statistics.grouping import Scores

RESAMPLES = 2000
"""Draws behind an interval."""
LEVEL = 0.95
"""Share of the draws that an interval holds."""


class Estimate(NamedTuple):
    """A mean and the ends of its interval of 95 %, which holds the mean.

    `draws` counts the scenarios that it rests on, or the episodes of a single scenario. One draw says nothing about the
    spread; both ends are the mean then.
    """

    mean: float
    low: float
    high: float
    draws: int

    @property
    def spread_known(self) -> bool:
        return self.draws > 1


class Estimates(NamedTuple):
    """The estimate of all tasks together and that of each task."""

    overall: Estimate
    tasks: dict[str, Estimate]


def estimate_mean(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """Estimate the mean of independent values; the same seed gives the same interval."""
    return _make_estimate(fmean(values), _resample_means(values, f"{seed}", resamples), len(values))


def estimate_tasks(scores: Scores, seed: int = 0, resamples: int = RESAMPLES) -> Estimates:
    """Estimate the means of values by task and scenario, of which there is one at least.

    Agents that played the same scenarios are judged on the same draws of them.
    """
    means = {task_id: [fmean(values) for values in scenarios.values()] for task_id, scenarios in scores.items()}
    samples = {task_id: _choose_sample(scenarios) for task_id, scenarios in scores.items()}
    drawn = {task_id: _resample_means(sample, f"{seed}:{task_id}", resamples) for task_id, sample in samples.items()}
    total = sum(len(of_task) for of_task in means.values())
    shares = [len(of_task) / total for of_task in means.values()]
    overall = [
        fsum(share * value for share, value in zip(shares, values, strict=True))
        for values in zip(*drawn.values(), strict=True)
    ]
    middle = fmean([value for of_task in means.values() for value in of_task])
    draws = sum(map(len, samples.values())) if len(samples) == 1 else total
    return Estimates(
        _make_estimate(middle, overall, draws),
        {task_id: _make_estimate(fmean(means[task_id]), drawn[task_id], len(samples[task_id])) for task_id in scores},
    )


def _choose_sample(scenarios: Mapping[str, Sequence[float]]) -> list[float]:
    """What is drawn from: the means of the scenarios, or the episodes of a single scenario."""
    if len(scenarios) > 1:
        return [fmean(values) for values in scenarios.values()]
    (only,) = scenarios.values()
    return list(only)


def _resample_means(values: Sequence[float], seed: str, resamples: int) -> list[float]:
    if len(values) == 1:
        return [values[0]] * resamples
    chance = random.Random(seed)  # noqa: S311 - the same seed gives the same interval
    count = len(values)
    return [sum(chance.choices(values, k=count)) / count for _ in range(resamples)]


def _make_estimate(middle: float, drawn: Sequence[float], draws: int) -> Estimate:
    """The ends lie equally deep on both sides, so that the interval of the negated values is the negated interval."""
    ascending = sorted(drawn)
    depth = int(len(ascending) * (1 - LEVEL) / 2)
    return Estimate(middle, min(ascending[depth], middle), max(ascending[-1 - depth], middle), draws)
