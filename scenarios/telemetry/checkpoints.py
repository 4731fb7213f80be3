"""Numbers of a checkpoint of PostgreSQL, as they go together: all follow from one hash for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_uniform, mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FIELDS = (
    "buffers",
    "percent",
    "recycled",
    "write",
    "sync",
    "total",
    "files",
    "longest",
    "average",
    "distance",
    "ahead",
)
"""What `list_numbers` knows: buffers and their share of all in percent, segments of the log, seconds, files and kB."""
_SHARED = 524288.0
"""Buffers of 8 kB that there are: 4 GB."""
_SEGMENT = 16384
"""kB of a segment of the log."""
_PURPOSES = np.array([[0xC1], [0xC2], [0xC3], [0xC4], [0xC5]], dtype=np.uint64)


def list_numbers(hashes: NDArray[np.uint64]) -> dict[str, Sequence[object]]:
    """The numbers of checkpoints that are spread over nine tenths of five minutes, as they are printed."""
    often, slow, large, many, before = draw_uniform(mix(hashes)[None, :] ^ _PURPOSES)
    buffers = np.floor(2750.0 + 6000.0 * often)
    files = np.floor(18.0 + 60.0 * many)
    write = 269.4 + 0.5 * slow
    longest = 0.002 + 0.02 * large
    sync = longest + 0.0006 * files
    distance = np.floor(buffers * (8.6 + 3.0 * large))
    rows = {
        "buffers": ("%d", buffers),
        "percent": ("%.1f", 100.0 * buffers / _SHARED),
        "recycled": ("%d", np.floor(distance / _SEGMENT)),
        "write": ("%.3f", write),
        "sync": ("%.3f", sync),
        "total": ("%.3f", write + sync + 0.012),
        "files": ("%d", files),
        "longest": ("%.3f", longest),
        "average": ("%.3f", sync / files),
        "distance": ("%d", distance),
        "ahead": ("%d", np.floor(distance * (1.0 + 0.2 * before))),
    }
    return {name: [style % value for value in values.tolist()] for name, (style, values) in rows.items()}
