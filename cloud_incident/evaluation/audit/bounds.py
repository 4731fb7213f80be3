"""Bounds on figures of a sample: what is over one counts only if it is too far over to be chance."""

from __future__ import annotations

from math import exp, lgamma, log
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.intervals import LEVEL, estimate, mean

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 1000
FEWEST = 8
"""Values from which on a spread is known at all."""


class Bounded(NamedTuple):
    """A figure, whether it is surely out of bounds, and what to say of one that may be."""

    value: float
    broken: bool
    note: str = ""


def at_most(values: Sequence[float], limit: float, what: str) -> Bounded:
    """The mean of independent values, which must not be above a limit."""
    middle = mean(values)
    if middle <= limit:
        return Bounded(middle, broken=False)
    if len(values) < FEWEST or estimate(values, resamples=RESAMPLES).low <= limit:
        return Bounded(middle, broken=False, note=_unsure(what, middle, "over", limit, len(values)))
    return Bounded(middle, broken=True, note=f"{what} {middle:.3f} is over {limit:.3f}")


def at_least(values: Sequence[float], limit: float, what: str) -> Bounded:
    """The mean of independent values, which must not be below a limit."""
    found = at_most([-value for value in values], -limit, what)
    if found.broken:
        return Bounded(-found.value, broken=True, note=f"{what} {-found.value:.3f} is under {limit:.3f}")
    note = _unsure(what, -found.value, "under", limit, len(values)) if found.note else ""
    return Bounded(-found.value, broken=False, note=note)


def drop(before: Sequence[float], after: Sequence[float], least: float, what: str) -> Bounded:
    """How far the mean falls from one sample to another, which must be `least` or more."""
    fall = mean(before) - mean(after)
    if fall >= least:
        return Bounded(fall, broken=False)
    count = min(len(before), len(after))
    first, second = estimate(before, resamples=RESAMPLES), estimate(after, seed=1, resamples=RESAMPLES)
    spread = ((first.high - first.mean) ** 2 + (second.mean - second.low) ** 2) ** 0.5
    if count < FEWEST or fall + spread >= least:
        return Bounded(fall, broken=False, note=_unsure(what, fall, "under", least, count))
    return Bounded(fall, broken=True, note=f"{what} {fall:.3f} is under {least:.3f}")


def rate_within(hits: int, count: int, low: float, high: float, what: str) -> Bounded:
    """The share of hits, which must lie between two limits. Exact: by the tails of the binomial distribution."""
    rate = hits / count
    if low <= rate <= high:
        return Bounded(rate, broken=False)
    side, limit = ("over", high) if rate > high else ("under", low)
    as_far = range(hits, count + 1) if rate > high else range(hits + 1)
    if sum(_chance(one, count, limit) for one in as_far) > (1 - LEVEL) / 2:
        return Bounded(rate, broken=False, note=_unsure(what, rate, side, limit, count))
    return Bounded(rate, broken=True, note=f"{what} {rate:.3f} is not within {low:.3f} and {high:.3f}")


def _chance(hits: int, count: int, rate: float) -> float:
    """Of so many hits at a rate between 0 and 1, both excluded."""
    ways = lgamma(count + 1) - lgamma(hits + 1) - lgamma(count - hits + 1)
    return exp(ways + hits * log(rate) + (count - hits) * log(1 - rate))


def _unsure(what: str, value: float, side: str, limit: float, count: int) -> str:
    return f"{what} {value:.3f} is {side} {limit:.3f}; n = {count} is too small to tell"
