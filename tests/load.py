"""Load: clients that step episodes until the server is gone, and count the steps that were acknowledged.

`python -m tests.load ADDRESS` prints that count when the server has ended.
"""

from __future__ import annotations

import asyncio
import json
import sys

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

CLIENTS = 8
"""Of each kind."""

LOOKS = [
    {"action_type": action, "parameters": {"service": service}}
    for service in ("postgres-db", "api-gateway")
    for action in ("query_logs", "check_metrics", "check_dependencies")
]


async def step_until_the_end(address: str, acknowledged: list[int]) -> None:
    """Step episodes over HTTP until the server is gone; every answer that came was complete."""
    async with httpx2.AsyncClient(base_url=address, timeout=10) as api:
        while True:
            try:
                started_ = await api.post("/reset", json={"scenario_id": "RP-001"})
                named = {"X-Episode-Id": started_.json()["observation"]["episode_id"]}
                for number, look in enumerate(LOOKS, 1):
                    answer = await api.post("/step", json=look, headers=named)
                    assert answer.status_code == 200
                    assert answer.json()["observation"]["step_count"] == number
                    acknowledged[0] += 1
            except httpx2.TransportError:
                return


async def step_until_closed(address: str, acknowledged: list[int], codes: list[int]) -> None:
    """The same over a WebSocket, until the server closes it."""
    try:
        async with connect(address.replace("http", "ws") + "/ws", proxy=None) as socket:
            while True:
                await socket.send('{"type": "reset", "data": {"scenario_id": "RP-001"}}')
                await socket.recv()
                for number, look in enumerate(LOOKS, 1):
                    await socket.send(json.dumps({"type": "step", "data": look}))
                    reply = json.loads(await socket.recv())
                    assert reply["data"]["observation"]["step_count"] == number
                    acknowledged[0] += 1
    except ConnectionClosed as closed:
        codes.append(closed.rcvd.code if closed.rcvd else 0)


async def load(address: str) -> int:
    """How many steps were acknowledged before the server ended."""
    acknowledged = [0]
    codes: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CLIENTS):
            tasks.create_task(step_until_the_end(address, acknowledged))
            tasks.create_task(step_until_closed(address, acknowledged, codes))
    if codes != [1012] * CLIENTS:
        raise RuntimeError(f"WebSockets were closed with {codes}")
    return acknowledged[0]


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(load(sys.argv[1]))}\n")
