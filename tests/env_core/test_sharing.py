"""Several services over one store, as the processes of a server are: what one did, the others know before they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from env_core.reference import Reference, StaleReferenceError
from env_core.selection import Selection
from env_core.service import EpisodeService, RequestIdError
from env_core.stores import Claim, Event, MemoryStore, Opening, UnknownAction, UnknownEpisodeError
from env_core.transition import EpisodeOverError
from scenarios.parsing import InvalidActionError, parse_action

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio

LOGS = parse_action("query_logs", {"service": "api-gateway"})
METRICS = parse_action("check_metrics", {"service": "api-gateway"})
P1 = parse_action("submit_severity", {"severity": "P1"})
RUN = Selection(scenario_id="AC-001", episode_id="run-1")


def pair(catalogue: Catalogue) -> tuple[EpisodeService, EpisodeService]:
    store = MemoryStore()
    return EpisodeService(catalogue, store), EpisodeService(catalogue, store)


async def test_a_request_id_that_another_process_took_is_answered_again_by_any(catalogue: Catalogue) -> None:
    here, there = pair(catalogue)
    await here.create(RUN)
    await here.step("run-1", LOGS, "request-1")
    taken = await there.step("run-1", METRICS, "request-2")
    assert await here.step("run-1", METRICS, "request-2") == taken
    assert await there.step("run-1", LOGS, "request-1") == await here.step("run-1", LOGS, "request-1")
    with pytest.raises(RequestIdError):
        await here.step("run-1", LOGS, "request-2")
    ended = await there.step("run-1", P1, "request-3")
    assert await here.step("run-1", P1, "request-3") == ended
    assert (await here.get("run-1")).step_count == 3


async def test_an_episode_that_ended_elsewhere_is_over_and_one_opened_anew_elsewhere_is_not(
    catalogue: Catalogue,
) -> None:
    here, there = pair(catalogue)
    await here.create(RUN)
    await there.step("run-1", P1)
    with pytest.raises(EpisodeOverError):
        await here.step("run-1", LOGS)
    await there.create(RUN.model_copy(update={"replace": True}))
    assert (await here.step("run-1", LOGS)).episode.step_count == 1


async def test_a_request_id_belongs_to_the_episode_and_not_to_its_handle(catalogue: Catalogue) -> None:
    here, there = pair(catalogue)
    first = await here.create(RUN)
    await here.step("run-1", LOGS, "request-1")
    await there.close("run-1")
    await there.create(RUN)
    assert (await here.step("run-1", METRICS, "request-1")).episode.step_count == 1
    with pytest.raises(UnknownEpisodeError):
        await here.step("run-1", LOGS, "request-2", first.incarnation)
    await there.close("run-1")
    with pytest.raises(UnknownEpisodeError):
        await here.step("run-1", LOGS, "request-3")


async def test_what_is_refused_here_may_be_valid_after_what_happened_elsewhere(catalogue: Catalogue) -> None:
    here, there = pair(catalogue)
    await here.create(RUN)
    slip = parse_action("submit_root_cause", {"service": "api-gateway", "failure_mode": "memory leak"})
    with pytest.raises(InvalidActionError):
        await here.step("run-1", slip)
    await there.close("run-1")
    await there.create(Selection(scenario_id="RCA-001", episode_id="run-1"))
    assert (await here.step("run-1", slip)).done


async def test_steps_of_two_processes_at_once_are_all_taken_once(catalogue: Catalogue) -> None:
    services = pair(catalogue)
    await services[0].create(Selection(scenario_id="RP-001", episode_id="run-1"))
    numbers = range(6)
    async with anyio.create_task_group() as tasks:
        for service in services:
            for number in numbers:
                tasks.start_soon(service.step, "run-1", LOGS, f"request-{number}")
    assert [(await service.get("run-1")).step_count for service in services] == [len(numbers)] * 2


async def test_an_action_that_this_release_does_not_know_stops_its_episode_and_no_other(catalogue: Catalogue) -> None:
    store = MemoryStore()
    service = EpisodeService(catalogue, store)
    known = await service.create(Selection(scenario_id="RP-001", episode_id="known"))
    events = (Event(LOGS), Event(UnknownAction("drain_node", {"node": "n-1"}, "Unknown action_type 'drain_node'.")))
    await store.create(Opening("run-1", known.reference, "incarnation", events=events), 10)
    with pytest.raises(StaleReferenceError, match="does not know its step 2, drain_node"):
        await service.get("run-1")
    with pytest.raises(StaleReferenceError, match="episodes export"):
        await service.step("run-1", LOGS)
    with pytest.raises(StaleReferenceError):
        await service.fork(Claim("run-1", ""))
    assert (await service.step("known", LOGS)).episode.step_count == 1
    await service.close("run-1")


async def test_a_reference_that_this_release_does_not_know_stops_its_episode_and_no_other(catalogue: Catalogue) -> None:
    store = MemoryStore()
    service = EpisodeService(catalogue, store)
    known = (await service.create(Selection(scenario_id="RP-001", episode_id="known"))).reference.dump()
    for written, unknown in (
        ({**known, "hints": 3}, "hints"),
        ({**known, "observation": "summary"}, "observation"),
        ({name: value for name, value in known.items() if name != "digest"}, "digest"),
    ):
        await store.create(Opening("run-1", Reference.read(written), "incarnation"), 10)
        for work in (service.get("run-1"), service.step("run-1", LOGS), service.fork(Claim("run-1", ""))):
            with pytest.raises(StaleReferenceError, match=f"this release does not know .* of {unknown}"):
                await work
        await service.close("run-1")
    assert (await service.step("known", LOGS)).episode.step_count == 1
