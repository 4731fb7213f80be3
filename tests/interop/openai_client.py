"""The OpenAI Agents SDK with strict schemas: a scripted model starts and works an incident of each task."""

import asyncio
import json
import sys

from agents import Agent, Model, ModelResponse, Runner, Usage, set_tracing_disabled
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from whole_play import check_shown, choose_call, fill_arguments, load_plays


class StrictModel(Model):
    """Calls the tools of a play, each with all that its strict schema requires."""

    def __init__(self, play):
        self.play = play
        self.shown = []

    async def get_response(self, *, tools, **asked):
        said = [] if isinstance(asked["input"], str) else asked["input"]
        self.shown = [read_text(item["output"]) for item in said if item.get("type") == "function_call_output"]
        return ModelResponse(output=[self.say(tools)], usage=Usage(), response_id=None)

    def say(self, tools):
        number = len(self.shown)
        chosen = choose_call(self.play, self.shown)
        if chosen is None:
            done = ResponseOutputText(type="output_text", text="done", annotations=[])
            return ResponseOutputMessage(
                id="message", type="message", role="assistant", status="completed", content=[done]
            )
        (tool,) = (tool for tool in tools if tool.name == chosen[0])
        schema = tool.params_json_schema
        assert tool.strict_json_schema, f"{tool.name} has no strict schema"
        assert set(schema["required"]) == set(schema["properties"])
        arguments = json.dumps(fill_arguments(schema["properties"], chosen[1]))
        return ResponseFunctionToolCall(
            type="function_call", call_id=f"call_{number}", name=tool.name, arguments=arguments
        )

    def stream_response(self, *_, **__):
        raise NotImplementedError


def read_text(output):
    (part,) = output
    return part["text"]


async def work(connection, plays):
    async with connection as server:
        for play in plays:
            model = StrictModel(play)
            agent = Agent(
                "responder", model=model, mcp_servers=[server], mcp_config={"convert_schemas_to_strict": True}
            )
            tools = await agent.get_mcp_tools(None)
            assert all(tool.strict_json_schema for tool in tools)
            await Runner.run(agent, "Take the pager.", max_turns=30)
            check_shown(play, model.shown)


async def main(server, address, plays_file):
    set_tracing_disabled(True)
    plays = load_plays(plays_file)
    await work(MCPServerStdio({"command": server, "args": ["mcp"]}, client_session_timeout_seconds=60), plays)
    await work(MCPServerStreamableHttp({"url": f"{address}/mcp"}, client_session_timeout_seconds=60), plays)
    print(f"OpenAI Agents SDK, strict schemas: {len(plays)} incidents over stdio and HTTP, from start to score")


asyncio.run(main(*sys.argv[1:]))
