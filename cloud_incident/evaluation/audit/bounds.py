"""Bounds on figures of a sample. A figure breaks its bound only if it is too far beyond it to be chance."""

from __future__ import annotations

from math import exp, lgamma, log
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.statistics import LEVEL, estimate_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 1000
"""Of the bootstrap."""
FEWEST = 8
"""With fewer values than this, the spread is taken as unknown."""


class BoundedFigure(NamedTuple):
    """A figure, whether it surely breaks its bound, and a note if it breaks it or may break it."""

    value: float
    broken: bool
    note: str = ""


def check_at_most(values: Sequence[float], limit: float, what: str) -> BoundedFigure:
    """Check that the mean of independent values is at most a limit."""
    middle = fmean(values)
    if middle <= limit:
        return BoundedFigure(middle, broken=False)
    if len(values) < FEWEST or estimate_mean(values, resamples=RESAMPLES).low <= limit:
        return BoundedFigure(middle, broken=False, note=_word_doubt(what, middle, "over", limit, len(values)))
    return BoundedFigure(middle, broken=True, note=f"{what} {middle:.3f} is over {limit:.3f}")


def check_at_least(values: Sequence[float], limit: float, what: str) -> BoundedFigure:
    """Check that the mean of independent values is at least a limit."""
    found = check_at_most([-value for value in values], -limit, what)
    if found.broken:
        return BoundedFigure(-found.value, broken=True, note=f"{what} {-found.value:.3f} is under {limit:.3f}")
    note = _word_doubt(what, -found.value, "under", limit, len(values)) if found.note else ""
    return BoundedFigure(-found.value, broken=False, note=note)


def check_drop(before: Sequence[float], after: Sequence[float], least: float, what: str) -> BoundedFigure:
    """Check that the mean falls by at least `least` from one sample to another."""
    fall = fmean(before) - fmean(after)
    if fall >= least:
        return BoundedFigure(fall, broken=False)
    count = min(len(before), len(after))
    first, second = estimate_mean(before, resamples=RESAMPLES), estimate_mean(after, seed=1, resamples=RESAMPLES)
    spread = ((first.high - first.mean) ** 2 + (second.mean - second.low) ** 2) ** 0.5
    if count < FEWEST or fall + spread >= least:
        return BoundedFigure(fall, broken=False, note=_word_doubt(what, fall, "under", least, count))
    return BoundedFigure(fall, broken=True, note=f"{what} {fall:.3f} is under {least:.3f}")


def check_spread(values: Sequence[float], least: float, what: str) -> BoundedFigure:
    """Check that the standard deviation of values is at least `least`."""
    spread = pstdev(values)
    if spread >= least:
        return BoundedFigure(spread, broken=False)
    if len(values) < FEWEST:
        return BoundedFigure(spread, broken=False, note=_word_doubt(what, spread, "under", least, len(values)))
    return BoundedFigure(spread, broken=True, note=f"{what} {spread:.3f} is under {least:.3f}")


def check_rate(hits: int, count: int, low: float, high: float, what: str) -> BoundedFigure:
    """Check that the share of hits lies between two limits. Exact, by the tails of the binomial distribution."""
    rate = hits / count
    if low <= rate <= high:
        return BoundedFigure(rate, broken=False)
    side, limit = ("over", high) if rate > high else ("under", low)
    as_far = range(hits, count + 1) if rate > high else range(hits + 1)
    if sum(_compute_probability(number, count, limit) for number in as_far) > (1 - LEVEL) / 2:
        return BoundedFigure(rate, broken=False, note=_word_doubt(what, rate, side, limit, count))
    return BoundedFigure(rate, broken=True, note=f"{what} {rate:.3f} is not within {low:.3f} and {high:.3f}")


def _compute_probability(hits: int, count: int, rate: float) -> float:
    """Compute the probability of a number of hits. The rate lies between 0 and 1, both excluded."""
    ways = lgamma(count + 1) - lgamma(hits + 1) - lgamma(count - hits + 1)
    return exp(ways + hits * log(rate) + (count - hits) * log(1 - rate))


def _word_doubt(what: str, value: float, side: str, limit: float, count: int) -> str:
    return f"{what} {value:.3f} is {side} {limit:.3f}; n = {count} is too small to tell"
