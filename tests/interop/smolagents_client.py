"""smolagents with structured output: a scripted model works an incident of each task and is shown all evidence."""

import ast
import sys

from mcp import StdioServerParameters
from smolagents import MCPClient, Model, ToolCallingAgent
from smolagents.models import ChatMessage, ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole
from smolagents.monitoring import LogLevel
from whole_play import check_shown, choose_call, fill_arguments, load_plays

OBSERVATION = "Observation:\n"


class ScriptedModel(Model):
    """Calls the tools of a play, each with every parameter, as smolagents demands."""

    def __init__(self, play):
        super().__init__(model_id="scripted")
        self.play = play
        self.shown = []

    def generate(self, messages, tools_to_call_from=None, **_):
        said = [message.content[0]["text"] for message in messages if message.role == MessageRole.TOOL_RESPONSE]
        assert all(text.startswith(f"{OBSERVATION}{{") for text in said), said[-1]
        self.shown = [ast.literal_eval(text.removeprefix(OBSERVATION))["text"] for text in said]
        name, given = choose_call(self.play, self.shown) or ("final_answer", {"answer": "done"})
        (tool,) = (tool for tool in tools_to_call_from if tool.name == name)
        function = ChatMessageToolCallFunction(name=name, arguments=fill_arguments(tool.inputs, given))
        call = ChatMessageToolCall(id=f"call_{len(said)}", type="function", function=function)
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call])


def work(how, plays):
    with MCPClient(how, {"connect_timeout": 60}, structured_output=True) as tools:
        for play in plays:
            model = ScriptedModel(play)
            agent = ToolCallingAgent(tools, model, max_steps=30, verbosity_level=LogLevel.OFF)
            assert agent.run("Take the pager.") == "done"
            check_shown(play, model.shown)


def main(server, address, plays_file):
    plays = load_plays(plays_file)
    work(StdioServerParameters(command=server, args=["mcp"]), plays)
    work({"url": f"{address}/mcp", "transport": "streamable-http"}, plays)
    print(f"smolagents, structured output: {len(plays)} incidents over stdio and HTTP, all evidence shown")


main(*sys.argv[1:])
