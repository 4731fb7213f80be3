"""Who may see, open and close which episode, whatever surface asks; how many one caller may have open."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint

from env_core.callers import (
    ANYBODY,
    CALLER,
    NOBODY,
    OPERATE,
    PLAY,
    SCOPES,
    Caller,
    ScopeError,
    UnauthenticatedError,
    acting_as,
    check_need,
    is_loopback,
)
from env_core.quotas import QuotaError
from env_core.selection import Selection
from env_core.service import BusyError, EpisodeService, ForeignHandleError, Limits
from env_core.stores import CapacityError, Claim, MemoryStore, UnknownEpisodeError
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio

LOGS = parse_action("query_logs", {"service": "api-gateway"})
P1 = parse_action("submit_severity", {"severity": "P1"})
AC = Selection(scenario_id="AC-001")


def make_caller(name: str, scope: str = OPERATE) -> Caller:
    return Caller(name, frozenset(SCOPES[: SCOPES.index(scope) + 1]))


ALICE, BOB, ROOT = make_caller("alice"), make_caller("bob"), make_caller("root", "admin")
PLAYER = make_caller("alice", PLAY)


@pytest.fixture
def guarded(catalogue: Catalogue) -> EpisodeService:
    """A service on a server that asks for tokens."""
    return EpisodeService(catalogue, unnamed=NOBODY)


async def test_a_task_without_a_caller_may_do_nothing_where_tokens_are_asked_for(guarded: EpisodeService) -> None:
    with acting_as(ALICE):
        episode = await guarded.create(AC)
    for call in (
        lambda: guarded.create(AC),
        lambda: guarded.get(episode.id),
        lambda: guarded.step(episode.id, LOGS),
        lambda: guarded.fork(Claim(episode.id, "")),
        lambda: guarded.close(episode.id),
    ):
        with pytest.raises((UnauthenticatedError, UnknownEpisodeError)):
            await call()
    with acting_as(ALICE):
        assert (await guarded.get(episode.id)).step_count == 0
    assert CALLER.get(None) is None


async def test_every_call_on_anothers_episode_says_that_there_is_none(guarded: EpisodeService) -> None:
    with acting_as(ALICE):
        episode = await guarded.create(AC)
        await guarded.step(episode.id, LOGS, "request")
    with acting_as(BOB):
        for call in (
            lambda handle: guarded.get(handle),
            lambda handle: guarded.get(handle, episode.incarnation),
            lambda handle: guarded.step(handle, LOGS),  # the service has it folded, and does not ask the store
            lambda handle: guarded.step(handle, LOGS, "request", episode.incarnation),
            lambda handle: guarded.fork(Claim(handle, episode.incarnation)),
            lambda handle: guarded.close(handle),
        ):
            told = []
            for handle in (episode.id, "0" * len(episode.id)):
                with pytest.raises(UnknownEpisodeError) as refused:
                    await call(handle)
                told.append(str(refused.value).replace(handle, "…"))
            assert told[0] == told[1]
        await guarded.create(AC, Claim(episode.id, episode.incarnation))  # does not take its place
    for caller in (ALICE, PLAYER, ROOT):
        with acting_as(caller):
            assert (await guarded.get(episode.id)).step_count == 1


async def test_a_player_steps_and_opens_nothing(guarded: EpisodeService) -> None:
    with acting_as(ALICE):
        episode = await guarded.create(AC)
    with acting_as(PLAYER):
        assert (await guarded.step(episode.id, LOGS)).episode.step_count == 1
        for call in (
            lambda: guarded.create(AC),
            lambda: guarded.fork(Claim(episode.id, "")),
            lambda: guarded.close(episode.id),
        ):
            with pytest.raises(ScopeError, match="`operate`"):
                await call()


async def test_a_handle_that_is_chosen_begins_with_the_callers_name(guarded: EpisodeService) -> None:
    for caller, handle, chosen in ((ALICE, "run-1", False), (ALICE, "alice.run-1", True), (BOB, "alice.run-1", False)):
        with acting_as(caller):
            if chosen:
                assert (await guarded.create(AC.model_copy(update={"episode_id": handle}))).id == handle
            else:
                with pytest.raises(ForeignHandleError, match=f"{caller.name}.{handle} would do"):
                    await guarded.create(AC.model_copy(update={"episode_id": handle}))
    with acting_as(ALICE):
        minted = await guarded.create(AC)
        again = AC.model_copy(update={"episode_id": minted.id})
        with pytest.raises(ForeignHandleError):
            await guarded.create(again)
        assert (await guarded.create(again, Claim(minted.id, minted.incarnation))).id == minted.id
    with acting_as(BOB), pytest.raises(ForeignHandleError):
        await guarded.fork(Claim("any", ""), fork_id="alice.run-2")
    with acting_as(ROOT):
        assert (await guarded.create(AC.model_copy(update={"episode_id": "run-1"}))).id == "run-1"


async def test_one_caller_may_have_so_many_open_and_others_find_room(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=10, most_each=2))
    near, far = ANYBODY._replace(address="192.0.2.1"), ANYBODY._replace(address="192.0.2.2")
    with acting_as(near):
        first, second = await service.create(AC), await service.create(AC)
        with pytest.raises(QuotaError, match="2 episodes open"):
            await service.create(AC)
        with pytest.raises(QuotaError):
            await service.fork(Claim(first.id, ""))
    with acting_as(far):
        await service.create(AC)
    for _ in range(3):
        await service.create(AC)  # on this machine nobody is counted
    with acting_as(near):
        await service.step(first.id, P1)
        await service.create(AC)
        await service.close(second.id)
        await service.create(AC)
        with pytest.raises(QuotaError):
            await service.create(AC)


async def test_what_ended_in_another_process_counts_no_more(catalogue: Catalogue) -> None:
    store = MemoryStore()
    here, there = (EpisodeService(catalogue, store, Limits(most_each=1)) for _ in range(2))
    with acting_as(ANYBODY._replace(address="192.0.2.1")):
        episode = await here.create(AC)
        await there.step(episode.id, P1)
        other = await here.create(AC)
        await there.close(other.id)
        await here.create(AC)
        with pytest.raises(QuotaError):
            await here.create(AC)


async def test_a_creation_that_fails_does_not_count(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=1, most_each=2))
    await service.create(AC)
    with acting_as(ANYBODY._replace(address="192.0.2.1")):
        for _ in range(3):
            with pytest.raises(CapacityError):
                await service.create(AC)


async def test_a_stranger_cannot_evict_an_episode_before_its_grade_is_fetched(catalogue: Catalogue) -> None:
    seconds = 0.0
    store = MemoryStore(lambda: seconds)
    service = EpisodeService(catalogue, store, Limits(capacity=1, grace_seconds=60.0))
    finished = await service.create(AC)
    await service.step(finished.id, P1)
    with pytest.raises(CapacityError):
        await service.create(AC)
    seconds = 59.0
    assert (await service.get(finished.id)).grade is not None  # and looking does not keep it longer
    seconds = 61.0
    await service.create(AC)
    with pytest.raises(UnknownEpisodeError):
        await service.get(finished.id)


async def test_finished_episodes_of_one_caller_do_not_keep_others_out(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, unnamed=NOBODY, limits=Limits(capacity=4, grace_seconds=60.0, most_each=2))

    async def finish_one() -> str:
        episode = await service.create(AC)
        await service.step(episode.id, P1)
        return episode.id

    async def is_there(handle: str) -> bool:
        with acting_as(ROOT), suppress(UnknownEpisodeError):
            return (await service.get(handle)).done
        return False

    with acting_as(BOB):
        first = await finish_one()
    with acting_as(ALICE):
        surplus = [await finish_one() for _ in range(4)]  # there is no room for the last one
        surplus.append((await service.fork(Claim(surplus[-1], ""))).id)  # a finished fork counts as others do
    assert [await is_there(handle) for handle in surplus] == [False, False, True, True, True]
    assert await service.has_room()
    with acting_as(BOB):
        await service.create(AC)
    assert [await is_there(handle) for handle in surplus] == [False, False, False, True, True]
    assert not await service.has_room()  # both have as many as they may have
    for caller in (make_caller("carol"), ROOT):
        with acting_as(caller), pytest.raises(CapacityError):
            await service.create(AC)
    assert await is_there(first)


async def test_who_wants_many_incidents_made_keeps_nobody_else_waiting(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, unnamed=NOBODY, limits=Limits(waiting=6))
    made: list[str] = []
    refused: list[str] = []

    async def create(caller: Caller, seed: int) -> None:
        with acting_as(caller):
            try:
                await service.create(Selection(seed=91_000_000 + seed))
                made.append(caller.name)
            except BusyError:
                refused.append(caller.name)

    async with anyio.create_task_group() as tasks:
        for number in range(9):
            tasks.start_soon(create, ALICE, number)
        await checkpoint()
        for number in range(3):
            tasks.start_soon(create, BOB, 10 + number)
    assert made.count("alice") == 7  # one is made at once, and six wait
    assert made.count("bob") == 3
    assert refused == ["alice"] * 2
    assert made.index("bob") <= 2
    assert made[-3:] == ["alice"] * 3  # they had turns in turn until bob had all of his


async def test_a_turn_that_is_given_up_goes_to_the_next(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    seeds = [Selection(seed=92_000_000 + number) for number in range(4)]
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as given_up:
            tasks.start_soon(service.create, seeds[0])
            await checkpoint()
            given_up.cancel()
            await service.create(seeds[1])
        tasks.start_soon(service.create, seeds[2])
    assert given_up.cancelled_caught
    with anyio.fail_after(60):
        await service.create(seeds[3])


async def test_handles_that_strangers_choose_are_warned_of_once(
    catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    service = EpisodeService(catalogue)
    await service.create(AC.model_copy(update={"episode_id": "run-1"}))
    with acting_as(ANYBODY._replace(address="192.0.2.1")):
        await service.create(AC)
        assert not caplog.text
        for handle in ("run-2", "run-3"):
            await service.create(AC.model_copy(update={"episode_id": handle}))
    assert caplog.text.count("chose the handle") == 1


def test_needs_and_what_meets_them() -> None:
    for scope in SCOPES:
        caller = make_caller("any", scope)
        for needed in SCOPES:
            if SCOPES.index(needed) <= SCOPES.index(scope):
                check_need(needed, caller)
            else:
                with pytest.raises(ScopeError):
                    check_need(needed, caller)
    check_need("public", NOBODY)
    with pytest.raises(UnauthenticatedError):
        check_need(PLAY, NOBODY)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("::", False),
        ("::ffff:192.0.2.1", False),
        ("localhost.evil", False),
    ],
)
def test_addresses_of_this_machine(address: str, own: bool) -> None:
    assert is_loopback(address) is own
