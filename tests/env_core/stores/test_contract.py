"""What every store promises. Each implementation is run through all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from env_core.reference import Reference
from env_core.stores import (
    AppendConflictError,
    CapacityError,
    Claim,
    Entry,
    EpisodeExistsError,
    EpisodeStore,
    Event,
    Opening,
    UnknownEpisodeError,
)
from env_core.stores.protocol import SECRET_BYTES
from scenarios.parsing import parse_action
from tests.env_core.stores.implementations import STORES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

REFERENCE = Reference("RP-001", "remediation_planning", "analytics-export", "digest", seed=7)
LOOK = Event(parse_action("query_logs", {"service": "api-gateway"}), "request-1")
SCALE = Event(parse_action("scale_service", {"service": "api-gateway", "replicas": 3}))
END = Event(parse_action("submit_resolution", {"summary": "Done."}), ends=True)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=sorted(STORES))
async def store(
    request: pytest.FixtureRequest, clock: Clock, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[EpisodeStore]:
    def find_address() -> str:
        server: RedisServer = request.getfixturevalue("redis")
        server.say("FLUSHALL")
        return server.address

    store = STORES[request.param](clock, tmp_path, find_address)
    yield store
    await store.close()


async def create(store: EpisodeStore, episode_id: str, capacity: int = 10, replacing: Claim | None = None) -> list[str]:
    opening = Opening(
        episode_id, REFERENCE, f"incarnation of {episode_id}", f"owner of {episode_id}", replacing=replacing
    )
    return await store.create(opening, capacity)


async def append(store: EpisodeStore, episode_id: str, length: int, event: Event) -> None:
    await store.append(episode_id, f"incarnation of {episode_id}", length, event)


async def test_what_was_kept_is_loaded(store: EpisodeStore) -> None:
    assert await create(store, "a") == []
    await append(store, "a", 0, LOOK)
    await append(store, "a", 1, SCALE)
    await append(store, "a", 2, END)
    record = await store.load("a")
    assert record.reference == REFERENCE
    assert record.incarnation == "incarnation of a"
    assert record.owner == "owner of a"
    assert record.events == (LOOK, SCALE, END)
    assert (await store.load("a", 2)).events == (END,)
    assert (await store.load("a", 3)).events == ()


async def test_an_unknown_handle_is_refused_and_deleting_it_does_nothing(store: EpisodeStore) -> None:
    with pytest.raises(UnknownEpisodeError):
        await store.load("a")
    with pytest.raises(UnknownEpisodeError):
        await append(store, "a", 0, LOOK)
    await store.delete(Claim("a", "incarnation of a"))


async def test_an_append_needs_the_length_and_the_incarnation(store: EpisodeStore) -> None:
    await create(store, "a")
    for length in (1, 2):
        with pytest.raises(AppendConflictError):
            await append(store, "a", length, LOOK)
    with pytest.raises(AppendConflictError):
        await store.append("a", "another incarnation", 0, LOOK)
    await append(store, "a", 0, LOOK)
    with pytest.raises(AppendConflictError):
        await append(store, "a", 0, SCALE)
    assert (await store.load("a")).events == (LOOK,)


async def test_a_conflict_tells_what_was_appended_since(store: EpisodeStore) -> None:
    await create(store, "a")
    for length in range(3):
        await append(store, "a", length, LOOK if length < 2 else SCALE)
    for incarnation, length, newer in (
        ("incarnation of a", 1, (LOOK, SCALE)),
        ("incarnation of a", 4, ()),
        ("another", 1, ()),
    ):
        with pytest.raises(AppendConflictError) as conflict:
            await store.append("a", incarnation, length, LOOK)
        assert conflict.value.newer == newer


async def test_a_reference_of_another_release_is_kept_as_it_was_written(store: EpisodeStore) -> None:
    foreign = Reference.read({**REFERENCE.dump(), "hints": 3})
    await store.create(Opening("a", foreign, "incarnation"), 10)
    assert (await store.load("a")).reference.dump() == {**REFERENCE.dump(), "hints": 3}
    assert [entry.reference.scenario_id for entry in await store.list_entries()] == [REFERENCE.scenario_id]


async def test_of_concurrent_appends_one_wins(store: EpisodeStore) -> None:
    await create(store, "a")
    lost: list[AppendConflictError] = []

    async def try_append() -> None:
        try:
            await append(store, "a", 0, LOOK)
        except AppendConflictError as error:
            lost.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(try_append)
    assert len(lost) == 9
    assert (await store.load("a")).events == (LOOK,)


async def test_a_handle_is_in_use_until_its_episode_is_closed_or_replaced(store: EpisodeStore) -> None:
    await create(store, "a")
    with pytest.raises(EpisodeExistsError, match="choose another"):
        await create(store, "a")
    await append(store, "a", 0, END)
    with pytest.raises(EpisodeExistsError, match="finished or not"):
        await create(store, "a")
    assert len((await store.load("a")).events) == 1
    assert await create(store, "a", replacing=Claim("a", "incarnation of a")) == ["a"]
    assert (await store.load("a")).events == ()


async def test_an_episode_takes_the_place_of_another(store: EpisodeStore) -> None:
    await create(store, "a", capacity=1)
    assert await create(store, "b", capacity=1, replacing=Claim("a", "incarnation of a")) == ["a"]
    with pytest.raises(UnknownEpisodeError):
        await store.load("a")
    with pytest.raises(CapacityError):
        await create(store, "c", capacity=1, replacing=Claim("b", "another incarnation"))
    assert await create(store, "b", capacity=1, replacing=Claim("b", "incarnation of b")) == ["b"]


async def test_without_room_the_episode_that_ended_longest_ago_makes_it(store: EpisodeStore) -> None:
    for episode_id in ("a", "b", "c"):
        await create(store, episode_id, capacity=3)
    with pytest.raises(CapacityError, match="All 3 episodes"):
        await create(store, "d", capacity=3)
    await append(store, "c", 0, END)
    await append(store, "a", 0, END)
    await store.load("c")  # a look does not keep an episode that has ended
    assert await create(store, "d", capacity=3) == ["c"]
    assert await create(store, "e", capacity=3) == ["a"]
    with pytest.raises(CapacityError):
        await create(store, "f", capacity=3)
    assert (await store.load("b")).events == ()


async def test_an_episode_that_has_just_ended_makes_no_room(store: EpisodeStore, clock: Clock) -> None:
    for episode_id in ("a", "b"):
        await create(store, episode_id, capacity=2)
        await append(store, episode_id, 0, END)
    later = Opening("c", REFERENCE, "incarnation of c", grace_seconds=60.0)
    clock.now = 59.0
    with pytest.raises(CapacityError):
        await store.create(later, 2)
    await store.load("a")  # it was used
    clock.now = 61.0
    assert await store.create(later, 2) == ["b"]
    with pytest.raises(CapacityError):
        await store.create(later._replace(episode_id="d"), 2)
    clock.now = 120.0
    assert await store.create(later._replace(episode_id="d"), 2) == ["a"]


async def test_only_the_episode_that_is_claimed_is_deleted(store: EpisodeStore) -> None:
    await create(store, "a")
    await store.delete(Claim("a", "another incarnation"))
    await store.load("a")
    await store.delete(Claim("a", "incarnation of a"))
    with pytest.raises(UnknownEpisodeError):
        await store.load("a")


async def test_what_nobody_uses_expires(store: EpisodeStore, clock: Clock) -> None:
    for episode_id in ("loaded", "stepped", "looked at", "idle"):
        await create(store, episode_id)
    clock.now = 9.0
    await store.load("loaded")
    await append(store, "stepped", 0, LOOK)
    await store.load("looked at", touch=False)
    clock.now = 11.0
    assert sorted(await store.expire(10.0)) == ["idle", "looked at"]
    assert await store.expire(10.0) == []
    assert (await store.load("stepped")).events == (LOOK,)
    with pytest.raises(UnknownEpisodeError):
        await store.load("idle")


async def test_an_episode_may_begin_with_events(store: EpisodeStore) -> None:
    await store.create(Opening("a", REFERENCE, "incarnation of a", events=(LOOK, SCALE)), 2)
    await append(store, "a", 2, LOOK)
    assert (await store.load("a")).events == (LOOK, SCALE, LOOK)
    await store.create(Opening("b", REFERENCE, "incarnation of b", events=(LOOK, END)), 2)
    assert await create(store, "c", capacity=2) == ["b"]  # it had ended


async def test_stored_episodes_are_listed_the_last_used_first(store: EpisodeStore, clock: Clock) -> None:
    assert await store.list_entries() == []
    for episode_id in ("a", "b"):
        await create(store, episode_id)
        clock.now += 10.0
    await append(store, "a", 0, LOOK)
    await append(store, "a", 1, END)
    clock.now += 5.0
    assert await store.list_entries() == [
        Entry("a", REFERENCE, 2, ended=True, idle_seconds=5.0, owner="owner of a"),
        Entry("b", REFERENCE, 0, ended=False, idle_seconds=15.0, owner="owner of b"),
    ]


async def test_an_owner_s_own_that_have_not_ended_are_listed(store: EpisodeStore, clock: Clock) -> None:
    assert await store.list_owned("alice", 5) == []
    for number, owner in enumerate(["alice", "bob", "alice", "", "alice"]):
        await store.create(Opening(f"e{number}", REFERENCE, "i", owner), 10)
        clock.now += 10.0
    assert await store.list_owned("alice", 5) == [
        Entry(handle, REFERENCE, 0, ended=False, idle_seconds=idle, owner="alice")
        for handle, idle in (("e4", 10.0), ("e2", 30.0), ("e0", 50.0))
    ]
    await store.append("e0", "i", 0, LOOK)
    assert [entry.episode_id for entry in await store.list_owned("alice", 2)] == ["e0", "e4"]
    assert [entry.episode_id for entry in await store.list_owned("bob", 2)] == ["e1"]
    assert await store.list_owned("", 5) == []
    await store.append("e4", "i", 0, Event(LOOK.action, ends=True))
    await store.delete(Claim("e2", "i"))
    await store.create(Opening("e0", REFERENCE, "j", "bob", replacing=Claim("e0", "i")), 10)
    assert await store.list_owned("alice", 5) == []
    assert {entry.episode_id for entry in await store.list_owned("bob", 5)} == {"e0", "e1"}


async def test_there_is_room_exactly_where_an_episode_can_be_created(store: EpisodeStore, clock: Clock) -> None:
    async def try_both(handle: str, grace_seconds: float) -> bool:
        told = await store.has_room(2, grace_seconds)
        try:
            await store.create(Opening(handle, REFERENCE, "i", grace_seconds=grace_seconds), 2)
        except CapacityError:
            assert not told
            return False
        assert told
        return True

    assert await try_both("a", 0.0)
    assert await try_both("b", 0.0)
    assert not await try_both("c", 0.0)
    await store.append("b", "i", 0, Event(LOOK.action, ends=True))
    assert not await try_both("c", 20.0)  # it has just ended
    clock.now += 20.0
    assert await try_both("c", 20.0)


async def test_those_that_have_not_ended_are_counted(store: EpisodeStore) -> None:
    assert await store.count_open() == 0
    for handle in ("first", "second"):
        await create(store, handle)
    await append(store, "first", 0, Event(LOOK.action, ends=True))
    assert await store.count_open() == 1
    await store.delete(Claim("second", (await store.load("second")).incarnation))
    assert await store.count_open() == 0


async def test_the_secret_of_a_store_stays(store: EpisodeStore) -> None:
    secret = await store.read_secret()
    assert len(secret) == SECRET_BYTES
    assert len(set(secret)) > 1
    assert await store.read_secret() == secret
