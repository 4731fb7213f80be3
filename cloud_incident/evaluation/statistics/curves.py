"""Figures that plots show for many episodes: the spread of scores, and the growth of reward step by step."""

from __future__ import annotations

from itertools import accumulate
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.running import Trajectory

BINS = 11
"""Ten bins of a tenth each, and one for full scores alone."""


def count_scores(scores: Sequence[float]) -> list[int]:
    """Count how many scores (0.0 to 1.0) fall into each of the `BINS`."""
    counts = [0] * BINS
    for score in scores:
        # Scores have four decimals; rounding keeps 0.3 out of the bin below it.
        counts[min(int(round(score * (BINS - 1), 6)), BINS - 1)] += 1
    return counts


def average_rewards(trajectories: Sequence[Trajectory]) -> list[float]:
    """The mean sum of rewards after 0, 1, 2 … steps. An episode that has ended keeps its last sum."""
    sums = [list(accumulate((step["reward"] for step in episode["steps"]), initial=0.0)) for episode in trajectories]
    longest = max(map(len, sums))
    return [fmean(of_episode[min(number, len(of_episode) - 1)] for of_episode in sums) for number in range(longest)]
