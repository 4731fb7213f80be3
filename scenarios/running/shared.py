"""Runs of one system that episodes share: what was ordered at which second decides which run it is."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from scenarios.world import OPERATIONS, OperationError, Run

if TYPE_CHECKING:
    from scenarios.world import System

_MOST_KEPT = 32
"""Runs that are kept; one of half an hour takes about a MB. What is not kept is played again."""

MINUTE = 60


class Ordered(NamedTuple):
    """An operation, and the second of the run at which it was ordered; with a number, if it sets one."""

    at: int
    operation: str
    target: str
    number: int | None = None


Orders = tuple[Ordered, ...]


class Played(Protocol):
    """The run in which nothing is ordered, as far as somebody has played it already."""

    @property
    def run(self) -> Run: ...

    def find_moment(self, at: int, /) -> Run | None:
        """A run of one's own as it stood at a whole minute, if that is known."""


class SharedRuns:
    """The runs of a system. A run is only ever played on, so it may be ahead of who looks at it.

    Args:
        system: what runs.
        played: what was played of it before, side by side with others; else it begins at second 0.
    """

    def __init__(self, system: System, played: Played | None = None) -> None:
        self._system = system
        self._played = played
        self._lock = Lock()
        self._kept: OrderedDict[Orders, Run] = OrderedDict()
        self._moments: dict[int, Run] = {}  # the run in which nothing is ordered, at whole minutes
        if played is not None:
            self._kept[()] = played.run

    @property
    def reached(self) -> int:
        """The second that the run has reached in which nothing is ordered."""
        return int(self._kept[()].time) if () in self._kept else 0

    def get(self, orders: Orders, until: int) -> Run:
        """The run in which this was ordered, played at least until a second."""
        with self._lock:
            return self._play(orders, until)

    def fork(self, orders: Orders, at: int) -> Run:
        """A run of one's own in which this was ordered, as it stood at a second."""
        with self._lock:
            return self._fork(orders, at)

    def _play(self, orders: Orders, until: int) -> Run:
        run = self._kept.pop(orders, None)
        if run is None:
            run = self._begin(orders)
        self._advance(run, orders, until)
        self._kept[orders] = run
        if len(self._kept) > _MOST_KEPT:
            # All others begin in the one in which nothing is ordered.
            del self._kept[next(each for each in self._kept if each)]
        return run

    def _advance(self, run: Run, orders: Orders, until: int) -> None:
        """Play a run, and keep how it stands at whole minutes if nothing is ordered in it."""
        while run.time < until:
            if not orders and run.time % MINUTE == 0:
                self._moments.setdefault(int(run.time), run.fork())
            run.advance(min(MINUTE - run.time % MINUTE, until - run.time))

    def _begin(self, orders: Orders) -> Run:
        """A run just after the last of its orders."""
        if not orders:
            return Run(self._system)
        *before, last = orders
        run = self._fork(tuple(before), last.at)
        if last.operation in OPERATIONS:
            with suppress(OperationError):  # what does not exist is not changed; the time has passed all the same
                run.order(last.operation, last.target, number=last.number)
        return run

    def _fork(self, orders: Orders, at: int) -> Run:
        """A run of one's own that has come to a second."""
        run = self._kept.get(orders)
        if run is None or run.time <= at:
            return self._play(orders, at).fork()
        own = self._begin(orders) if orders else self._find_moment(at)
        self._advance(own, orders, at)
        return own

    def _find_moment(self, at: int) -> Run:
        """A run of one's own in which nothing is ordered, as near before a second as one is known."""
        minute = at // MINUTE * MINUTE
        if minute not in self._moments and self._played is not None:
            moment = self._played.find_moment(minute)
            if moment is not None:
                self._moments[minute] = moment
        latest = max((known for known in self._moments if known <= at), default=None)
        return Run(self._system) if latest is None else self._moments[latest].fork()
