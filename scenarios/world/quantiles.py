"""Latencies as quantiles at a few knots: those of a mixture, and what share takes longer than a limit."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.sums import ALL, LITTLE, NOTHING, TINY

if TYPE_CHECKING:
    from scenarios.world.layout import Floats

KNOTS = (0.0, 0.5, 0.9, 0.99, 1.0)
"""The quantiles at which latencies are known."""
_AT = np.array([[knot] for knot in KNOTS])
_BEGINS = np.array([[[knot]] for knot in KNOTS[:-1]])
_WIDTHS = np.array([[[after - knot]] for knot, after in pairwise(KNOTS)])
_SHARES = _WIDTHS[:, 0]


def shift_quantiles(values: Floats, lead: Floats, tail: Floats, top: Floats) -> Floats:
    """Quantiles of a mixture: a share `lead` of zeros, then what `values` are quantiles of, then `tail` of `top`."""
    inside = (_AT - lead) / np.maximum(ALL - lead - tail, TINY)
    parts = inside - _BEGINS
    parts /= _WIDTHS
    np.maximum(parts, NOTHING, out=parts)
    np.minimum(parts, ALL, out=parts)
    parts *= (values[1:] - values[:-1])[:, None]
    found: Floats = values[0] + parts[0] + parts[1] + parts[2] + parts[3]
    np.putmask(found, lead > _AT, NOTHING)
    if np.count_nonzero(tail):
        # One `top` for each column: they are put into row after row.
        np.putmask(found, ALL - tail < _AT, top)
    return found


def share_above(latency: Floats, limit: Floats) -> Floats:
    """The share of requests that take longer than a limit, interpolated between the knots."""
    low, high = latency[:-1], latency[1:]
    parts = (high - limit) / np.maximum(high - low, LITTLE)
    np.maximum(parts, NOTHING, out=parts)
    np.minimum(parts, ALL, out=parts)
    parts *= _SHARES
    return np.asarray(np.minimum(ALL, parts[0] + parts[1] + parts[2] + parts[3]))
