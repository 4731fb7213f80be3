"""What an SQLite file promises beyond the contract of every store."""

from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from env_core.reference import Reference
from env_core.stores import (
    AppendConflictError,
    CapacityError,
    Claim,
    EpisodeExistsError,
    Event,
    Opening,
    Record,
    SqliteStore,
    StoreUnavailableError,
)
from env_core.stores.sqlite import MIGRATIONS
from env_core.stores.writing import write_event, write_reference
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

pytestmark = pytest.mark.anyio

REFERENCE = Reference("RP-001", "remediation_planning", "analytics-export", "digest", seed=7)
LOOK = Event(parse_action("query_logs", {"service": "api-gateway"}), "request-1")


async def test_what_was_acknowledged_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    hostile = Event(
        parse_action("submit_resolution", {"summary": "a\u2028b \u202e 'quoted' \"twice\"\n{}\\"}), ends=True
    )
    first = SqliteStore(tmp_path / "new" / "episodes.db")
    await first.create(Opening("a", REFERENCE, "incarnation"), 10)
    await first.append("a", "incarnation", 0, LOOK)
    await first.append("a", "incarnation", 1, hostile)
    second = SqliteStore(tmp_path / "new" / "episodes.db")
    record = await second.load("a")
    assert (record.reference, record.incarnation, record.events) == (REFERENCE, "incarnation", (LOOK, hostile))
    await first.close()
    await second.close()


_ENDLESS = """
import sys, anyio
from pathlib import Path
from env_core.stores import Event, Opening, SqliteStore
from scenarios.parsing import parse_action
from tests.env_core.stores.test_sqlite import REFERENCE

async def append_for_ever():
    store = SqliteStore(Path(sys.argv[1]))
    await store.create(Opening("a", REFERENCE, "incarnation"), 10)
    for number in range(1_000_000):
        action = parse_action("query_logs", {"service": f"service-{number}"})
        await store.append("a", "incarnation", number, Event(action))
        print(number, flush=True)

anyio.run(append_for_ever)
"""


async def test_a_process_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "episodes.db"
    command = [sys.executable, "-c", _ENDLESS, str(path)]
    told = b""
    async with await anyio.open_process(command, stdin=None) as process:
        assert process.stdout is not None
        while told.count(b"\n") < 300:
            told += await process.stdout.receive()
        process.kill()
        async for rest in process.stdout:
            told += rest
    acknowledged = told.split(b"\n")[:-1]
    events = (await SqliteStore(path).load("a")).events
    assert len(events) - len(acknowledged) in {0, 1}  # one may have been written and not yet told
    assert [event.action.dump()["parameters"]["service"] for event in events] == [
        f"service-{number}" for number in range(len(events))
    ]


_ADDING = """
import sys, anyio
from pathlib import Path
from env_core.stores import AppendConflictError, SqliteStore
from tests.env_core.stores.test_sqlite import LOOK

async def add():
    store = SqliteStore(Path(sys.argv[1]))
    for _ in range(100):
        while True:
            length = len((await store.load("a")).events)
            try:
                await store.append("a", "incarnation", length, LOOK)
                break
            except AppendConflictError:
                pass

anyio.run(add)
"""


@pytest.mark.slow
async def test_processes_share_a_file_and_no_event_is_lost_or_doubled(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "episodes.db")
    await store.create(Opening("a", REFERENCE, "incarnation"), 10)
    command = [sys.executable, "-c", _ADDING, str(store.path)]
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(anyio.run_process, command)
    assert len((await store.load("a")).events) == 300


async def test_a_call_waits_while_another_process_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "episodes.db")
    await store.create(Opening("a", REFERENCE, "incarnation"), 10)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    served = anyio.Event()

    async def append() -> None:
        await store.append("a", "incarnation", 0, LOOK)
        served.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(append)
        await anyio.sleep(0.05)  # the event loop goes on meanwhile
        assert not served.is_set()
        other.execute("COMMIT")
    assert (await store.load("a")).events == (LOOK,)


async def test_writes_that_wait_are_made_together_each_whole_or_not_at_all(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "episodes.db")
    for name in ("a", "b", "gone"):
        await store.create(Opening(name, REFERENCE, "incarnation"), 5)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused: list[Exception] = []

    async def expect(kind: type[Exception], work: Awaitable[object]) -> None:
        with pytest.raises(kind) as told:
            await work
        refused.append(told.value)

    async with anyio.create_task_group() as tasks:
        leaving = anyio.CancelScope()

        async def leave() -> None:
            with leaving:
                await store.append("gone", "incarnation", 0, LOOK)

        tasks.start_soon(leave)  # the first that waits leaves, and another one takes its place
        await anyio.sleep(0.01)
        for name in ("a", "b"):
            tasks.start_soon(store.append, name, "incarnation", 0, LOOK)
        tasks.start_soon(expect, EpisodeExistsError, store.create(Opening("a", REFERENCE, "incarnation"), 5))
        tasks.start_soon(store.create, Opening("c", REFERENCE, "incarnation", replacing=Claim("b", "incarnation")), 3)
        full = Opening("d", REFERENCE, "incarnation", replacing=Claim("a", "another"))
        tasks.start_soon(expect, CapacityError, store.create(full, 3))
        tasks.start_soon(expect, AppendConflictError, store.append("a", "incarnation", 5, LOOK))
        await anyio.sleep(0.02)
        assert len((await store.load("a", touch=False)).events) == 0  # who reads waits for nobody
        leaving.cancel()
        await anyio.sleep(0.02)
        other.execute("COMMIT")
    assert len(refused) == 3
    assert sorted(entry.episode_id for entry in await store.list_entries()) == ["a", "c", "gone"]
    assert [len((await store.load(name)).events) for name in ("a", "c", "gone")] == [1, 0, 0]


