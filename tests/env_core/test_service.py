"""The episode service: concurrent calls, capacity, expiry, request ids, handles."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from env_core.reference import StaleReferenceError
from env_core.selection import Selection, SelectionError
from env_core.service import BusyError, EpisodeService, Limits, RequestIdError, UnknownStepError
from env_core.stores import (
    AppendConflictError,
    CapacityError,
    Claim,
    EpisodeExistsError,
    Event,
    MemoryStore,
    Opening,
    Record,
    UnknownEpisodeError,
)
from env_core.transition import EpisodeOverError
from env_core.witness import Witness
from scenarios.catalogue import Catalogue
from scenarios.generator import draw
from scenarios.generator.salt import Salt
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from env_core.episode import Episode
    from env_core.transition import Transition
    from scenarios.incident import Incident

pytestmark = pytest.mark.anyio

LOGS = parse_action("query_logs", {"service": "api-gateway"})
P1 = parse_action("submit_severity", {"severity": "P1"})
RP = Selection(scenario_id="RP-001")


class YieldingStore(MemoryStore):
    """A store on which every call lets others run first, as one behind a network does."""

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        await anyio.lowlevel.checkpoint()
        return await super().create(opening, capacity)

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        await anyio.lowlevel.checkpoint()
        return await super().load(episode_id, since, touch=touch)

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        await anyio.lowlevel.checkpoint()
        await super().append(episode_id, incarnation, expected_length, event)


async def test_concurrent_steps_on_one_episode_are_all_taken_once(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, YieldingStore())
    episode = await service.create(RP)
    services = list(episode.incident.services)[:8]
    async with anyio.create_task_group() as tasks:
        for name in services:
            tasks.start_soon(service.step, episode.id, parse_action("query_logs", {"service": name}))
    after = await service.get(episode.id)
    assert sorted(step.action.target for step in after.steps) == sorted(services)
    assert [step.number for step in after.steps] == list(range(1, 9))


async def test_many_episodes_at_once_are_never_mixed_up(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, YieldingStore())
    episodes = [await service.create(RP) for _ in range(50)]

    async def work(episode_id: str, name: str) -> None:
        for diagnostic in ("query_logs", "check_metrics", "check_service_status"):
            await service.step(episode_id, parse_action(diagnostic, {"service": name}))

    names = {episode.id: episode.incident.services[index % 8] for index, episode in enumerate(episodes)}
    async with anyio.create_task_group() as tasks:
        for episode_id, name in names.items():
            tasks.start_soon(work, episode_id, name)
    for episode_id, name in names.items():
        after = await service.get(episode_id)
        assert [step.action.target for step in after.steps] == [name] * 3


async def test_a_step_that_always_loses_the_race_says_so_and_changes_nothing(catalogue: Catalogue) -> None:
    class Contended(MemoryStore):
        async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
            raise AppendConflictError(f"{episode_id} {incarnation}: not {expected_length} for {event}")

    service = EpisodeService(catalogue, Contended())
    episode = await service.create(RP)
    with pytest.raises(AppendConflictError, match="try again"):
        await service.step(episode.id, LOGS)
    assert (await service.get(episode.id)).step_count == 0


async def test_another_process_is_seen(catalogue: Catalogue) -> None:
    store = MemoryStore()
    here, there = EpisodeService(catalogue, store), EpisodeService(catalogue, store)
    episode = await here.create(RP)
    await there.step(episode.id, LOGS)
    await here.step(episode.id, parse_action("check_metrics", {"service": "api-gateway"}))
    assert (await there.get(episode.id)).step_count == 2
    await there.close(episode.id)
    with pytest.raises(UnknownEpisodeError):
        await here.get(episode.id)
    again = await here.create(Selection(scenario_id="AC-001", episode_id=episode.id))
    assert (await there.get(episode.id)).reference == again.reference
    assert (await here.step(episode.id, LOGS)).episode.step_count == 1


async def test_a_handle_opened_anew_on_the_same_scenario_is_another_episode(catalogue: Catalogue) -> None:
    store = MemoryStore()
    here, there = EpisodeService(catalogue, store), EpisodeService(catalogue, store)
    mine = Selection(scenario_id="RP-001", episode_id="run-1")
    await here.create(mine)
    await here.step("run-1", LOGS)
    await here.step("run-1", parse_action("check_metrics", {"service": "api-gateway"}))
    await there.close("run-1")
    await there.create(mine)
    assert (await here.get("run-1")).step_count == 0
    for name in ("auth-service", "order-service", "postgres-db"):
        await there.step("run-1", parse_action("query_logs", {"service": name}))
    assert (await here.get("run-1")).cumulative == (await there.get("run-1")).cumulative == 900


async def test_a_request_id_takes_its_step_once(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    episode = await service.create(RP)
    first = await service.step(episode.id, LOGS, "request-1")
    await service.step(episode.id, parse_action("check_metrics", {"service": "api-gateway"}), "request-2")
    repeated = await service.step(episode.id, LOGS, "request-1")
    assert repeated == first
    assert (await service.get(episode.id)).step_count == 2
    with pytest.raises(RequestIdError, match="was used for query_logs"):
        await service.step(episode.id, P1, "request-1")


async def test_a_finished_episode_cannot_be_stepped(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    episode = await service.create(Selection())
    done = await service.step(episode.id, P1)
    with pytest.raises(EpisodeOverError):
        await service.step(episode.id, LOGS)
    assert await service.get(episode.id) == done.episode


async def test_capacity_and_idle_expiry(catalogue: Catalogue) -> None:
    now = [0.0]
    service = EpisodeService(catalogue, MemoryStore(lambda: now[0]), Limits(capacity=2, idle_seconds=10))
    first = await service.create(Selection())
    now[0] = 5.0
    second = await service.create(Selection())
    with pytest.raises(CapacityError, match="close one"):
        await service.create(Selection())
    now[0] = 11.0
    third = await service.create(Selection())
    with pytest.raises(UnknownEpisodeError):
        await service.get(first.id)
    assert (await service.get(second.id)).id == second.id
    await service.close(third.id)
    await service.create(Selection())


async def test_capacity_holds_under_concurrent_creates(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, YieldingStore(), Limits(capacity=2))
    refused = []

    async def create() -> None:
        try:
            await service.create(Selection())
        except CapacityError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(create)
    assert len(refused) == 18


async def test_looking_without_touching_lets_an_episode_expire(catalogue: Catalogue) -> None:
    now = [0.0]
    service = EpisodeService(catalogue, MemoryStore(lambda: now[0]), Limits(idle_seconds=10))
    idle = await service.create(Selection())
    now[0] = 9.0
    await service.get(idle.id, touch=False)
    now[0] = 11.0
    await service.create(Selection())
    with pytest.raises(UnknownEpisodeError):
        await service.get(idle.id)


async def test_handles(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    minted = {(await service.create(Selection())).id for _ in range(100)}
    assert len(minted) == 100
    assert all(len(handle) == 36 for handle in minted)
    chosen = await service.create(Selection(episode_id="my-run.7"))
    assert chosen.id == "my-run.7"
    with pytest.raises(EpisodeExistsError):
        await service.create(Selection(episode_id="my-run.7"))


@pytest.mark.parametrize("call", ["get", "close"])
async def test_unknown_handles(catalogue: Catalogue, call: str) -> None:
    with pytest.raises(UnknownEpisodeError):
        await getattr(EpisodeService(catalogue), call)("never-minted")


async def test_the_log_is_all_that_is_stored(catalogue: Catalogue) -> None:
    class Recording(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self.kept: list[Any] = []

        async def create(self, opening: Opening, capacity: int) -> list[str]:
            self.kept.append(opening.reference)
            return await super().create(opening, capacity)

        async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
            self.kept.append(event)
            await super().append(episode_id, incarnation, expected_length, event)

    store = Recording()
    service = EpisodeService(catalogue, store)
    episode = await service.create(Selection())
    await service.step(episode.id, LOGS)
    assert [type(kept).__name__ for kept in store.kept] == ["Reference", "Event"]


async def test_an_episode_may_take_the_place_of_another(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=1))
    first = await service.create(Selection(scenario_id="RCA-001", episode_id="mine"))
    again = await service.create(
        Selection(scenario_id="RP-001", episode_id="mine"), replacing=Claim("mine", first.incarnation)
    )
    assert (await service.get("mine")) == again
    assert again.incarnation != first.incarnation
    with pytest.raises(SelectionError):
        await service.create(Selection(scenario_id="RP-001", random=True), replacing=Claim("mine", again.incarnation))
    assert (await service.get("mine")) == again


async def test_finished_episodes_make_room_and_their_handles_are_free_once_replaced(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=2))
    answer = parse_action("submit_severity", {"severity": "P1"})
    for handle in ("first", "second"):
        await service.create(Selection(episode_id=handle))
    with pytest.raises(CapacityError):
        await service.create(Selection())
    with pytest.raises(EpisodeExistsError):
        await service.create(Selection(episode_id="first"))
    await service.step("second", answer)
    await service.step("first", answer)
    third = await service.create(Selection())
    with pytest.raises(UnknownEpisodeError):
        await service.get("second")
    with pytest.raises(EpisodeExistsError, match="replace true"):
        await service.create(Selection(episode_id="first"))
    again = Selection(episode_id="first", replace=True)
    assert (await service.create(again)).step_count == 0
    assert (await service.get(third.id)).step_count == 0
    await service.step("first", answer)
    assert (await service.create(again, replacing=Claim(third.id, third.incarnation))).step_count == 0
    with pytest.raises(UnknownEpisodeError):
        await service.get(third.id)


async def test_others_are_served_while_an_incident_is_made(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = draw.generated
    begun, released = threading.Event(), threading.Event()

    def held(*given: Any, **named: Any) -> Incident:
        begun.set()
        assert released.wait(10), "nobody else was served"
        return really(*given, **named)

    monkeypatch.setattr(draw, "generated", held)
    service = EpisodeService(Catalogue())
    other = await service.create(RP)
    async with anyio.create_task_group() as tasks:
        for task_id in ("root_cause_analysis", "remediation_planning"):
            tasks.start_soon(service.create, Selection(task_id=task_id, seed=1))
        assert await anyio.to_thread.run_sync(begun.wait, 10)
        for _ in range(10):
            await service.step(other.id, LOGS)
        released.set()
    assert (await service.get(other.id)).step_count == 10


async def test_a_generated_incident_is_found_again_from_what_is_stored() -> None:
    store = MemoryStore()
    salted = Catalogue(salt=Salt.of("a secret of some length"))
    opened = await EpisodeService(salted, store).create(Selection(split="private", index=3))
    assert opened.reference.seed is None
    again = await EpisodeService(Catalogue(salt=Salt.of("a secret of some length")), store).get(opened.id)
    assert again.incident.digest == opened.incident.digest
    for stranger in (Catalogue(), Catalogue(salt=Salt.of("another secret of a length"))):
        with pytest.raises(StaleReferenceError, match="salt"):
            await EpisodeService(stranger, store).get(opened.id)


async def test_a_fork_begins_with_the_steps_of_another_episode_and_goes_its_own_way(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    source = await service.create(RP)
    for number, service_name in enumerate(("api-gateway", "postgres-db", "auth-service")):
        await service.step(source.id, parse_action("query_logs", {"service": service_name}), f"request-{number}")
    claim = Claim(source.id, source.incarnation)
    early = await service.fork(claim, 1, "early")
    late = await service.fork(claim)
    assert (early.id, early.step_count, late.step_count) == ("early", 1, 3)
    repair = parse_action("disable_feature_flag", {"flag": "full_history_export"})
    await service.step("early", repair, "request-1")  # request ids are the own ones of each
    assert [step.action.name for step in (await service.get("early")).steps] == ["query_logs", "disable_feature_flag"]
    before = await service.get(source.id)
    assert before.step_count == 3
    assert (await service.get(late.id)).cumulative == before.cumulative


async def test_a_fork_that_cannot_be_made_is_refused_and_changes_nothing(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=2))
    source = await service.create(RP)
    claim = Claim(source.id, source.incarnation)
    with pytest.raises(UnknownStepError, match="has 0 steps; 1 were asked for"):
        await service.fork(claim, 1)
    with pytest.raises(UnknownEpisodeError):
        await service.fork(Claim(source.id, "another"))
    with pytest.raises(EpisodeExistsError):
        await service.fork(claim, fork_id=source.id)
    await service.fork(claim)
    with pytest.raises(CapacityError):
        await service.fork(claim)


async def test_an_episode_is_taken_up_by_its_handle_or_opened_under_it(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    named = RP.model_copy(update={"episode_id": "run-1"})
    opened = await service.resume(named)
    await service.step("run-1", LOGS)
    assert (await service.resume(named)).step_count == 1
    assert (await service.resume(RP)).id != opened.id


async def test_where_episodes_are_kept_long_the_idle_ones_make_room(catalogue: Catalogue) -> None:
    now = 0.0
    service = EpisodeService(catalogue, MemoryStore(lambda: now), Limits(capacity=2, idle_seconds=10, keep_seconds=100))
    first, second = await service.create(RP), await service.create(RP)
    with pytest.raises(CapacityError):
        await service.create(RP)
    now = 9.0
    await service.step(second.id, LOGS)
    now = 11.0
    assert (await service.get(first.id, touch=False)).step_count == 0  # idle, and there is room
    await service.create(RP)
    with pytest.raises(UnknownEpisodeError):
        await service.get(first.id)
    assert (await service.get(second.id, touch=False)).step_count == 1
    now = 200.0
    await service.create(RP)
    with pytest.raises(UnknownEpisodeError):
        await service.get(second.id)


class Diary(Witness):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def note_asked(self, handle: str) -> None:
        self.told.append(("asked", handle))

    def note_opened(self, episode: Episode, *, forked: bool) -> None:
        self.told.append(("forked" if forked else "opened", episode.id, episode.step_count))

    def note_step(self, transition: Transition) -> None:
        self.told.append(("step", transition.episode.id, transition.done))

    def note_closed(self, handle: str) -> None:
        self.told.append(("closed", handle))

    def note_forgotten(self, handle: str) -> None:
        self.told.append(("forgotten", handle))

    def note_made(self, scenario_id: str, seconds: float) -> None:
        assert seconds > 0
        self.told.append(("made", scenario_id))


async def test_witnesses_are_told_what_happens(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=2))
    diary = Diary()
    service.witnesses.append(diary)
    await service.create(Selection(scenario_id="AC-001", episode_id="a"))
    await service.step("a", LOGS, "request-1")
    await service.step("a", LOGS, "request-1")  # the same again is no further step
    await service.fork(Claim("a", ""), fork_id="b")
    await service.step("a", P1)
    await service.create(Selection(scenario_id="AC-001", episode_id="c"))  # takes the room of the one that has ended
    await service.close("c")
    with pytest.raises(UnknownEpisodeError):
        await service.get("nobody")
    told = [entry for entry in diary.told if entry[0] != "asked"]
    assert told == [
        ("opened", "a", 0),
        ("step", "a", False),
        ("forked", "b", 1),
        ("step", "a", True),
        ("forgotten", "a"),
        ("opened", "c", 0),
        ("closed", "c"),
    ]
    assert ("asked", "nobody") in diary.told


async def test_witnesses_are_told_of_generation() -> None:
    service = EpisodeService(Catalogue())
    diary = Diary()
    service.witnesses.append(diary)
    for handle in ("a", "b"):
        await service.create(Selection(scenario_id="GEN1-AC-D1-77", episode_id=handle))
    assert [entry for entry in diary.told if entry[0] == "made"] == [("made", "GEN1-AC-D1-77")]


async def test_no_more_callers_wait_for_incidents_than_may(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(waiting=2))
    seeds = [Selection(seed=81_000_000 + number) for number in range(6)]
    refused: list[BusyError] = []

    async def create(seed: Selection) -> None:
        try:
            await service.create(seed)
        except BusyError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for seed in seeds:
            tasks.start_soon(create, seed)
    assert len(refused) == 3
    assert all(error.kind.status == 503 and "try again" in str(error) for error in refused)
    assert (await service.create(seeds[0])).step_count == 0


async def test_an_episode_that_is_not_kept_computed_is_computed_again(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(folded=1))
    episodes = [await service.create(RP) for _ in range(3)]
    for number in (1, 2):
        for episode in episodes:
            assert (await service.step(episode.id, LOGS)).episode.step_count == number
    assert {(await service.get(episode.id)).step_count for episode in episodes} == {2}
