"""How often repeats pass: at least one of k (pass@k), and all of k (pass^k)."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

from cloud_incident.evaluation.grouping import grouped
from cloud_incident.evaluation.intervals import mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.trajectory import Trajectory

THRESHOLD = 0.999
"""The score from which an episode passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Means over problems, a problem being one scenario with one seed; `any_of[k - 1]` and `all_of[k - 1]` are of k.

    There are as many as the problem with the fewest repeats has.
    """

    threshold: float
    problems: int
    any_of: tuple[float, ...]
    all_of: tuple[float, ...]


def pass_at(k: int, attempts: int, passed: int) -> float:
    """The chance that at least one of k attempts passes: the unbiased estimate from all that were made
    (Chen et al. 2021, arXiv:2107.03374). 0.0 to 1.0; k is 1 to `attempts`."""
    return (comb(attempts, k) - comb(attempts - passed, k)) / comb(attempts, k)


def pass_hat(k: int, attempts: int, passed: int) -> float:
    """The chance that all of k attempts pass (Yao et al. 2024, arXiv:2406.12045). 0.0 to 1.0; k is 1 to `attempts`."""
    return comb(passed, k) / comb(attempts, k)


def passes(trajectories: Sequence[Trajectory], threshold: float = THRESHOLD) -> Passes:
    """How often the repeats of one agent pass."""
    problems = grouped(trajectories, lambda one: (one["task_id"], one["scenario_id"], one["seed"])).values()
    counts = [(len(ones), sum(one["score"] >= threshold for one in ones)) for ones in problems]
    ks = range(1, min(attempts for attempts, _ in counts) + 1)
    return Passes(
        threshold=threshold,
        problems=len(counts),
        any_of=tuple(mean([pass_at(k, *count) for count in counts]) for k in ks),
        all_of=tuple(mean([pass_hat(k, *count) for count in counts]) for k in ks),
    )
