"""What the shared store promises beyond the contract: its server may be killed, paused, full or cut off at any time."""

from __future__ import annotations

import resource
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
import pytest

from env_core.stores import (
    AppendConflictError,
    Claim,
    EpisodeExistsError,
    Event,
    Opening,
    StoreUnavailableError,
    UnknownEpisodeError,
    open_store,
)
from env_core.stores.redis import RedisStore
from scenarios.parsing import parse_action
from tests.cutting_proxy import CuttingProxy
from tests.env_core.stores.test_contract import LOOK, REFERENCE
from tests.redis_server import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.anyio

LONG = Event(parse_action("submit_resolution", {"summary": "x" * 4000}))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call waits a second, so that those which are to fail fail soon; and few calls are under way at once."""
    monkeypatch.setattr("env_core.stores.redis._PATIENCE", 1.0)
    monkeypatch.setattr("env_core.stores.redis._ATTEMPT", 0.3)
    monkeypatch.setattr("env_core.stores.redis._CONNECTIONS", 16)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server(tcp=True) as server:
        yield server


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[RedisStore]:
    """A store at an address, with the episode `a` of no steps if there is none."""
    store = RedisStore(address)
    try:
        await store.create(Opening("a", REFERENCE, "incarnation"), 1000)
        yield store
    finally:
        await store.close()


def look_at(number: int) -> Event:
    return Event(parse_action("query_logs", {"service": f"service-{number}"}))


async def append_many(store: RedisStore, count: int, then: anyio.Event | None = None) -> None:
    for number in range(count):
        await store.append("a", "incarnation", number, look_at(number))
        if then is not None and number == count // 4:
            then.set()


async def check_whole(store: RedisStore, count: int) -> None:
    assert (await store.load("a")).events == tuple(map(look_at, range(count)))


async def test_a_server_that_is_killed_and_started_again_has_lost_and_doubled_nothing(server: RedisServer) -> None:
    async with opened(server.address) as store, anyio.create_task_group() as tasks:
        under_way = anyio.Event()
        tasks.start_soon(append_many, store, 300, under_way)
        await under_way.wait()
        server.end(signal.SIGKILL)
        await anyio.to_thread.run_sync(server.start)
    async with opened_again(server.address) as store:
        await check_whole(store, 300)


@asynccontextmanager
async def opened_again(address: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(address)
    try:
        yield store
    finally:
        await store.close()


async def test_connections_that_are_cut_lose_and_double_nothing(server: RedisServer) -> None:
    async with opened(server.address) as store:
        async with anyio.create_task_group() as tasks:
            under_way = anyio.Event()
            tasks.start_soon(append_many, store, 300, under_way)
            await under_way.wait()
            for _ in range(5):
                await anyio.to_thread.run_sync(server.say, "CLIENT", "KILL", "TYPE", "normal")
                await anyio.sleep(0.01)
        await check_whole(store, 300)


async def test_a_call_whose_answer_is_lost_is_carried_out_once(server: RedisServer) -> None:
    proxy = CuttingProxy(server.port)
    async with proxy.run(), opened(proxy.address) as store:
        proxy.cut_after = 0
        await store.append("a", "incarnation", 0, LOOK)
        assert proxy.cuts == 1
        proxy.cut_after = 0
        assert await store.create(Opening("b", REFERENCE, "incarnation", replacing=Claim("a", "incarnation")), 10) == [
            "a"
        ]
        assert proxy.cuts == 2
        proxy.cut_after = 0
        with pytest.raises(EpisodeExistsError):
            await store.create(Opening("b", REFERENCE, "another"), 10)
        proxy.cut_after = 0
        with pytest.raises(AppendConflictError):
            await store.append("b", "incarnation", 1, LOOK)
        proxy.cut_after = 0
        await store.delete(Claim("b", "incarnation"))
        assert proxy.cuts == 5
        assert await store.list_entries() == []


async def test_two_callers_with_the_same_action_do_not_take_each_others_for_their_own(server: RedisServer) -> None:
    proxy = CuttingProxy(server.port)
    async with proxy.run(), opened(proxy.address) as store, opened_again(server.address) as other:
        proxy.cut_before = 0
        async with anyio.create_task_group() as tasks:
            lost: list[AppendConflictError] = []

            async def append() -> None:
                try:
                    await store.append("a", "incarnation", 0, LOOK)
                except AppendConflictError as error:
                    lost.append(error)

            tasks.start_soon(append)
            await other.append("a", "incarnation", 0, LOOK)
        assert (len(lost), len((await other.load("a")).events)) == (1, 1)


async def test_a_server_that_is_away_is_told_and_comes_back(server: RedisServer) -> None:
    async with opened(server.address) as store:
        server.end(signal.SIGKILL)
        with pytest.raises(StoreUnavailableError, match=r"Redis at 127\.0\.0\.1:\d+ cannot be read or written now"):
            await store.append("a", "incarnation", 0, LOOK)
        with pytest.raises(StoreUnavailableError, match="Nothing was changed"):
            await store.load("a")
        server.start()
        await store.append("a", "incarnation", 0, LOOK)
        assert (await store.load("a")).events == (LOOK,)


@pytest.mark.slow
async def test_a_server_that_is_paused_holds_nobody_up_for_ever_and_takes_a_step_once(server: RedisServer) -> None:
    async with opened(server.address) as store:
        with server.paused(), anyio.fail_after(60):
            with pytest.raises(StoreUnavailableError, match=r"not known whether .* with its request id"):
                await store.append("a", "incarnation", 0, LOOK)
            with pytest.raises(StoreUnavailableError, match="no answer came"):
                await store.load("a")
        with suppress(AppendConflictError):  # what was sent may be carried out when the server goes on
            await store.append("a", "incarnation", 0, LOOK)
        assert (await store.load("a")).events == (LOOK,)
        await store.append("a", "incarnation", 1, LOOK)


async def test_a_call_waits_its_turn_for_longer_than_a_server_may_be_silent(server: RedisServer) -> None:
    proxy = CuttingProxy(server.port)
    async with proxy.run(), opened(proxy.address) as store:
        proxy.delay = 0.1
        async with anyio.create_task_group() as tasks:
            for number in range(250):
                tasks.start_soon(store.create, Opening(f"many-{number}", REFERENCE, "incarnation"), 1000)
        proxy.delay = 0.0
        assert len(await store.list_entries()) == 251
        assert proxy.cuts == 0


async def test_calls_that_wait_their_turn_end_with_the_silence_of_a_server(server: RedisServer) -> None:
    refused: list[StoreUnavailableError] = []

    async with opened(server.address) as store:

        async def ask() -> None:
            try:
                await store.load("a")
            except StoreUnavailableError as error:
                refused.append(error)

        with server.paused(), anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for _ in range(200):
                    tasks.start_soon(ask)
                with anyio.move_on_after(0.2):
                    await store.load("a")  # who leaves before its turn takes nobody's
        assert len(refused) == 200
        assert all("no answer came" in str(error) for error in refused)
        await store.append("a", "incarnation", 0, LOOK)
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(store.load, "a")


async def test_a_server_whose_memory_is_full_refuses_and_reads_and_makes_room(server: RedisServer) -> None:
    async with opened(server.address) as store:
        for number in range(50):
            await store.create(Opening(f"full-{number}", REFERENCE, "i", events=(LONG,) * 5), 1000)
        server.say("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailableError, match=r"maxmemory.*Nothing was changed"):
            await store.append("a", "incarnation", 0, LOOK)
        with pytest.raises(StoreUnavailableError, match="maxmemory"):
            await store.create(Opening("b", REFERENCE, "incarnation"), 1000)
        assert len((await store.load("full-1")).events) == 5
        assert len(await store.list_entries()) == 51
        await store.delete(Claim("full-1", "i"))
        await store.create(Opening("b", REFERENCE, "incarnation", replacing=Claim("full-2", "i")), 1000)
        server.say("CONFIG", "SET", "maxmemory", "0")
        await store.append("a", "incarnation", 0, LOOK)
        assert len(await store.list_entries()) == 50
        assert (await store.load("a")).events == (LOOK,)


async def fill_disk(server: RedisServer, store: RedisStore) -> tuple[int, StoreUnavailableError]:
    """How many steps were taken until the disk of a server was full, and what was said then."""
    written = sum(file.stat().st_size for file in server.directory.rglob("*.aof"))
    server.limit_files(written + 20_000)
    for number in range(1000):
        try:
            await store.append("a", "incarnation", number, LONG)
        except StoreUnavailableError as error:
            return number, error
    raise AssertionError("the disk was not full")


async def test_a_server_whose_disk_is_full_ends_and_has_kept_what_was_acknowledged(server: RedisServer) -> None:
    async with opened(server.address) as store:
        taken, _ = await fill_disk(server, store)
        server.start()
        assert len((await store.load("a")).events) == taken
        await store.append("a", "incarnation", taken, LONG)


async def test_a_server_that_writes_once_a_second_refuses_while_its_disk_is_full_and_goes_on() -> None:
    with redis_server("--appendfsync", "everysec", tcp=True) as server:
        async with opened(server.address) as store:
            taken, error = await fill_disk(server, store)
            assert "AOF file" in str(error)
            assert "Nothing was changed" in str(error)
            assert len((await store.load("a")).events) == taken
            server.limit_files(resource.RLIM_INFINITY)
            with anyio.fail_after(60):
                while True:
                    try:
                        await store.append("a", "incarnation", taken, LONG)
                        break
                    except StoreUnavailableError:
                        await anyio.sleep(0.1)
            server.end()
            server.start()
            assert len((await store.load("a")).events) == taken + 1


async def test_a_server_that_became_a_replica_is_asked_until_it_writes_again(server: RedisServer) -> None:
    async with opened(server.address) as store:
        server.say("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailableError, match="Nothing was changed"):
            await store.append("a", "incarnation", 0, LOOK)
        server.say("REPLICAOF", "NO", "ONE")
        await store.append("a", "incarnation", 0, LOOK)


async def test_a_password_that_is_wrong_is_refused_at_once_and_never_told() -> None:
    with redis_server("--requirepass", "right", tcp=True) as server:
        for given in ("", ":hush-hush@"):
            store = RedisStore(server.address.replace("://", f"://{given}"))
            with pytest.raises(StoreUnavailableError) as refused:
                await store.read_secret()
            assert "hush" not in str(refused.value)
            await store.close()
        store = RedisStore(server.address.replace("://", "://:right@"))
        assert len(await store.read_secret()) == 32
        await store.close()


async def test_keys_that_nobody_uses_vanish_and_nothing_trips_over_their_absence(server: RedisServer) -> None:
    async with opened(server.address) as store:
        await store.append("a", "incarnation", 0, LOOK)
        await store.expire(90 * 86_400.0)
        await store.create(Opening("b", REFERENCE, "incarnation", events=(LOOK,)), 10)
        for key, days in (("episode:a", 30), ("events:a", 30), ("episode:b", 180), ("events:b", 180), ("touched", 180)):
            left = int(server.say("PTTL", f"cloud-incident:1:{key}").removeprefix(":"))
            assert days * 86_400_000 - 60_000 < left <= days * 86_400_000
        server.say("SCRIPT", "FLUSH")
        server.say("DEL", "cloud-incident:1:episode:a", "cloud-incident:1:events:a")
        assert [entry.episode_id for entry in await store.list_entries()] == ["b"]
        with pytest.raises(UnknownEpisodeError):
            await store.append("a", "incarnation", 1, LOOK)
        assert sorted(await store.expire(0.0)) == ["a", "b"]


async def test_many_episodes_are_listed_and_expire(server: RedisServer) -> None:
    now = 0.0
    store = RedisStore(server.address, lambda: now)
    for number in range(603):
        await store.create(Opening(f"many-{number}", REFERENCE, "incarnation"), 10_000)
    now = 5.0
    assert len(await store.list_entries()) == 603
    assert len(await store.expire(5.0)) == 603
    assert await store.list_entries() == []
    await store.close()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://localhost", "Valid: memory, the path of a file, or .* redis://, rediss://, unix://"),
        ("redis://localhost:port", "not valid"),
        ("redis://localhost?socket_timeout=soon", "not valid"),
    ],
)
def test_an_address_that_names_no_store_is_refused(address: str, told: str) -> None:
    with pytest.raises(StoreUnavailableError, match=told):
        open_store(address)


def test_where_the_package_is_missing_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "env_core.stores.redis", None)
    with pytest.raises(StoreUnavailableError, match=r"run: pip install 'cloud-incident\[redis\]'"):
        open_store("redis://localhost")
