"""A play by every door of a server, so that there is something to see of each."""

from __future__ import annotations

import httpx2
from mcp import Client
from mcp.client.sse import sse_client

from tests.http_compat.talking import ANSWER, QUERY, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, start

SEED = 41
"""Of the incident that is generated."""


async def play_by_every_door(address: str) -> None:
    """Open, step, end, fork, close and refuse over REST, WebSocket, JSON-RPC, MCP and SSE, and generate an incident."""
    with httpx2.Client(base_url=address) as api:
        play_over_rest(api)
        with open_talk(address) as talk:
            talk.reset(scenario_id="AC-001")
            talk.step(QUERY)
            talk.step(ANSWER)
            talk.expect_error({"type": "no such type"})
        read_answer(api.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        agent_url = read_answer(api.post("/reset", json={"scenario_id": "AC-002"}))["info"]["agent_url"]
    for era in (MODERN, LEGACY):
        async with Client(f"{address}/mcp", mode=era) as client:
            await _play_by_tools(client)
        async with Client(agent_url, mode=era) as agent:
            await agent.call_tool("query_logs", {"service": "api-gateway"})
    async with Client(sse_client(f"{address}/sse"), mode=LEGACY) as client:
        await _play_by_tools(client)


def play_over_rest(api: httpx2.Client) -> str:
    """Two steps of AC-001 and its end, a fork, a closed episode, a refusal; the handle of the ended one."""
    handle: str = read_answer(api.post("/reset", json={"scenario_id": "AC-001"}))["observation"]["episode_id"]
    named = {"episode_id": handle}
    read_answer(api.post("/step", params=named, json=QUERY))
    fork = read_answer(api.post("/fork", json={**named, "after": 1}))["observation"]["episode_id"]
    read_answer(api.post("/step", params=named, json={"action_type": "no such action"}), 422)
    read_answer(api.post("/step", params=named, json=ANSWER))
    read_answer(api.get("/grader", params=named))
    read_answer(api.post("/close", json={"episode_id": fork}))
    read_answer(api.get("/no such path"), 404)
    read_answer(api.post("/reset", json={"task_id": "alert_classification", "seed": SEED, "difficulty": 1}))
    return handle


async def _play_by_tools(client: Client) -> None:
    handle = await start(client, "AC-003")
    await client.call_tool("query_logs", {"service": "api-gateway", "episode_id": handle})
    await client.call_tool("no_such_tool", {})
