"""Quiet counters: of what happens a few times in a minute a counter has whole numbers, and they vary."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from scenarios.telemetry.quantities import COUNTERS
from scenarios.world.chance import draw_uniform, hash_names, mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.layout import Floats
    from scenarios.world.software import Metric

_QUIET = 12.0
"""Events of a minute below which they are told as whole ones: above, what is left over is not seen."""
_CHANCES = 48
"""How often in a minute something may happen: so often that it varies nearly as what happens by itself does."""
_MINUTE = 60.0


def count_whole(
    seen: Vantage, subject: str, metric: Metric, first: int, rates: Sequence[float | None]
) -> Sequence[float | None]:
    """Rates of a metric in minutes from `first` on, those of quiet counters from whole events that come by chance.

    What is counted of one `subject` comes by the same chance, so that a part is never more than the whole.
    """
    if metric.shows not in COUNTERS or not any(rate and rate * _MINUTE < _QUIET for rate in rates):
        return rates
    chances = _draw(seen.system.seed, f"{seen.component.name}/{subject}", first, first + len(rates))
    told: list[float | None] = []
    for rate, chance in zip(rates, chances, strict=True):
        if rate and rate * _MINUTE < _QUIET:
            told.append(float(np.count_nonzero(chance < rate * _MINUTE / _CHANCES)) / _MINUTE)
        else:
            told.append(rate)
    return told


@lru_cache(maxsize=512)
def _draw(seed: int, subject: str, first: int, end: int) -> Floats:
    """A row of numbers in [0, 1) for each minute."""
    key = hash_names(seed, [subject], "events")[0]
    minutes = mix(np.arange(first, end, dtype=np.uint64) ^ key)
    return draw_uniform(minutes[:, None] ^ np.arange(_CHANCES, dtype=np.uint64)[None, :])
