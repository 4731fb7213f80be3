"""Chance that is hashed, not drawn: a number follows from (seed, component, purpose, tick) and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _53, _58 = (np.uint64(bits) for bits in (30, 27, 31, 11, 58))

# Quantiles of the normal distribution at (k + 1/2) / 64, from a table, because no two libraries compute them alike.
_HALF_NORMAL = (
    *(0.0196, 0.0588, 0.0980, 0.1374, 0.1769, 0.2166, 0.2565, 0.2967, 0.3373, 0.3783, 0.4197, 0.4617, 0.5042, 0.5474),
    *(0.5914, 0.6362, 0.6819, 0.7287, 0.7767, 0.8260, 0.8768, 0.9294, 0.9839, 1.0407, 1.1003, 1.1630, 1.2295, 1.3006),
    *(1.3774, 1.4617, 1.5558, 1.6638),
)
_NORMAL = np.array([*(-value for value in reversed(_HALF_NORMAL)), *_HALF_NORMAL])


def mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number hashed to 64 bits (splitmix64)."""
    z = numbers + _GOLDEN
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return np.asarray(z ^ (z >> _31))


def hash_names(seed: int, names: list[str], purpose: str) -> NDArray[np.uint64]:
    """A key for each name, from which `draw_noises` goes on."""
    keys = []
    for name in names:
        key = seed & 0xFFFFFFFFFFFFFFFF
        for byte in f"{purpose}/{name}".encode():
            key = ((key ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
        keys.append(key)
    return mix(np.array(keys, dtype=np.uint64))


def draw_noises(keys: NDArray[np.uint64], first: int, count: int) -> NDArray[np.float64]:
    """A normal deviate for each key, a row for each of some ticks from the `first` on.

    They lie between −1.7 and 1.7, with mean 0 and standard deviation about 0.95.
    """
    ticks = np.array([[tick & 0xFFFFFFFFFFFFFFFF] for tick in range(first, first + count)], dtype=np.uint64)
    hashed = mix(keys ^ mix(ticks))
    return np.asarray(_NORMAL[(hashed >> _58).astype(np.int64)])


def draw_uniform(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """A number in [0, 1) for each key."""
    return np.asarray((mix(keys) >> _53).astype(np.float64) / 9007199254740992.0)
