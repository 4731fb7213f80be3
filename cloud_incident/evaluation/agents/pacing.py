"""When to ask a model again: waits between attempts, what a server asks to wait, requests per minute."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenacity.wait import wait_base


def make_backoff(first: float, longest: float) -> wait_base:
    """Waits between attempts. They double from `first` to `longest` seconds, and each is shortened at random by up to a
    half, so that agents that failed together do not ask again together."""
    from tenacity import wait_exponential, wait_random_exponential

    half, most = first / 2, longest / 2
    return wait_exponential(half, max=most) + wait_random_exponential(half, max=most)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or a date; None if it holds neither."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        return _count_seconds_until(value)
    return seconds if 0 <= seconds < float("inf") else None


def _count_seconds_until(date: str) -> float | None:
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
        """Take the next free moment. The result is how many seconds away it is."""
        now = time.monotonic()
        moment = max(now, self._next)
        self._next = moment + self._interval
        return moment - now

    def pause(self, seconds: float) -> None:
        """Let nobody begin before this many seconds from now."""
        self._next = max(self._next, time.monotonic() + seconds)


class Budget:
    """Seconds that may be spent in all; they run from the moment that the budget is made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left; 0.0 when they are spent."""
        return max(0.0, self._end - time.monotonic())

    async def sleep(self, seconds: float) -> bool:
        """Sleep, unless the budget would be spent by then. The result says whether it slept."""
        if seconds >= self.left:
            return False
        await anyio.sleep(seconds)
        return True
