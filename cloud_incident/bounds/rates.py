"""How many requests and messages a second one caller may send."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from env_core.callers import is_loopback, read_network
from http_compat.problems import build_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BUCKETS = 10_000
"""Callers whose use is remembered, those who came last."""

_UNLIMITED = frozenset({"/health", "/ready"})
"""What load balancers ask, who must not take a busy server for a dead one."""


class Buckets:
    """Token buckets: each caller has `rate` tokens a second and saves up those of one second, at least one.

    A bucket is one number: the moment at which it will be full again. One that is full is as good as none.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic, most: int = _MOST_BUCKETS) -> None:
        self._token = 1 / rate
        self._saved = max(1.0, 1 / rate) - 1 / rate
        self._clock = clock
        self._most = most
        self._full: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full)

    def take(self, caller: str) -> float:
        """Take a token. If there is none nothing is taken, and the seconds until there is one are given."""
        now = self._clock()
        full = max(now, self._full.get(caller, now))
        if full - now > self._saved + 1e-9:
            return full - now - self._saved
        self._keep(caller, full + self._token)
        return 0.0

    def borrow(self, caller: str) -> float:
        """Take a token, also one that is not there yet, and give the seconds until it is."""
        now = self._clock()
        full = max(now, self._full.get(caller, now))
        self._keep(caller, full + self._token)
        return max(0.0, full - now - self._saved)

    def _keep(self, caller: str, full: float) -> None:
        self._full[caller] = full
        self._full.move_to_end(caller)
        if len(self._full) > self._most:
            self._full.popitem(last=False)


class RateLimit:
    """Refuses requests of callers that send more than `rate` a second (429), and takes their messages later.

    A message over a WebSocket is not refused: its sender waits for the answer, so that to take it later is enough.
    Callers are told apart by their names, and those without a name by their addresses. With `far_only` those on this
    machine that have no name may send any number: they take nothing that this machine's owner does not give them.
    """

    def __init__(self, app: ASGIApp, rate: float, *, far_only: bool = False) -> None:
        self._app = app
        self._rate = rate
        self._far_only = far_only
        self._buckets = Buckets(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in _UNLIMITED:
            await self._app(scope, receive, send)
            return
        caller = name_caller(scope)
        if self._far_only and scope.get("client") and is_loopback(scope["client"][0]) and not _has_name(scope):
            await self._app(scope, receive, send)
            return
        if seconds := self._buckets.take(caller):
            detail = f"{self._rate:g} requests a second are served to each caller; try again in {seconds:.2g} seconds."
            await build_problem(429, detail, {"Retry-After": str(math.ceil(seconds))})(scope, receive, send)
            return

        async def receive_later() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and (seconds := self._buckets.borrow(caller)):
                await asyncio.sleep(seconds)
            return message

        await self._app(scope, receive_later if scope["type"] == "websocket" else receive, send)


def _has_name(scope: Scope) -> bool:
    caller = scope.get("cloud_incident.caller")
    return caller is not None and bool(caller.name)


def name_caller(scope: Scope) -> str:
    """Who asks: the caller by name, or the client's address. Addresses of one network in IPv6 count as one."""
    caller = scope.get("cloud_incident.caller")
    if caller is not None and caller.name:
        return f"caller {caller.name}"
    return read_network(scope["client"][0]) if scope.get("client") else ""
