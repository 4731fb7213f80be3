"""Shares with their intervals, in rows by difficulty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scenarios.generator.naming import DIFFICULTIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.attackers.collecting import Sighting

_Z = 1.96


def get_interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval of 95 % around a share of so many."""
    if not count:
        return 0.0, 1.0
    middle = share + _Z * _Z / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count))
    whole = 1 + _Z * _Z / count
    return (middle - half) / whole, (middle + half) / whole


def print_heading(title: str) -> None:
    """The heading of rows that follow."""
    print(f"\n{title:<50}  all [95 %]      {'  '.join(f'D{each} [95 %]    ' for each in DIFFICULTIES)}")


def print_row(title: str, rights: Sequence[float], incidents: Sequence[Sighting]) -> None:
    """How often a way to name roots was right, over all incidents and by difficulty."""
    cells = [_format(rights)]
    for difficulty in DIFFICULTIES:
        pairs = zip(rights, incidents, strict=True)
        cells.append(_format([right for right, seen in pairs if seen.difficulty == difficulty]))
    print(f"{title:<50}{'  '.join(cells)}".rstrip(), flush=True)


def _format(rights: Sequence[float]) -> str:
    if not rights:
        return f"{'–':<15}"
    share = math.fsum(rights) / len(rights)
    least, most = get_interval(share, len(rights))
    return f"{share:>4.0%} [{100 * max(0.0, least):>3.0f}–{100 * most:<3.0f}] "
