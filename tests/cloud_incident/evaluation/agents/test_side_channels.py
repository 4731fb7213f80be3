"""An agent that reads everything but the evidence, on REST and over MCP, earns no more than any other cheat."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

import pytest
from mcp import Client

from cloud_incident.evaluation.agents import EXPLOITS
from cloud_incident.evaluation.agents.cheats import SideChannels
from env_core.service import EpisodeService
from mcp_server import build_server
from tests.cloud_incident.evaluation.agents.test_agents import TASKS, played
from tests.http_compat.test_secrecy import everything as told_by_rest
from tests.mcp_server.playing import start
from tests.mcp_server.test_secrecy import fetch_everything as told_by_mcp
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.catalogue import Catalogue, Scenario

pytestmark = pytest.mark.anyio

CEILINGS = EXPLOITS["side-channels"][1]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


async def earned(address: str, scenario: Scenario, catalogue: Catalogue) -> float:
    async with Client(build_server(EpisodeService(catalogue), version="test")) as client:
        handle = await start(client, scenario.id)
        texts = sorted(told_by_rest(address, scenario) | await told_by_mcp(client, handle))
    _, score, _ = await played(lambda seat: SideChannels(seat, texts), scenario, catalogue)
    return score


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
async def test_what_the_surfaces_give_away_is_worth_nothing(address: str, task: str, catalogue: Catalogue) -> None:
    scores = [await earned(address, catalogue.get(one), catalogue) for one in TASKS[task]]
    if task == "alert_classification":
        assert mean(scores) <= CEILINGS.without_evidence
    else:
        assert max(scores) <= CEILINGS.get(catalogue.get(TASKS[task][0]).task.id)
