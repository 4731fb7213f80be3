"""Turns at something that one at a time may do: whoever waits often does not keep others waiting."""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Turns:
    """Gives turns, one at a time: to each account that waits one, then to each its next.

    At most `most` wait. Beyond that an account is let in still if it waits less often than each could: with `most`
    shared among all that wait and itself.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[str, deque[Event]] = OrderedDict()  # the account whose turn is next first
        self._count = 0
        self._taken = False

    def is_full(self, account: str) -> bool:
        """Whether an account may not wait now."""
        if self._count < self._most:
            return False
        own = len(self._waiting.get(account, ()))
        return own >= self._most // (len(self._waiting) + (account not in self._waiting))

    @asynccontextmanager
    async def take(self, account: str) -> AsyncIterator[None]:
        """Wait for a turn of an account, and have it while this is entered."""
        if self._taken:
            await self._wait(account)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, account: str) -> None:
        event = Event()
        self._waiting.setdefault(account, deque()).append(event)
        self._count += 1
        try:
            await event.wait()
        except BaseException:
            if event.is_set():
                self._pass_on()
            else:
                self._leave(account, event)
            raise

    def _pass_on(self) -> None:
        """End a turn, and begin the next if somebody waits for it."""
        self._taken = bool(self._waiting)
        if self._waiting:
            account, events = next(iter(self._waiting.items()))
            self._waiting.move_to_end(account)
            event = events[0]
            self._leave(account, event)
            event.set()

    def _leave(self, account: str, event: Event) -> None:
        events = self._waiting[account]
        events.remove(event)
        self._count -= 1
        if not events:
            del self._waiting[account]
