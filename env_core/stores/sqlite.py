"""Episodes in one SQLite file. They outlive the process, and the processes of one machine may share them."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio

from env_core.stores.protocol import (
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
from env_core.stores.writing import read_events, read_reference, write_event, write_reference
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = TypeVar("Answer")

MIGRATIONS = (
    """
    CREATE TABLE episodes (
        id TEXT PRIMARY KEY,
        incarnation TEXT NOT NULL,
        reference TEXT NOT NULL,
        length INTEGER NOT NULL DEFAULT 0,
        events TEXT NOT NULL DEFAULT '',
        touched REAL NOT NULL,
        ended INTEGER
    ) STRICT;
    CREATE INDEX touched ON episodes (touched);
    CREATE INDEX ended ON episodes (ended) WHERE ended IS NOT NULL;
    """,
    """
    ALTER TABLE episodes ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    CREATE TABLE secrets (secret BLOB NOT NULL) STRICT;
    INSERT INTO secrets VALUES (randomblob(32));
    """,
    """
    DROP INDEX touched;
    ALTER TABLE episodes ADD COLUMN period INTEGER NOT NULL DEFAULT 0;
    UPDATE episodes SET period = CAST(touched / 600 AS INTEGER);
    CREATE INDEX period ON episodes (period);
    """,
    """
    CREATE INDEX owned ON episodes (owner) WHERE owner != '';
    """,
)
"""What brings a file from each version of the schema to the next. Append to it; never change what stands here."""

# Episodes are numbered as they end, so that the one that ended first is known.
_INSERT = """
    INSERT INTO episodes (id, incarnation, reference, owner, length, events, touched, period, ended)
    VALUES (:id, :incarnation, :reference, :owner, :length, :events, :now, :period,
            CASE WHEN :ends THEN (SELECT coalesce(max(ended), 0) + 1 FROM episodes WHERE ended IS NOT NULL) END)
"""

_APPEND = """
    UPDATE episodes
    SET events = events || :event, length = length + 1, touched = :now{period},
        ended = CASE
            WHEN :ends THEN (SELECT coalesce(max(ended), 0) + 1 FROM episodes WHERE ended IS NOT NULL)
            ELSE ended
        END
    WHERE id = :id AND incarnation = :incarnation AND length = :length
