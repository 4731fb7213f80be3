"""fastmcp's client plays an incident of each task by what it has as data: over stdio, streamable HTTP and SSE."""

import asyncio
import sys

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from whole_play import check_shown, choose_call, load_plays


async def work(transport, plays):
    async with Client(transport, init_timeout=60) as client:
        for play in plays:
            shown = []
            while chosen := choose_call(play, shown):
                result = await client.call_tool(*chosen)
                shown.append(result.data["text"])
            check_shown(play, shown)
            assert result.data["grade"]["score"] == 1.0


async def main(server, address, plays_file):
    plays = load_plays(plays_file)
    await work(StdioTransport(server, ["mcp"]), plays)
    await work(StreamableHttpTransport(f"{address}/mcp"), plays)
    await work(SSETransport(f"{address}/sse"), plays)
    print(f"fastmcp's client: {len(plays)} incidents over stdio, HTTP and SSE, all evidence in result.data")


asyncio.run(main(*sys.argv[1:]))
