"""The open connections of a server: how many there are, of which addresses, and which are closed for others."""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Protocol

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from env_core.callers import read_network

if TYPE_CHECKING:
    from typing import Any

    from starlette.applications import Starlette

    from cloud_incident.bounds.limits import ConnectionLimits

_ROOM = 10
"""One of so many connections is closed when there is no room, so that not every further client makes a search."""


_LOOKED_AT = 32
"""Connections that are looked at before others have their turn: to close as many takes a millisecond."""


class Connection(Protocol):
    """A connection, as the protocol that serves it knows it."""

    client: tuple[str, int] | None

    @property
    def idle_since(self) -> float | None:
        """Since when nothing is asked on it that is not answered, in seconds of the loop's clock; None if there is."""

    def check_time(self, now: float) -> None:
        """Close it if its client took too long; `now` is in seconds of the loop's clock."""

    def hang_up(self) -> None:
        """Close it at once, for others that need the room."""


class Connections:
    """The open connections. Where there is no room, those make it that have been idle for longest."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[Connection, str] = {}  # with the network of the address
        self._by_network: dict[str, int] = {}
        self._proxies = ProxyHeadersMiddleware(_serve_nothing, limits.trusted).trusted_hosts

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        """Count a new connection, if there is room for it."""
        limits = self.limits
        if len(self._open) >= limits.connections:
            self._make_room()
        address = connection.client[0] if connection.client else ""
        network = read_network(address)
        known = self._by_network.get(network, 0)
        if len(self._open) >= limits.connections or (known >= limits.per_address and address not in self._proxies):
            return False
        self._open[connection] = network
        self._by_network[network] = known + 1
        return True

    def leave(self, connection: Connection) -> None:
        """Count a connection no more, if it was counted."""
        network = self._open.pop(connection, None)
        if network is None:
            return
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]

    async def watch(self) -> None:
        """Close connections whose clients take too long, until this is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.look_seconds)
            now = loop.time()
            for number, connection in enumerate(list(self._open)):
                if number % _LOOKED_AT == 0:
                    await asyncio.sleep(0)
                if connection in self._open:
                    connection.check_time(now)

    def _make_room(self) -> None:
        idle = [(since, number) for number, each in enumerate(self._open) if (since := each.idle_since) is not None]
        chosen = {number for _, number in heapq.nsmallest(max(1, len(self._open) // _ROOM), idle)}
        for connection in [each for number, each in enumerate(self._open) if number in chosen]:
            self.leave(connection)
            connection.hang_up()


class BoundedConfig(uvicorn.Config):
    """What uvicorn is told, and the connections that its protocols are counted among."""

    def __init__(self, app: Starlette, connections: Connections, **options: Any) -> None:
        super().__init__(app, **options)
        self.connections = connections


def find_connections(config: uvicorn.Config) -> Connections:
    """The connections that the protocols of a server are counted among."""
    if not isinstance(config, BoundedConfig):
        raise TypeError("bounded protocols need a BoundedConfig")
    return config.connections


async def _serve_nothing(*_: object) -> None:
    """What the reader of trusted addresses stands before; it is never called."""
