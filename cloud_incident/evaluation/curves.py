"""What plots draw of many episodes: how scores are spread, and how reward grows step by step."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from cloud_incident.evaluation.intervals import mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.trajectory import Trajectory

BINS = 11
"""Ten of a tenth each, and one for full scores alone."""


def histogram(scores: Sequence[float]) -> list[int]:
    """How many scores fall into each of the `BINS`."""
    counts = [0] * BINS
    for score in scores:
        # Scores have four decimals; rounding keeps 0.3 out of the bin below it.
        counts[min(int(round(score * (BINS - 1), 6)), BINS - 1)] += 1
    return counts


def reward_curve(trajectories: Sequence[Trajectory]) -> list[float]:
    """The mean sum of rewards after 0, 1, 2 … steps; an episode that has ended stays where it ended."""
    sums = [list(accumulate((step["reward"] for step in one["steps"]), initial=0.0)) for one in trajectories]
    longest = max(len(one) for one in sums)
    return [mean([one[min(number, len(one) - 1)] for one in sums]) for number in range(longest)]
