"""OpenEnv's own clients play every scenario: asynchronous and synchronous, over messages and over MCP tools."""

import asyncio
import json
import sys

import requests
from openenv.core.env_server.mcp_types import CallToolAction
from openenv.core.generic_client import GenericEnvClient
from openenv.core.mcp_client import MCPToolClient


def check(play, index, result):
    """A step's observation is what the play in process showed."""
    call = play["calls"][index]
    shown = result.observation
    assert result.reward == call["reward"], (play["scenario_id"], index, result.reward)
    assert shown["step_count"] == index + 1
    if call["evidence"] is not None:
        assert shown["queried_data"][call["tool"]][call["arguments"]["service"]] == call["evidence"]


def ended(play, result):
    assert result.done
    assert result.metadata["grade"]["score"] == play["score"] == 1.0
    assert result.metadata["terminated"]


def action(call):
    return {"action_type": call["tool"], "parameters": call["arguments"]}


async def asynchronous(address, plays):
    async with GenericEnvClient(base_url=address) as env:
        assert (await env.state())["step_count"] == 0
        for play in plays:
            handle = f"async-{play['scenario_id']}"
            first = await env.reset(scenario_id=play["scenario_id"], seed=7, episode_id=handle)
            assert first.reward == 0.0
            assert not first.done
            assert (await env.state())["episode_id"] == first.observation["episode_id"] == handle
            for index, call in enumerate(play["calls"]):
                result = await env.step(action(call))
                check(play, index, result)
                assert (await env.state())["step_count"] == index + 1
            ended(play, result)


def synchronous(address, plays):
    with GenericEnvClient(base_url=address).sync() as env:
        for play in plays:
            env.reset(scenario_id=play["scenario_id"])
            for index, call in enumerate(play["calls"]):
                result = env.step(action(call))
                check(play, index, result)
            ended(play, result)


async def tools(address, plays):
    """One session, two ways in: tools over HTTP, reset and state over the WebSocket attached to it."""
    async with MCPToolClient(base_url=address) as env:
        names = {tool.name for tool in await env.list_tools()}
        assert len(names) == 14
        for play in plays:
            await env.reset(scenario_id=play["scenario_id"])
            for index, call in enumerate(play["calls"]):
                data = await env.call_tool(call["tool"], **call["arguments"])
                assert data["text"] == call["text"]
                assert data["reward"] == call["reward"]
                assert (await env.state()).step_count == index + 1
            assert data["done"]
            assert data["grade"]["score"] == play["score"]
        await env.reset(scenario_id="RP-001")
        call = next(play for play in plays if play["scenario_id"] == "RP-001")["calls"][0]
        result = await env.step(CallToolAction(tool_name=call["tool"], arguments=call["arguments"]))
        assert result.observation.result["data"]["text"] == call["text"]
        assert result.reward == call["reward"]
        refused = await env.step(CallToolAction(tool_name="nonsense", arguments={}))
        assert refused.observation.error.error_type.value == "tool_not_found"


def task_api(address, plays):
    """What the Task API lists is what can be started and played."""
    (name,) = requests.get(f"{address}/list_environments", timeout=5).json()
    base = f"{address}/{name}"
    splits = {one["name"]: one["type"] for one in requests.get(f"{base}/splits", timeout=5).json()}
    assert all(splits[name] == name for name in ("train", "validation", "test"))
    split = "curated"
    ask = lambda path, **body: requests.post(f"{base}/{path}", json={"split": split, **body}, timeout=5).json()  # noqa: E731
    count = ask("num_tasks")["num_tasks"]
    tasks = ask("tasks")["tasks"]
    assert ask("task_range", start=0, stop=count)["tasks"] == tasks
    by_id = {play["scenario_id"]: play for play in plays}
    assert [task["id"] for task in tasks] == list(by_id)
    with GenericEnvClient(base_url=address).sync() as env:
        for index in range(count):
            task = ask("task", index=index)["task"]
            assert task == tasks[index]
            play = by_id[task["id"]]
            assert env.reset(**task["reset"]).observation["scenario_id"] == task["id"]
            for call in play["calls"]:
                result = env.step(action(call))
            ended(play, result)


def main(address, plays_file):
    plays = json.load(open(plays_file))
    asyncio.run(asynchronous(address, plays))
    synchronous(address, plays)
    asyncio.run(tools(address, plays))
    task_api(address, plays)
    print(f"OpenEnv's clients: {len(plays)} scenarios, four ways, as in process")


main(*sys.argv[1:])
