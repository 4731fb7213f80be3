"""OpenEnv's client in a program that blocks: no ping is answered meanwhile, or its connection breaks off.

Usage: blocked_client.py SERVER_ADDRESS IMPATIENT_ADDRESS PLAYS SECONDS

It blocks for so many seconds with an episode of the first server, which must not mind. The second server gives it up
after a moment; then the episode goes on by its handle, over REST and over another WebSocket.
"""

import asyncio
import json
import sys
import time

import requests
from openenv.core.generic_client import GenericEnvClient
from websockets.exceptions import ConnectionClosed

IMPATIENT_SECONDS = 4


async def take(env, calls):
    for call in calls:
        result = await env.step(to_action(call))
    return result


def to_action(call):
    return {"action_type": call["tool"], "parameters": call["arguments"]}


def step_over_rest(address, handle, call):
    reply = requests.post(f"{address}/step", json=to_action(call), headers={"X-Episode-Id": handle}, timeout=10)
    assert reply.status_code == 200, reply.text


async def block(address, play, seconds):
    """No ping is answered for a while, and the episode goes on."""
    async with GenericEnvClient(base_url=address) as env:
        await env.reset(scenario_id=play["scenario_id"])
        await take(env, play["calls"][:1])
        time.sleep(seconds)  # noqa: ASYNC251 - a model is called without awaiting it
        ended = await take(env, play["calls"][1:])
    assert ended.metadata["grade"]["score"] == 1.0


async def lose(address, play, break_off, handle):
    """The connection breaks off, and the episode goes on by its handle."""
    first, second, *rest = play["calls"]
    env = GenericEnvClient(base_url=address)
    await env.connect()
    await env.reset(scenario_id=play["scenario_id"], episode_id=handle)
    await take(env, [first])
    break_off(env)
    try:
        await take(env, [second])
    except (ConnectionClosed, RuntimeError):
        pass
    else:
        raise AssertionError("the connection did not break off")
    step_over_rest(address, handle, second)
    async with GenericEnvClient(base_url=address) as again:
        resumed = await again.reset(episode_id=handle, resume=True)
        assert resumed.observation["step_count"] == 2
        ended = await take(again, rest)
    assert ended.metadata["grade"]["score"] == 1.0


async def main(address, impatient, plays_file, seconds):
    with open(plays_file) as file:
        play = next(play for play in json.load(file) if play["scenario_id"] == "RP-001")
    await lose(address, play, lambda env: env._ws.transport.abort(), "cut-off")
    await lose(impatient, play, lambda _: time.sleep(IMPATIENT_SECONDS), "given-up")
    print("OpenEnv's client: a connection broke off, another was given up; each episode went on by its handle")
    await block(address, play, float(seconds))
    print(f"OpenEnv's client: it answered no ping for {seconds} s and went on")


asyncio.run(main(*sys.argv[1:]))
