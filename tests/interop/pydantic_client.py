"""Pydantic AI with a scripted model: an agent under test works RP-001 and reads the evidence in structured content."""

import asyncio
import json
import sys

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel


def reads_as(call, text):
    """Whether a result is the text of a call; the first one over stdio says in addition that the incident began."""
    return text.split("\n\nThis incident began when this server process started.")[0] == call["text"]


async def pydantic_ai(server, scenario):
    seen = []

    def scripted(messages, _):
        seen.extend(part.content["text"] for part in messages[-1].parts if isinstance(part, ToolReturnPart))
        if len(seen) == len(scenario["calls"]):
            return ModelResponse(parts=[TextPart("done")])
        call = scenario["calls"][len(seen)]
        return ModelResponse(parts=[ToolCallPart(call["tool"], call["arguments"])])

    transport = StdioTransport(server, ["mcp", "--profile", "agent", "--scenario", scenario["scenario_id"]])
    toolset = MCPToolset(transport, init_timeout=60)
    agent = Agent(FunctionModel(scripted), toolsets=[toolset])
    async with agent:
        await agent.run("Work the incident.")
    assert all(map(reads_as, scenario["calls"], seen)), seen[:1]


async def main(server, _, plays_file):
    scenario = next(one for one in json.load(open(plays_file)) if one["scenario_id"] == "RP-001")
    await pydantic_ai(server, scenario)
    print("Pydantic AI, agent profile: RP-001 played, every text read in structured content")


asyncio.run(main(*sys.argv[1:]))
