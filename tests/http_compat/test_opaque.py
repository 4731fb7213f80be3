"""With a salt nothing that is fetched of a generated incident tells which it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from mcp import Client

from cloud_incident.settings.sources import InvalidSettingsError
from env_core.perfect import play_perfectly
from mcp_server.meta import AGENT_URL
from scenarios.catalogue import Catalogue
from scenarios.generator.ids import OpaqueIds
from scenarios.generator.salt import Salt
from tests.http_compat.talking import open_talk, read_answer
from tests.mcp_server.playing import MODERN, read_numbers
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct horse battery staple"  # noqa: S105 - of the test's own server
SALT = Salt.of(SECRET)
CHOICE: dict[str, Any] = {"split": "private", "index": 11, "difficulty": 4}
"""The tasks take turns by index: this is remediation_planning."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server("--training", CLOUD_INCIDENT_SALT=SECRET) as address:
        yield address


def list_secrets() -> list[str]:
    """What would tell which incident it is, or the salt."""
    catalogue = Catalogue(salt=SALT)
    entry = catalogue.entry_in(CHOICE["split"], None, CHOICE["index"], CHOICE["difficulty"])
    name = OpaqueIds(SALT).parse(entry.id)
    assert name is not None
    others = [catalogue.entry_in(CHOICE["split"], "root_cause_analysis", CHOICE["index"]).id]
    return [str(name.seed), f"{name.seed:x}", SECRET, SECRET.split()[0], "GEN1", "gx1-", *others]


def test_over_rest_and_websockets(address: str) -> None:
    scenario = Catalogue(salt=SALT).in_split(CHOICE["split"], None, CHOICE["index"], CHOICE["difficulty"])
    fetched: list[Any] = []
    with httpx2.Client(base_url=address) as api:
        started = read_answer(api.post("/reset", json=CHOICE))
        assert started["observation"]["scenario_id"] == scenario.id
        assert started["info"]["seed"] is None
        fetched.append(started)
        for action in play_perfectly(scenario.incident, scenario.task):
            fetched += [read_answer(api.post("/step", json=action.dump())), read_answer(api.get("/state"))]
        graded = read_answer(api.get("/grader"))
        assert graded["score"] == 1.0
        fetched += [graded, *(read_answer(api.get(f"/{path}")) for path in ("evidence", "metadata", "schema", "tasks"))]
        for forged in ("GEN1-RP-D4-7", "GX1-AAAAAAAAAAAAAAAAAAAAAAAAAA", scenario.incident.id):
            refused = read_answer(api.post("/reset", json={"scenario_id": forged}), 404)["detail"]
            assert "Unknown scenario" in refused
            fetched.append(refused.replace(forged, ""))
        spec = read_answer(api.post("/cloud-incident/task", json={"split": "private", "index": 11}))["task"]
        assert spec["id"].startswith("GX1-")
        assert "private" in read_answer(api.post("/reset", json={"split": "nowhere", "index": 1}), 404)["detail"]
    with open_talk(address) as talk:
        fetched += [talk.reset(scenario_id=scenario.id.lower()), talk.state()]
    text = json.dumps(fetched)
    assert scenario.id in text
    for word in list_secrets():
        assert word not in text, word


def test_over_mcp_as_operator_and_as_agent(address: str) -> None:
    async def everything() -> str:
        fetched: list[Any] = []
        async with Client(f"{address}/mcp", mode=MODERN) as client:
            started = await client.call_tool("start_drill", CHOICE)
            handle = read_numbers(started)["episode_id"]
            agent_url = (started.meta or {})[AGENT_URL]
            fetched += [started, await client.call_tool("show_drill", {"episode_id": handle})]
        async with Client(agent_url, mode=MODERN) as agent:
            resources = await agent.list_resources()
            fetched += [await agent.read_resource(resource.uri) for resource in resources.resources]
            fetched += [await agent.call_tool("query_logs", {"service": "nowhere"}), await agent.list_tools()]
        return "\n".join(map(str, fetched))

    text = anyio.run(everything)
    assert "GX1-" in text
    for word in list_secrets():
        assert word not in text, word


def test_a_short_salt_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidSettingsError, match="needs 16") as refused, full_server(CLOUD_INCIDENT_SALT="hunter2"):
        pass
    assert "hunter2" not in str(refused.value)
