"""What differs from one reading to the next, hashed from the seed, a purpose and the tick."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_uniform, hash_names, mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.layout import Floats


def waver(seen: Vantage, what: str, ticks: slice, *, every: int = 1) -> Floats:
    """A number in [0, 1) for each of some ticks; `what` says whose reading of what it is for.

    It is another one `every` so many ticks.
    """
    return draw_uniform(_mix_ticks(ticks.start, ticks.stop, every) ^ _find_key(seen.system.seed, what))


@lru_cache(maxsize=64)
def _mix_ticks(first: int, end: int, every: int) -> NDArray[np.uint64]:
    return mix(np.arange(first, end, dtype=np.uint64) // np.uint64(every))


@lru_cache(maxsize=4096)
def _find_key(seed: int, what: str) -> np.uint64:
    key: np.uint64 = hash_names(seed, [what], "reading")[0]
    return key
