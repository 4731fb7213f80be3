"""Episodes in a Redis server, or in Valkey, which the processes of many machines share.

Why Redis: its step and PostgreSQL's were measured in one interleaved run on loopback (Redis 7.0 by redis-py, PostgreSQL
15 by asyncpg). With every step on the disk before it is answered, 50 episodes at once made 3,900 steps a second in
Redis (`appendfsync always`) and 1,800 in PostgreSQL, for 190 µs of the server's processor in both; one alone waited
0.7 ms and 0.6. Where the last seconds may be lost, a step took 221 µs in Redis (`everysec`) and 264 in PostgreSQL
(`synchronous_commit = off`), for 80 and 117 µs of the server's processor. Each method of the protocol is one script,
which Redis runs alone and whole, in one round trip; and keys that nobody uses vanish by themselves.

What is lost when the Redis server ends without warning is up to its settings. With `appendonly yes` and
`appendfsync always` nothing that was answered is. With `everysec` up to two seconds of answered steps are, and without
`appendonly` everything since its last snapshot. The end of a process of ours loses nothing.

The keys of an episode are a hash and a list of events, each `nonce` and line. Beside them stand two sorted sets:
when each episode was used last, and in which order those ended that did; and a set of those of each owner. The number
in every key is that of this layout, so releases of two layouts never touch each other's episodes. Scripts name keys
that they were not given, so the server may have replicas, and may not be a cluster.

A call whose connection breaks off is sent again, for `_PATIENCE` seconds. Each one that writes has a nonce of its own,
by which its script knows that it was carried out before, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any

import anyio
from redis import exceptions

from env_core.stores.connections import Connections
from env_core.stores.protocol import (
    SECRET_BYTES,
    AppendConflictError,
    CapacityError,
    Claim,
    Entry,
    EpisodeExistsError,
    Event,
    Opening,
    Record,
    StoreUnavailableError,
    UnknownEpisodeError,
)
from env_core.stores.scripts import (
    APPEND,
    COUNT,
    CREATE,
    DELETE,
    DESCRIBE,
    EXPIRE,
    LIST,
    LIST_OWNED,
    LOAD,
    ROOM,
    SECRET,
    Script,
)
from env_core.stores.writing import read_events, read_reference, write_event, write_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PATIENCE = 5.0
"""For how many seconds a call waits for a server that answers nothing. As long as it answers, calls wait their turn."""
_ATTEMPT = 2.0
"""For how many seconds of them it waits for a connection to be made, and then for an answer."""
_PAUSE = 0.01
"""Seconds before the first new try; each further one waits twice as long, up to `_LONGEST_PAUSE`."""
_LONGEST_PAUSE = 0.2
_CONNECTIONS = 32
"""As many calls of one process are under way at once; further ones wait for their turn."""

_LEAST_LIFE = 30 * 86_400.0
"""After how many seconds without a use the keys of an episode vanish at the earliest; at least twice as long as
episodes are kept. This is for what no server looks after any more."""
_CHUNK = 500
"""Episodes that one script deletes or describes; Redis does nothing else meanwhile."""

_PASSING = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "TRYAGAIN"})
"""The codes of answers that say that the server, or the one that takes its place, can soon be asked again."""

_NONCE_BYTES = 8
_NONCE_LENGTH = 2 * _NONCE_BYTES


class RedisStore:
    """Keeps episodes in the Redis server at an address: `redis://`, `rediss://` or `unix://`.

    Nothing is asked before the first call. `clock` gives seconds and decides what has been idle; by default it is the
    server's own, which all processes share.

    Raises:
        StoreUnavailableError: if it is no such address.
    """

    def __init__(self, address: str, clock: Callable[[], float] | None = None) -> None:
        try:
            self._connections = Connections(address, _CONNECTIONS, _PATIENCE)
        except (ValueError, TypeError) as error:
            raise StoreUnavailableError(f"The address of the store is not valid: {error}.") from error
        self._clock = clock
        self._life = _LEAST_LIFE

    async def close(self) -> None:
        await self._connections.disconnect()

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        handle, incarnation = opening.replacing or Claim("", "")
        lines = [f"{_draw_nonce()}{write_event(event)}" for event in opening.events]
        outcome, *freed = await self._write(
            CREATE,
            opening.episode_id,
            opening.incarnation,
            write_reference(opening.reference),
            opening.owner,
            int(opening.ended),
            capacity,
            handle,
            incarnation,
            str(opening.grace_seconds),
            _draw_nonce(),
            *lines,
        )
        if outcome == b"exists":
            raise EpisodeExistsError(opening.episode_id)
        if outcome == b"full":
            raise CapacityError(capacity)
        return [handle.decode() for handle in freed]

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        found = await self._ask(LOAD, *self._timing(), episode_id, since, int(touch))
        if found is None:
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r}.")
        reference, incarnation, owner, lines = found
        return Record(read_reference(reference), incarnation.decode(), _read_lines(lines), owner.decode())

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        line = f"{_draw_nonce()}{write_event(event)}"
        outcome, *newer = await self._write(APPEND, episode_id, incarnation, expected_length, int(event.ends), line)
        if outcome == b"unknown":
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r}.")
        if outcome == b"conflict":
            raise AppendConflictError(episode_id, _read_lines(*newer))

    async def delete(self, claim: Claim) -> None:
        await self._write(DELETE, *claim)

    async def list_entries(self) -> list[Entry]:
        return await self._describe(await self._ask(LIST, *self._timing()))

    async def list_owned(self, owner: str, most: int) -> list[Entry]:
        return await self._describe(await self._ask(LIST_OWNED, *self._timing(), owner), most)

    async def _describe(self, told: list[bytes], most: int | None = None) -> list[Entry]:
        """Entries of episodes, of which it is told when each was touched, and last what time it is."""
        *told, now = told
        uses = list(zip(map(bytes.decode, told[::2]), map(float, told[1::2]), strict=True))
        uses.sort(key=lambda use: (-use[1], use[0]))
        uses = uses[:most]
        entries = []
        for first in range(0, len(uses), _CHUNK):
            chunk = uses[first : first + _CHUNK]
            described = await self._ask(DESCRIBE, *(handle for handle, _ in chunk))
            for (handle, touched), found in zip(chunk, described, strict=True):
                if found is not None:  # it was deleted meanwhile
                    reference, owner, length, ended = found
                    entries.append(
                        Entry(
                            handle,
                            read_reference(reference),
                            length,
                            bool(ended),
                            max(0.0, float(now) - touched),
                            owner.decode(),
                        )
                    )
        return entries

    async def count_open(self) -> int:
        return int(await self._ask(COUNT))

    async def has_room(self, capacity: int, grace_seconds: float) -> bool:
        return bool(await self._ask(ROOM, *self._timing(), capacity, repr(grace_seconds)))

    async def read_secret(self) -> bytes:
        return bytes(await self._ask(SECRET, secrets.token_bytes(SECRET_BYTES)))

    async def expire(self, idle_seconds: float) -> list[str]:
        self._life = max(self._life, 2 * idle_seconds)
        forgotten: list[str] = []
        while True:
            found = await self._write(EXPIRE, repr(idle_seconds), _CHUNK)
            forgotten += map(bytes.decode, found)
            if len(found) < _CHUNK:
                return forgotten

    def _timing(self) -> tuple[str, int]:
        """What time it is, "" for the server's own, and after how many milliseconds unused keys vanish."""
        return "" if self._clock is None else repr(self._clock()), int(self._life * 1000)

    async def _write(self, script: Script, *arguments: str | int) -> Any:
        return await self._ask(script, *self._timing(), *arguments, writes=True)

    async def _ask(self, script: Script, *arguments: str | int | bytes, writes: bool = False) -> Any:
        """The answer of a script. Where there is none it is sent again, which is safe by the nonces.

        Raises:
            StoreUnavailableError: if there is none for too long, or the server refuses.
        """
        command = _pack("EVALSHA", script.sha, 0, *arguments)
        try:
            until = await self._connections.await_turn()
        except TimeoutError as error:
            raise self._explain(error) from error
        try:
            return await self._repeat(command, script, arguments, until, writes=writes)
        finally:
            self._connections.end_turn()

    async def _repeat(
        self, command: bytes, script: Script, arguments: Sequence[str | int | bytes], until: float, *, writes: bool
    ) -> Any:
        pause, unsure = _PAUSE, False
        while True:
            connection = None
            left = max(until - time.monotonic(), _ATTEMPT / 2)
            try:
                async with asyncio.timeout(min(_ATTEMPT, left)):
                    connection = await self._connections.open()
                    await connection.send_packed_command(command, check_health=False)
                    answer = await connection.read_response()
            except exceptions.NoScriptError:  # the server does not know the script yet, or was started since
                command = _pack("EVAL", script.text, 0, *arguments)
                continue
            except (exceptions.RedisError, OSError) as error:
                failure: Exception = error
                passing = _read_code(error) in _PASSING
                lost = _is_lost(error) and not passing
                unsure |= lost and writes and connection is not None
                if not (lost or passing):
                    raise self._explain(error, unsure=unsure) from error
                if connection is not None:  # a new one may lead to the server that takes the place of this one
                    await connection.disconnect(nowait=True)
                await self._connections.disconnect()
            else:
                self._connections.note_answer()
                return answer
            finally:
                if connection is not None:
                    self._connections.put_back(connection)
            if time.monotonic() + pause >= until - _ATTEMPT / 2:
                raise self._explain(failure, unsure=unsure) from failure
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _explain(self, error: Exception, *, unsure: bool = False) -> StoreUnavailableError:
        done = (
            "It is not known whether the call was carried out: send a step again with its request id, or look at the "
            "episode first."
            if unsure
            else "Nothing was changed."
        )
        told = str(error).partition(" script: ")[0].strip().rstrip(".") or "no answer came in time"
        return StoreUnavailableError(
            f"The episodes in Redis at {self._connections.name} cannot be read or written now: {told}. {done}"
        )


def _read_lines(lines: Sequence[bytes] = ()) -> tuple[Event, ...]:
    return read_events(line[_NONCE_LENGTH:] for line in lines)


def _is_lost(error: Exception) -> bool:
    """Whether an error says that nothing is known of the server, in place of being its answer."""
    refused = isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError)
    return isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | OSError) and not refused


def _read_code(error: Exception) -> str:
    """The word by which an answer of the server says what was wrong."""
    return str(getattr(error, "status_code", None) or str(error).partition(" ")[0])


def _pack(*words: str | int | bytes) -> bytes:
    """A command as the protocol has it."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        content = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(content), content))
    return b"".join(parts)


def _draw_nonce() -> str:
    return secrets.token_hex(_NONCE_BYTES)
