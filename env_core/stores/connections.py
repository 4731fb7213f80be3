"""The connections of one process to a Redis server, each of which carries one call at a time.

The pool of redis-py is not used: what it does around a call takes longer than the call.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection


class Connections:
    """At most `most` connections to the server at an address; further calls wait for their turn.

    Nothing is connected before the first call.

    Raises:
        ValueError, TypeError: if it is no such address.
    """

    def __init__(self, address: str, most: int, patience: float) -> None:
        self._patience = patience
        self._maker = ConnectionPool.from_url(
            address,
            socket_timeout=None,  # who calls has one limit on time, which costs less than one for each part of a call
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),  # who calls knows which calls may be sent again
            protocol=2,  # nothing is pushed to us, and reading what could be takes half of the time
        )
        named = self._maker.connection_kwargs
        self.name = str(named.get("path") or f"{named.get('host', 'localhost')}:{named.get('port', 6379)}")
        """Where the server is, without the password."""
        self._turns = asyncio.Semaphore(most)
        self._idle: list[AbstractConnection] = []
        self._heard = 0.0

    async def await_turn(self) -> float:
        """Wait until another call may be under way; gives when its patience with the server ends, by `time.monotonic`.

        To wait for other calls of ours says nothing about the server: only the time in which it answers none of them
        counts. `end_turn` lets the next one go.

        Raises:
            TimeoutError: if the server has answered none of them for as long as a call is patient.
        """
        began = time.monotonic()
        if self._turns.locked():
            await self._queue(began)
        else:
            await self._turns.acquire()
        return self._compute_end(began)

    def end_turn(self) -> None:
        """Let the next call go."""
        self._turns.release()

    async def open(self) -> AbstractConnection:
        """A connection that is not in use.

        Raises:
            RedisError, OSError: if the server cannot be reached.
        """
        if self._idle:
            return self._idle.pop()
        connection: AbstractConnection = self._maker.make_connection()
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    def put_back(self, connection: AbstractConnection) -> None:
        """Keep a connection for the next call, if it is still there."""
        if connection.is_connected:
            self._idle.append(connection)

    def note_answer(self) -> None:
        """Note that the server has just done what it was asked for."""
        self._heard = time.monotonic()

    async def disconnect(self) -> None:
        """Close what is not in use. New connections may lead to the server that takes the place of this one."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.disconnect(nowait=True)

    async def _queue(self, began: float) -> None:
        turn = asyncio.ensure_future(self._turns.acquire())
        try:
            while not turn.done():
                left = self._compute_end(began) - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                await asyncio.wait({turn}, timeout=left)
        except BaseException:
            if not turn.cancel():
                self._turns.release()
            raise

    def _compute_end(self, began: float) -> float:
        return max(began, self._heard) + self._patience
