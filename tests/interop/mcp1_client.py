"""A client on the MCP SDK 1.x plays all nine scenarios over stdio, streamable HTTP and SSE.

It sends what careless models write: null for each parameter that is left out, and numbers as text.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


@asynccontextmanager
async def over_http(address):
    async with streamablehttp_client(f"{address}/mcp") as (reading, writing, _):
        yield reading, writing


async def play(transport, plays):
    async with transport as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        listed = {tool.name: tool.inputSchema["properties"] for tool in (await session.list_tools()).tools}

        async def call_tool(name, arguments):
            arguments = {"difficulty": 0, "page": 1, **arguments}
            given = {parameter: arguments.get(parameter) for parameter in listed[name]}
            texts = {parameter: str(value) for parameter, value in given.items() if isinstance(value, int)}
            return await session.call_tool(name, {**given, **texts})

        for scenario in plays:
            started = await call_tool("start_drill", {"incident": scenario["scenario_id"]})
            handle = started.structuredContent["episode_id"]
            for call in scenario["calls"]:
                result = await call_tool(call["tool"], {**call["arguments"], "episode_id": handle})
                assert (call["evidence"] or "") in result.content[0].text, (scenario["scenario_id"], call["tool"])
            assert result.structuredContent["grade"]["score"] == 1.0


async def main(server, address, plays_file):
    plays = json.load(open(plays_file))
    await play(stdio_client(StdioServerParameters(command=server, args=["mcp"])), plays)
    print("mcp 1.x over stdio: nine scenarios, 1.0 each")
    await play(over_http(address), plays)
    print("mcp 1.x over streamable HTTP: nine scenarios, 1.0 each")
    await play(sse_client(f"{address}/sse"), plays)
    print("mcp 1.x over SSE: nine scenarios, 1.0 each")


asyncio.run(main(*sys.argv[1:]))
