"""How often repeats pass: at least one of k (pass@k), and all of k (pass^k)."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import fmean
from typing import TYPE_CHECKING

from cloud_incident.evaluation.running import read_score
from cloud_incident.evaluation.statistics.grouping import group_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.running import Trajectory

THRESHOLD = 0.999
"""The score from which on an episode passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Means over problems, 0.0 to 1.0; a problem is one scenario with one seed.

    `any_of[k - 1]` and `all_of[k - 1]` are of k attempts. They go up to the number of repeats of the problem that has
    the fewest.
    """

    threshold: float
    problems: int
    any_of: tuple[float, ...]
    all_of: tuple[float, ...]


def estimate_pass_at(k: int, attempts: int, passed: int) -> float:
    """The chance that at least one of k attempts passes: the unbiased estimate from all that were made
    (Chen et al. 2021, arXiv:2107.03374). 0.0 to 1.0; k is 1 to `attempts`."""
    return (comb(attempts, k) - comb(attempts - passed, k)) / comb(attempts, k)


def estimate_pass_hat(k: int, attempts: int, passed: int) -> float:
    """The chance that all of k attempts pass (Yao et al. 2024, arXiv:2406.12045). 0.0 to 1.0; k is 1 to `attempts`."""
    return comb(passed, k) / comb(attempts, k)


def measure_passes(trajectories: Sequence[Trajectory], threshold: float = THRESHOLD) -> Passes:
    """Measure how often the repeats of one agent pass, which is with a score of `threshold` or more."""
    problems = group_items(trajectories, lambda episode: (episode["task_id"], episode["scenario_id"], episode["seed"]))
    counts = [
        (len(repeats), sum(read_score(episode) >= threshold for episode in repeats)) for repeats in problems.values()
    ]
    ks = range(1, min(attempts for attempts, _ in counts) + 1)
    return Passes(
        threshold=threshold,
        problems=len(counts),
        any_of=tuple(fmean(estimate_pass_at(k, *count) for count in counts) for k in ks),
        all_of=tuple(fmean(estimate_pass_hat(k, *count) for count in counts) for k in ks),
    )
