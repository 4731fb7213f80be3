"""Sums of what flows, in a fixed order, and the numbers that they are computed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.world.layout import Floats, Indices

NOTHING, ALL = np.array(0.0), np.array(1.0)
TINY, LITTLE = np.array(1e-12), np.array(1e-9)
"""Numbers as arrays without a dimension: with these numpy takes half the time that it takes with a number of Python."""


def add_up(index: Indices, weights: Floats, size: int) -> Floats:
    """Sums of weights by index, in the order in which they stand."""
    return np.asarray(np.bincount(index, weights=weights, minlength=size))


def add_rows(rows: Indices, weights: Sequence[Floats], size: int) -> Floats:
    """Several sums by one index at once. `rows` has the index once for each, `size` places further on each time."""
    count = len(weights)
    joined = np.concatenate(weights)
    return add_up(rows[: len(joined)], joined, count * size).reshape(count, size)


def sum_rows(rows: Sequence[Floats] | Floats) -> Floats:
    """The sum of some rows, one after another."""
    total: Floats = rows[0] + NOTHING
    for place in range(1, len(rows)):
        total += rows[place]
    return total
