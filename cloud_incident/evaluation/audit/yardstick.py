"""A fixed piece of work that tells how fast this machine is now: with it, limits on time mean the same everywhere."""

from __future__ import annotations

import random
import time

REFERENCE_MS = 0.35
"""The CPU time in milliseconds of the work on a core of the machine for which limits on time are written."""
_ROUNDS = 3
_ROWS = 450


def measure_slowdown() -> float:
    """Measure how many times longer this machine takes now than the machine for which limits are written.

    Takes some two milliseconds. The quickest of a few rounds counts, since other processes only add.
    """
    return min(_time_work() for _ in range(_ROUNDS)) / REFERENCE_MS


def _time_work() -> float:
    began = time.thread_time()
    _work()
    return (time.thread_time() - began) * 1000


def _work() -> int:
    """Do what drawing and rendering an incident does most: draw numbers, fill mappings, sort, and format texts."""
    draw = random.Random(7)  # noqa: S311 - fixed work, not a secret
    rows = {f"service-{number % 40}/{number}": draw.random() for number in range(_ROWS)}
    ordered = sorted(rows.items(), key=lambda row: (row[1], row[0]))
    lines = [f"{number:04d} {name} {value:.3f}" for number, (name, value) in enumerate(ordered)]
    return len("\n".join(lines))
