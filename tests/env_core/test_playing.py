"""Systems run off the event loop, whatever an episode is asked for."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.stores import Claim, MemoryStore
from scenarios.catalogue import Catalogue
from scenarios.running.shared import SharedRuns

if TYPE_CHECKING:
    from scenarios.running.shared import Orders
    from scenarios.world import Run

pytestmark = pytest.mark.anyio

LOOK = {"action_type": "check_metrics", "parameters": {"service": "auth-service"}}
RESTART = {"action_type": "restart_service", "parameters": {"service": "auth-service"}}


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The threads in which systems have run."""
    seen: set[int] = set()
    get = SharedRuns.get

    def note(self: SharedRuns, orders: Orders, until: int) -> Run:
        seen.add(threading.get_ident())
        return get(self, orders, until)

    monkeypatch.setattr(SharedRuns, "get", note)
    return seen


async def test_steps_folds_and_forks_are_played_off_the_loop(threads: set[int]) -> None:
    catalogue, store = Catalogue(), MemoryStore()
    service = EpisodeService(catalogue, store)
    episode = await service.create(Selection(scenario_id="LIVE-RP-001"))
    for action in (LOOK, RESTART, LOOK):
        await service.step(episode.id, action, request_id=f"r{len(threads)}{action is RESTART}")
    await service.fork(Claim(episode.id, episode.incarnation), 2)
    await EpisodeService(catalogue, store).get(episode.id)
    assert threads
    assert threading.get_ident() not in threads


async def test_steps_that_are_taken_at_once_are_all_taken(threads: set[int]) -> None:
    service = EpisodeService(Catalogue())
    episode = await service.create(Selection(scenario_id="LIVE-RP-001"))
    taken = await asyncio.gather(*(service.step(episode.id, action) for action in (LOOK, RESTART, LOOK, LOOK)))
    assert sorted(step.episode.step_count for step in taken) == [1, 2, 3, 4]
    assert (await service.get(episode.id)).step_count == 4
    assert threading.get_ident() not in threads


async def test_the_same_request_sent_twice_at_once_is_one_step() -> None:
    service = EpisodeService(Catalogue())
    episode = await service.create(Selection(scenario_id="LIVE-RP-001"))
    first, second = await asyncio.gather(*(service.step(episode.id, RESTART, request_id="once") for _ in range(2)))
    assert first.episode.step_count == second.episode.step_count == 1
    assert first.text() == second.text()
