"""Seeded chance: the same key gives the same numbers on every machine and in every Python."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_MASK = (1 << 64) - 1
_UNIT = 1.0 / (1 << 53)


def key_of(*parts: object) -> int:
    """64 bits that stand for the parts, however alike other parts are."""
    return int.from_bytes(blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def mixed(key: int, *parts: int) -> int:
    """64 bits that stand for a key and some whole numbers: a cheap `key_of` for what is asked for often."""
    for part in parts:
        key = (key ^ (part * 0x9E3779B97F4A7C15 & _MASK)) & _MASK
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        key = (key ^ (key >> 27)) * 0x94D049BB133111EB & _MASK
        key ^= key >> 31
    return key


def unit(key: int, *parts: int) -> float:
    """A number from 0 up to 1 that stands for a key and some whole numbers."""
    return (mixed(key, *parts) >> 11) * _UNIT


class Dice:
    """A stream of draws (splitmix64). Forks are independent of each other and of what was drawn before."""

    __slots__ = ("_key", "_state")

    def __init__(self, *key: object) -> None:
        self._key = key_of(*key)
        self._state = self._key

    def fork(self, *name: object) -> Dice:
        """Another stream, named within this one."""
        return Dice(self._key, *name)

    def random(self) -> float:
        """A number from 0 up to 1."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        return ((state ^ (state >> 31)) >> 11) * _UNIT

    def between(self, low: float, high: float) -> float:
        """A number between two others."""
        return low + (high - low) * self.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.random() * len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Up to `count` different options, in drawn order."""
        pool = list(options)
        return [pool.pop(int(self.random() * len(pool))) for _ in range(min(count, len(pool)))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """All options in drawn order."""
        return self.sample(options, len(options))