async def test_a_file_that_stays_in_use_refuses_everybody_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("env_core.stores.sqlite._PATIENCE", 0.2)
    store = SqliteStore(tmp_path / "episodes.db")
    await store.create(Opening("a", REFERENCE, "incarnation"), 10)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused: list[bool] = []

    async def append() -> None:
        with pytest.raises(StoreUnavailableError, match="Nothing was changed") as told:
            await store.append("a", "incarnation", 0, LOOK)
        refused.append(told.value.busy)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for _ in range(300):
                tasks.start_soon(append)
    assert refused == [True] * 300
    other.execute("COMMIT")
    await store.append("a", "incarnation", 0, LOOK)


async def test_a_file_that_is_full_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "episodes.db")
    await store.create(Opening("a", REFERENCE, "incarnation"), 1000)
    (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    long = Event(parse_action("submit_resolution", {"summary": "x" * 4000}))

    async def fill() -> None:
        for number in range(100):
            await store.append("a", "incarnation", number, long)

    with pytest.raises(StoreUnavailableError, match="full"):
        await fill()
    kept = len((await store.load("a")).events)
    store._database.execute("PRAGMA max_page_count = 100000")
    await store.append("a", "incarnation", kept, long)
    assert len((await store.load("a")).events) == kept + 1


async def test_a_file_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 1000)
    with pytest.raises(StoreUnavailableError, match=r"text\.db.*not a database"):
        SqliteStore(tmp_path / "text.db")
    with pytest.raises(StoreUnavailableError, match="unable to open"):
        SqliteStore(tmp_path)
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(StoreUnavailableError, match="newer release"):
        SqliteStore(tmp_path / "newer.db")


async def test_the_file_shrinks_when_episodes_are_forgotten(tmp_path: Path) -> None:
    now = 0.0
    store = SqliteStore(tmp_path / "episodes.db", lambda: now)
    long = Event(parse_action("submit_resolution", {"summary": "x" * 4000}))
    for number in range(200):
        await store.create(Opening(str(number), REFERENCE, "incarnation"), 1000)
        await store.append(str(number), "incarnation", 0, long)
    await store.close()
    before = store.path.stat().st_size
    now = 100.0
    store = SqliteStore(store.path, lambda: now)
    assert len(await store.expire(50.0)) == 200
    await store.close()
    assert store.path.stat().st_size < before / 4


async def test_another_incarnation_of_a_handle_is_not_appended_to(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "episodes.db")
    await store.create(Opening("a", REFERENCE, "incarnation"), 10)
    with pytest.raises(AppendConflictError):
        await store.append("a", "another", 0, LOOK)


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "new" / "episodes.db")
    assert store.path.stat().st_mode & 0o077 == 0
    assert store.path.parent.stat().st_mode & 0o077 == 0


async def test_a_file_of_an_older_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "episodes.db"
    older = sqlite3.connect(path)
    older.executescript(MIGRATIONS[0])
    older.execute(
        "INSERT INTO episodes (id, incarnation, reference, length, events, touched) VALUES ('a', 'i', ?, 1, ?, 0)",
        (write_reference(REFERENCE), write_event(LOOK)),
    )
    older.execute("PRAGMA user_version = 1")
    older.commit()
    older.close()
    store = SqliteStore(path)
    assert await store.load("a") == Record(REFERENCE, "i", (LOOK,), owner="")
    secret = await store.read_secret()
    assert await SqliteStore(path).read_secret() == secret
    assert await store.expire(0.0) == ["a"]  # it is found by when it was touched


async def test_what_is_used_in_a_later_period_does_not_expire_with_the_earlier_one(tmp_path: Path) -> None:
    now = 0.0
    stores = [SqliteStore(tmp_path / "episodes.db", lambda: now) for _ in range(2)]
    for name in ("stepped", "idle"):
        await stores[0].create(Opening(name, REFERENCE, "incarnation"), 10)
    for length in range(4):
        now += 450.0
        await stores[length % 2].append("stepped", "incarnation", length, LOOK)
    assert await stores[0].expire(1800.0) == ["idle"]
    assert await stores[0].expire(100.0) == []
    now += 1300.0
    assert await stores[1].expire(1300.0) == ["stepped"]
