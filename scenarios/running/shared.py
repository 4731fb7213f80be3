"""Runs of one system that episodes share: what was ordered at which second decides which run it is."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from scenarios.world import OPERATIONS, OperationError, Run

if TYPE_CHECKING:
    from scenarios.world import System

_MOST_KEPT = 32
"""Runs that are kept; one of half an hour takes about a MB. What is not kept is played again."""

_MINUTE = 60


class Ordered(NamedTuple):
    """An operation, and the second of the run at which it was ordered; with a number, if it sets one."""

    at: int
    operation: str
    target: str
    number: int | None = None


Orders = tuple[Ordered, ...]


class SharedRuns:
    """The runs of a system. A run is only ever played on, so it may be ahead of who looks at it."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._lock = Lock()
        self._kept: OrderedDict[Orders, Run] = OrderedDict()
        self._moments: dict[int, Run] = {}  # the run in which nothing is ordered, at whole minutes

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
        while run.time < until:
            if not orders and run.time % _MINUTE == 0:
                self._moments.setdefault(int(run.time), run.fork())
            run.advance(min(_MINUTE - run.time % _MINUTE, until - run.time))
        self._kept[orders] = run
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return run

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
        own = self._moments[at // _MINUTE * _MINUTE].fork() if not orders else self._begin(orders)
        own.advance(at - own.time)
        return own
