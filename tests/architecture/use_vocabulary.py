"""Run inside a copy of the project that has the toys of the vocabulary: they are used on every surface."""

from __future__ import annotations

import json
import sys

import anyio
import httpx2
from mcp import Client

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from tests.http_compat.talking import read_answer
from tests.http_compat.test_surfaces import SURFACES, play_in_process
from tests.servers import full_server

SUMMARY = "We drained a node of api-gateway after a look at its traces. Nothing else was done. It did not help."


def main() -> None:
    catalogue = Catalogue()
    authored, generated = catalogue.get("RP-001"), catalogue.get("GEN1-CT-D1-7")
    worked = [
        parse_action("check_traces", {"service": "api-gateway"}),
        parse_action("drain_node", {"service": "api-gateway", "node": "n1"}),
        parse_action("submit_resolution", {"summary": SUMMARY}),
    ]
    counted = [
        parse_action("check_traces", {"service": generated.incident.services[0]}),
        *play_perfectly(generated.incident, generated.task),
    ]
    plays = [(authored, worked), (generated, counted)]
    with full_server() as address:
        for surface, play in SURFACES.items():
            for scenario, actions in plays:
                truth, seen = play_in_process(scenario, actions), play(address, scenario.id, actions)
                assert seen.rewards == truth.rewards, (surface, seen.rewards, truth.rewards)
                assert seen.score == truth.score, (surface, seen.score, truth.score)
                assert seen.agrees(truth), surface
        with httpx2.Client(base_url=address) as api:
            documents = {path: read_answer(api.get(path)) for path in ("/tasks", "/schema", "/openapi.json")}
        tools, guide = anyio.run(list_over_mcp, address)
    documents["the MCP tools"], documents["the on-call guide"] = tools, guide
    for name, document in documents.items():
        for declared in ("check_traces", "drain_node", "submit_census"):
            assert declared in json.dumps(document), (name, declared)
    json.dump({"surfaces": sorted(SURFACES), "census": play_in_process(generated, counted).score}, sys.stdout)


async def list_over_mcp(address: str) -> tuple[list[str], str]:
    async with Client(f"{address}/mcp") as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        guide = await client.read_resource("oncall://guide")
        return tools, guide.contents[0].model_dump_json()


if __name__ == "__main__":
    main()