"""

_DESCRIBE = "SELECT id, reference, length, ended IS NOT NULL, touched, owner FROM episodes"

_PERIOD = 600
"""Seconds. Unused episodes are found by the period in which they were touched last, which is written down once in each
period: an index of the moments themselves would be a third of what a step costs."""
_APPEND_LATER, _APPEND_FIRST = _APPEND.format(period=""), _APPEND.format(period=", period = :period")
_TOUCH = "UPDATE episodes SET touched = :now, period = :period WHERE id = :id"

_TOUCH_SECONDS = 1.0
"""How long a look at an episode is not written down: a write for every look would cost more than the look."""
_PATIENCE = 5.0
"""For how many seconds a call waits while another process writes."""
_PAUSE = 0.001
"""Seconds before the first new try; each further one waits twice as long, up to `_LONGEST_PAUSE`."""
_LONGEST_PAUSE = 0.01

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY = 0xFF
"""The part of an SQLite error code that names the error; the rest names its variant."""


_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")


@dataclass(eq=False)
class _Write:
    """A change that waits, and what came of it. `woken`: it was made, or is the first of those that wait."""

    work: Callable[[], Any]
    woken: anyio.Event = field(default_factory=anyio.Event)
    done: bool = False
    answer: Any = None
    refusal: CloudIncidentError | None = None


class SqliteStore:
    """Keeps episodes in a file. `clock` gives seconds since the epoch and decides what has been idle.

    What was acknowledged survives the end of the process, however it ends. A power failure may lose the last moments,
    and never damages the file. Several processes may use one file; a call that finds another one writing waits without
    holding up the event loop.

    Raises:
        StoreUnavailableError: if the file cannot be opened, is no such file, or a newer release has written it.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._queue: list[_Write] = []  # the writes that wait until another process has written
        with self._explain_failures():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)  # the files beside it take its mode
            self._database = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE, check_same_thread=False)
            self._prepare()
        self._period = 0.0
        self._noted: set[str] = set()  # episodes that are known to have this period

    async def close(self) -> None:
        self._database.close()

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        def insert() -> list[str]:
            with self._transact():
                freed = self._make_room(opening, capacity)
                values = {
                    "id": opening.episode_id,
                    "incarnation": opening.incarnation,
                    "reference": write_reference(opening.reference),
                    "owner": opening.owner,
                    "length": len(opening.events),
                    "events": "".join(map(write_event, opening.events)),
                    "ends": opening.ended,
                }
                self._database.execute(_INSERT, {**values, **self._read_clock()})
            return freed

        return await self._write(insert)

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        query = "SELECT reference, incarnation, length, events, touched, owner FROM episodes WHERE id = ?"
        row = await self._read(lambda: self._database.execute(query, (episode_id,)).fetchone())
        if row is None:
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r}.")
        reference, incarnation, length, events, touched, owner = row
        if touch and abs(self._clock() - touched) >= _TOUCH_SECONDS:
            values = {"id": episode_id, **self._read_clock()}
            await self._write(lambda: self._database.execute(_TOUCH, values))
        new = read_events(events.splitlines()[since:]) if since < length else ()
        return Record(read_reference(reference), incarnation, new, owner)

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        values = {
            "id": episode_id,
            "incarnation": incarnation,
            "length": expected_length,
            "event": write_event(event),
            "ends": event.ends,
        }

        def update() -> int:
            timed = self._read_clock()
            statement = _APPEND_FIRST if self._note(episode_id, timed["period"]) else _APPEND_LATER
            return self._database.execute(statement, {**values, **timed}).rowcount

        if not await self._write(update):
            record = await self.load(episode_id, expected_length, touch=False)
            raise AppendConflictError(episode_id, record.events if record.incarnation == incarnation else ())

    async def delete(self, claim: Claim) -> None:
        await self._write(
            lambda: self._database.execute("DELETE FROM episodes WHERE id = ? AND incarnation = ?", claim).rowcount
        )

    async def list_entries(self) -> list[Entry]:
        return await self._list("ORDER BY touched DESC, id")

    async def list_owned(self, owner: str, most: int) -> list[Entry]:
        chosen = "WHERE owner = ? AND owner != '' AND ended IS NULL ORDER BY touched DESC, id LIMIT ?"
        return await self._list(chosen, owner, most)

    async def _list(self, chosen: str, *values: str | int) -> list[Entry]:
        query = f"{_DESCRIBE} {chosen}"
        rows = await self._read(lambda: self._database.execute(query, values).fetchall())
        now = self._clock()
        return [
            Entry(handle, read_reference(reference), length, bool(ended), now - touched, owner)
            for handle, reference, length, ended, touched, owner in rows
        ]

    async def count_open(self) -> int:
        # Both counts are read off an index; the rows that have not ended would have to be read one by one.
        query = "SELECT (SELECT count(*) FROM episodes) - (SELECT count(*) FROM episodes WHERE ended IS NOT NULL)"
        (count,) = await self._read(lambda: self._database.execute(query).fetchone())
        return int(count)

    async def has_room(self, capacity: int, grace_seconds: float) -> bool:
        query = (
            "SELECT (SELECT count(*) FROM episodes) < ? OR "
            "EXISTS (SELECT 1 FROM episodes WHERE ended IS NOT NULL AND touched <= ?)"
        )
        limits = (capacity, self._clock() - grace_seconds)
        (room,) = await self._read(lambda: self._database.execute(query, limits).fetchone())
        return bool(room)

    async def read_secret(self) -> bytes:
        (secret,) = await self._read(lambda: self._database.execute("SELECT secret FROM secrets").fetchone())
        return bytes(secret)

    async def expire(self, idle_seconds: float) -> list[str]:
        limit = self._clock() - idle_seconds
        idle, limits = "period <= ? AND touched <= ?", (limit // _PERIOD, limit)
        look = f"SELECT 1 FROM episodes WHERE {idle} LIMIT 1"  # noqa: S608 - it stands one line above
        if await self._read(lambda: self._database.execute(look, limits).fetchone()) is None:
            return []
        found = await self._write(lambda: self._delete_where(idle, limits))
        with suppress(StoreUnavailableError):  # the room is given back by the next call that finds the file free
            self._try(
                lambda: self._database.executescript("PRAGMA incremental_vacuum")
            )  # `execute` would free one page
        return found

    def _make_room(self, opening: Opening, capacity: int) -> list[str]:
        """Delete what a new episode replaces and, if there is no room then, what ended first; give their handles."""
        freed, episode_id = [], opening.episode_id
        if opening.replacing is not None:
            freed += self._delete_where("id = ? AND incarnation = ?", opening.replacing)
        (count, same) = self._database.execute(
            "SELECT (SELECT count(*) FROM episodes), EXISTS (SELECT 1 FROM episodes WHERE id = ?)", (episode_id,)
        ).fetchone()
        if same:
            raise EpisodeExistsError(episode_id)
        if count >= capacity:
            limit = self._clock() - opening.grace_seconds
            oldest = self._delete_where(
                "ended = (SELECT min(ended) FROM episodes WHERE ended IS NOT NULL AND touched <= ?)", (limit,)
            )
            if not oldest:
                raise CapacityError(capacity)
            freed += oldest
        return freed

    def _read_clock(self) -> dict[str, float]:
        now = self._clock()
        return {"now": now, "period": int(now // _PERIOD)}

    def _note(self, episode_id: str, period: float) -> bool:
        """Whether the period of an episode is not known to be written down; from now on it is.

        If it is not written after all, `expire` looks at the episode sooner than it must.
        """
        if period != self._period:
            self._period = period
            self._noted.clear()
        if episode_id in self._noted:
            return False
        self._noted.add(episode_id)
        return True

    def _delete_where(self, condition: str, values: tuple[str | float, ...]) -> list[str]:
        statement = f"DELETE FROM episodes WHERE {condition} RETURNING id"  # noqa: S608 - conditions stand in this file
        return [handle for (handle,) in self._database.execute(statement, values).fetchall()]

    def _prepare(self) -> None:
        self._database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self._transact():
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise StoreUnavailableError(
                    f"{self.path} was written by a newer release (schema {version}; this one knows "
                    f"{len(MIGRATIONS)}). Use that release, or another file."
                )
            for migration in MIGRATIONS[version:]:
                for statement in filter(str.strip, migration.split(";")):
                    self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        self._database.execute("PRAGMA busy_timeout = 0")  # calls wait in `_repeat`, where others are served meanwhile

    @contextmanager
    def _transact(self) -> Iterator[None]:
        """Make what follows happen whole or not at all, also as a part of another transaction."""
        part = self._database.in_transaction
        begin, end, undo = ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part") if part else _WHOLE
        self._database.execute(begin)
        try:
            yield
            self._database.execute(end)
        except BaseException:
            if self._database.in_transaction:  # some failures have ended it already
                self._database.execute(undo)
            raise

    async def _read(self, work: Callable[[], Answer]) -> Answer:
        """Read something in the file, which nobody who writes holds up but for moments.

        Raises:
            StoreUnavailableError: if the file cannot be read.
        """
        return await self._repeat(work, anyio.current_time() + _PATIENCE)

    async def _write(self, work: Callable[[], Answer]) -> Answer:
        """Change something in the file; while another process does, wait and try again.

        The calls that wait in this process are carried out together, in one transaction, as soon as one can be had: if
        each of them tried for itself, they would do little else, and one of them might never be the first.

        Raises:
            StoreUnavailableError: if that takes too long, or the file cannot be written.
        """
        if not self._queue:
            try:
                return self._try(work)
            except StoreUnavailableError as error:
                if not error.busy:
                    raise
        until, write = anyio.current_time() + _PATIENCE, _Write(work)
        self._queue.append(write)
        try:
            if write is not self._queue[0]:
                await write.woken.wait()  # it was carried out meanwhile, or is the first one now
            if not write.done:
                await self._repeat(self._write_queue, until)
        finally:
            if not write.done:
                self._queue.remove(write)
                if self._queue:
                    self._queue[0].woken.set()
        if write.refusal is not None:
            raise write.refusal
        return cast("Answer", write.answer)

    def _write_queue(self) -> None:
        """Carry out every write that waits. One that is refused changes nothing, and the others go on."""
        with self._transact():
            for write in self._queue:
                try:
                    with self._transact():
                        write.answer = write.work()
                except CloudIncidentError as error:
                    write.refusal = error
        for write in self._queue:
            write.done = True
            write.woken.set()
        self._queue.clear()

    async def _repeat(self, work: Callable[[], Answer], until: float) -> Answer:
        pause = _PAUSE
        while True:
            try:
                return self._try(work)
            except StoreUnavailableError as error:
                if not error.busy or anyio.current_time() >= until:
                    raise
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _try(self, work: Callable[[], Answer]) -> Answer:
        with self._explain_failures():
            return work()

    @contextmanager
    def _explain_failures(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
            raise StoreUnavailableError(
                f"The episodes in {self.path} cannot be read or written now: {error}. Nothing was changed.",
                busy=code in _BUSY,
            ) from error
