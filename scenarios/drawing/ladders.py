"""Numbers as people set them: deadlines, pools, sizes of machines. What is fitted takes the next of them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.generator.dice import Dice

DEADLINES = (
    *(0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 0.8, 1.0, 1.2, 1.5, 1.8, 2.0, 2.5),
    *(3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0, 90.0, 120.0),
)
"""Seconds after which a call is given up."""
SIZES = (
    *(4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 16.0, 20.0, 24.0, 25.0, 30.0, 32.0, 40.0, 48.0, 50.0, 60.0, 64.0, 80.0),
    *(96.0, 100.0, 120.0, 150.0, 200.0, 250.0, 256.0, 300.0, 400.0, 500.0, 512.0, 600.0, 800.0, 1000.0, 1200.0),
    *(1500.0, 2000.0, 3000.0, 4000.0, 6000.0, 8000.0, 12000.0, 16000.0),
)
"""Connections of a pool, requests at once."""
CORES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Processors of an instance."""
MEMORY = (
    *(128.0, 192.0, 256.0, 384.0, 512.0, 768.0, 1024.0, 1536.0, 2048.0, 3072.0, 4096.0, 6144.0, 8192.0, 12288.0),
    *(16384.0, 24576.0, 32768.0, 49152.0, 65536.0),
)
"""MB of an instance."""


def climb(ladder: Sequence[float], least: float, dice: Dice | None = None, further: int = 0) -> float:
    """The first number of a ladder that is `least` or more, or one up to so many steps `further`, as the dice fall."""
    place = bisect_left(ladder, least)
    if dice is not None and further:
        place += dice.whole(0, further)
    return ladder[min(place, len(ladder) - 1)]
