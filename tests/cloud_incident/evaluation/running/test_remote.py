"""Environments on a server: a selection means the same on every surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from cloud_incident.evaluation.agents import AGENTS, Seat
from cloud_incident.evaluation.running import Attempt, RefusedError, play_attempt
from cloud_incident.evaluation.running.environments import InProcess
from cloud_incident.evaluation.running.remote import SURFACES, ServerError
from cloud_incident.evaluation.running.trajectory import dump_trajectory, parse_trajectory
from env_core.selection import Selection
from tests.proved import SHORTEST, name_repair
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server("--training") as address:
        yield address


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("selection", "scenario_id"),
    [
        (Selection(), "AC-001"),
        (Selection(scenario_id="RCA-002", task_id="root_cause_analysis", seed=5), "RCA-002"),
        (Selection(task_id="root_cause_analysis", seed=42, difficulty=2), "GEN1-RCA-D2-42"),
        (Selection(split="curated", index=6, reward_mode="terminal", observation="delta"), "RP-001"),
    ],
)
async def test_a_selection_starts_the_same(address: str, surface: str, selection: Selection, scenario_id: str) -> None:
    environment = SURFACES[surface](address)
    try:
        reply = await environment.reset(selection)
        assert reply.observation["scenario_id"] == scenario_id
        service = reply.observation["known_services"][0]
        taken = await environment.step({"action_type": "query_logs", "parameters": {"service": service}})
        assert (taken.reward == 0.0) is (selection.reward_mode == "terminal")
        assert service in taken.observation["queried_data"]["query_logs"]
    finally:
        await environment.close()


@pytest.mark.parametrize("surface", SURFACES)
async def test_an_episode_that_somebody_reopened_is_not_graded_in_place_of_the_one_that_was_played(
    address: str, surface: str
) -> None:
    environment = SURFACES[surface](address)
    selection, answer = (
        Selection(scenario_id="AC-001"),
        {"action_type": "submit_severity", "parameters": {"severity": "P1"}},
    )
    try:
        await environment.reset(selection)
        assert (await environment.step(answer)).info["grade"]["score"] == 1.0
        handle = (await environment.reset(selection)).observation["episode_id"]
        async with httpx2.AsyncClient(base_url=address) as stranger:
            again = {"episode_id": handle, "scenario_id": "AC-001", "replace": True}
            assert (await stranger.post("/reset", json=again)).is_success
        with pytest.raises(ServerError, match=r"in place of|not there any more"):
            await environment.step(answer)
    finally:
        await environment.close()


@pytest.mark.parametrize("surface", SURFACES)
async def test_what_users_lost_is_told_on_every_surface(address: str, catalogue: Catalogue, surface: str) -> None:
    scenario = catalogue.get(name_repair(SHORTEST))
    attempt = Attempt("oracle", scenario.id)
    told = []
    for environment in (InProcess(catalogue), SURFACES[surface](address)):
        agent = AGENTS["oracle"](Seat(scenario, 0))
        try:
            trajectory = await play_attempt(attempt, scenario, agent, environment)
        finally:
            await environment.close()
        assert parse_trajectory(dump_trajectory(trajectory)) == trajectory
        told.append((trajectory["score"], trajectory["curves"]))
    assert told[0] == told[1]


async def test_over_mcp_no_scenario_is_named_by_its_index(address: str) -> None:
    environment = SURFACES["mcp"](address)
    with pytest.raises(RefusedError, match="named by its id"):
        await environment.reset(Selection(scenario_index=1))


async def test_what_trainers_choose_needs_a_server_launched_for_them() -> None:
    with full_server() as address:
        environment = SURFACES["mcp"](address)
        try:
            with pytest.raises(ServerError, match="`split` is not a parameter of start_drill"):
                await environment.reset(Selection(split="train", index=1))
        finally:
            await environment.close()
