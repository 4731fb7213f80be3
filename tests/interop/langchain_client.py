"""LangChain: a scripted model starts and works an incident of each task, over stdio in one session and over HTTP."""

import asyncio
import sys

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from whole_play import check_shown, choose_call, load_plays


class ScriptedModel(BaseChatModel):
    """Calls the tools of a play."""

    play: dict

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, *_, **__):
        return self

    def _generate(self, messages, *_, **__):
        shown = read_shown(messages)
        chosen = choose_call(self.play, shown)
        calls = [] if chosen is None else [{"name": chosen[0], "args": chosen[1], "id": f"call_{len(shown)}"}]
        return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=calls))])


def read_shown(messages):
    return [message.text for message in messages if isinstance(message, ToolMessage)]


async def work(tools, plays):
    for play in plays:
        agent = create_agent(ScriptedModel(play=play), tools)
        state = await agent.ainvoke({"messages": [("user", "Take the pager.")]}, {"recursion_limit": 100})
        check_shown(play, read_shown(state["messages"]))


async def main(server, address, plays_file):
    plays = load_plays(plays_file)
    client = MultiServerMCPClient(
        {
            "process": {"transport": "stdio", "command": server, "args": ["mcp"]},
            "server": {"transport": "streamable_http", "url": f"{address}/mcp"},
        }
    )
    async with client.session("process") as session:
        await work(await load_mcp_tools(session), plays)
    print(f"LangChain over stdio, one session: {len(plays)} incidents from start to score")
    await work(await client.get_tools(server_name="server"), plays)
    print(f"LangChain over HTTP, a session per call: {len(plays)} incidents from start to score")


asyncio.run(main(*sys.argv[1:]))
