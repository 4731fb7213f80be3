"""Run inside a copy of the project that has the toys of the surfaces: a client finds and uses them."""

from __future__ import annotations

import sys

import anyio
import httpx2
from mcp import Client

from tests.http_compat.talking import read_answer
from tests.mcp_server.playing import start
from tests.servers import full_server


def main() -> None:
    with full_server() as address:
        with httpx2.Client(base_url=address) as api:
            assert read_answer(api.get("/toy?episode_id=nobodys"), 404)["detail"]
            read_answer(api.post("/reset", json={"scenario_id": "AC-001"}))
            assert read_answer(api.get("/toy")) == {"toys": 0}
            assert "/toy" in read_answer(api.get("/openapi.json"))["paths"]
        anyio.run(read_over_mcp, address)
    sys.stdout.write("used")


async def read_over_mcp(address: str) -> None:
    async with Client(f"{address}/mcp") as client:
        handle = await start(client, "AC-001")
        templates = [template.uri_template for template in (await client.list_resource_templates()).resource_templates]
        assert "incident://{episode_id}/toys" in templates, templates
        answer = await client.read_resource(f"incident://{handle}/toys")
        assert f"{handle}: none" in answer.contents[0].model_dump_json()


if __name__ == "__main__":
    main()
