"""When to ask a model again: waits between attempts, what a server asks to wait, requests per minute."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Backoff:
    """Waits that double from `first` to `longest` seconds, each shortened by chance by up to a half.

    The seed makes the chance repeatable; None draws anew each time.
    """

    first: float = 1.0
    longest: float = 60.0
    seed: int | None = None
    _chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - spreads requests, protects nothing

    def after(self, attempt: int) -> float:
        """Seconds to wait after an attempt, the first being 1."""
        return min(self.longest, self.first * 2.0 ** (attempt - 1)) * self._chance.uniform(0.5, 1.0)


def asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or a date; None if it asks for nothing readable."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        return _until(value)
    return seconds if 0 <= seconds < float("inf") else None


def _until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


class RateLimit:
    """Spaces requests evenly, for everyone who shares it. 0 requests per minute means no limit."""

    def __init__(self, per_minute: float = 0.0) -> None:
        self._interval = 60.0 / per_minute if per_minute > 0 else 0.0
        self._next = 0.0

    def reserve(self) -> float:
        """Take the next free moment; the seconds until then."""
        now = time.monotonic()
        moment = max(now, self._next)
        self._next = moment + self._interval
        return moment - now

    def pause(self, seconds: float) -> None:
        """Let nobody begin before this many seconds from now."""
        self._next = max(self._next, time.monotonic() + seconds)


class Budget:
    """Seconds that may be spent in all, from the moment that it is made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left; 0.0 when they are spent."""
        return max(0.0, self._end - time.monotonic())

    async def sleep(self, seconds: float) -> bool:
        """Sleep, unless the budget would be spent by then; whether it slept."""
        if seconds >= self.left:
            return False
        await anyio.sleep(seconds)
        return True
