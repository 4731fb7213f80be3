"""A full server, and then churn for a long time: memory, threads and handles stay, and steps stay quick.

`scripts/soak [MINUTES [EPISODES]]` opens 10,000 episodes on one process, reports its memory and the time of a step, and
opens more, which are refused. Then clients open, step, finish and abandon episodes over every door for the minutes, and
come back to some of them.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from tests.interop.workers_check import Client
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scenarios.vocabulary import Action

MINUTES = 30.0
EPISODES = 10_000
BEYOND = 100
"""Episodes that are asked for when the server is full."""
CLIENTS = 24
OPENERS = 16
STEPS = 4_000
"""Steps whose time is taken on the full server."""
_STRIDE = 7919
"""A prime, so that the steps go to episodes all over the place."""
SAMPLES = 40
"""How often the process is looked at during the churn."""
IDLE_SECONDS = 20
"""After how many seconds the server may forget what nobody uses: a soak has to see many of those."""
GROWTH = {"memory": 16.0, "threads": 2, "handles": 8, "sockets": 8}
"""What the last quarter may have more than the second one, in MB and counts."""

_LEGACY = "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\n"
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}},
}
_NAME, _SERVICE = "query_logs", {"service": "api-gateway"}
_LOOK = {"action_type": _NAME, "parameters": _SERVICE}
_CALL = {"name": _NAME, "arguments": _SERVICE}


@dataclass(frozen=True)
class Look:
    """What a process has at a moment; memory in MB."""

    memory: float
    threads: int
    handles: int
    sockets: int

    @classmethod
    def at(cls, pid: int) -> Look:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
        links = [_read_link(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        sockets = sum(link.startswith("socket:") for link in links)
        fields = {key: int(status.split(f"{key}:")[1].split()[0]) for key in ("VmRSS", "Threads")}
        return cls(fields["VmRSS"] / 1024, fields["Threads"], len(links) - sockets, sockets)


def _read_link(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # it was closed meanwhile
        return ""


@dataclass
class Churn:
    """Clients that come and go until a deadline, and what they met. `faults` are answers that nobody should get."""

    port: int
    seconds: float
    rounds: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        scenarios = Catalogue().scenarios.values()
        self._plays = [(each.id, tuple(play_perfectly(each.incident, each.task))) for each in scenarios]

    async def run(self) -> None:
        """Come and go until the time is over."""
        deadline = time.monotonic() + self.seconds
        doors = (
            self._rest,
            self._abandon,
            self._socket,
            self._break_off,
            self._modern,
            self._legacy,
            self._sse,
            self._rpc,
        )

        async def come_and_go(number: int) -> None:
            draw = random.Random(number)  # noqa: S311 - it is to be the same each time
            while time.monotonic() < deadline:
                door = draw.choice(doors)
                await self._try(door, draw)

        await asyncio.gather(*map(come_and_go, range(CLIENTS)))

    async def _try(self, door: Callable[[Client, random.Random], Awaitable[None]], draw: random.Random) -> None:
        client = Client(self.port, kept=True)
        name = door.__name__.strip("_")
        try:
            async with asyncio.timeout(60):
                await door(client, draw)
            self.rounds[name] = self.rounds.get(name, 0) + 1
        except Exception as error:
            if "no_capacity" in str(error) or "in use" in str(error):
                self.refused += 1
            else:
                self.faults.append(f"{name}: {type(error).__name__} {error}"[:300])
        finally:
            client.close()

    def _draw(self, draw: random.Random) -> tuple[str, tuple[Action, ...]]:
        return draw.choice(self._plays)

    async def _reset(self, client: Client, scenario_id: str) -> str:
        reply = await client.ask("POST", "/reset", {"scenario_id": scenario_id})
        return str(reply["observation"]["episode_id"])

    async def _rest(self, client: Client, draw: random.Random) -> None:
        scenario_id, actions = self._draw(draw)
        handle = await self._reset(client, scenario_id)
        for action in actions:
            await client.ask("POST", f"/step?episode_id={handle}", action.dump())
        graded = await client.ask("GET", f"/grader?episode_id={handle}")
        if graded["score"] != 1.0:
            self.faults.append(f"{scenario_id} scored {graded['score']}")
        if draw.random() < 0.5:
            await client.ask("POST", "/close", {"episode_id": handle})

    async def _abandon(self, client: Client, draw: random.Random) -> None:
        handle = await self._reset(client, self._draw(draw)[0])
        client.close()  # and comes back over another connection
        await client.ask("POST", f"/step?episode_id={handle}", _LOOK)

    async def _socket(self, _: Client, draw: random.Random) -> None:
        scenario_id, actions = self._draw(draw)
        async with connect(f"ws://127.0.0.1:{self.port}/ws", proxy=None, compression=None) as socket:
            await _say(socket, {"type": "reset", "data": {"scenario_id": scenario_id}})
            for action in actions:
                reply = await _say(socket, {"type": "step", "data": action.dump()})
        if reply["data"]["metadata"]["grade"]["score"] != 1.0:
            self.faults.append(f"{scenario_id} over a WebSocket: {reply}"[:300])

    async def _break_off(self, _: Client, draw: random.Random) -> None:
        start: dict[str, Any] = {"scenario_id": self._draw(draw)[0]}
        for _time in range(draw.choice((1, 2))):  # some never come back
            async with connect(f"ws://127.0.0.1:{self.port}/ws", proxy=None, compression=None) as socket:
                reply = await _say(socket, {"type": "reset", "data": start})
                await _say(socket, {"type": "step", "data": _LOOK})
                socket.transport.abort()
            start = {"episode_id": reply["data"]["observation"]["episode_id"], "resume": True}

    async def _modern(self, client: Client, draw: random.Random) -> None:
        scenario_id, actions = self._draw(draw)
        handle = await self._reset(client, scenario_id)
        for action in actions:
            await client.call(action, handle)
        await client.ask("POST", "/close", {"episode_id": handle})

    async def _legacy(self, client: Client, draw: random.Random) -> None:
        opened = await client.ask("POST", "/reset", {"scenario_id": self._draw(draw)[0]})
        handle, url = opened["observation"]["episode_id"], opened["info"]["agent_url"]
        path = draw.choice(("/mcp", urlsplit(url).path))
        named = {"episode_id": handle} if path == "/mcp" else {}
        await client.ask("POST", path, _INITIALIZE, _LEGACY)
        session = f"{_LEGACY}Mcp-Session-Id: {client.session}\r\n"
        params = {"name": _NAME, "arguments": {**_SERVICE, **named}}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
        await client.ask("POST", path, call, session)
        match draw.randrange(3):  # the third one says nothing
            case 0:
                await client.ask("DELETE", path, headers=session)
            case 1:
                await client.ask("POST", "/close", {"episode_id": handle})

    async def _sse(self, client: Client, draw: random.Random) -> None:
        handle = await self._reset(client, self._draw(draw)[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"GET /sse HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
            found = re.search(
                rb"(/messages/\?session_id=\w+)", await reader.readuntil(b"session_id=") + await reader.readline()
            )
            if found is None:
                raise RuntimeError("SSE: no endpoint")
            path = found[1].decode()
            for message in (
                _INITIALIZE,
                {"jsonrpc": "2.0", "method": "notifications/initialized"},
                {
                    "jsonrpc": "2.0",
                    "id": 2,
                    "method": "tools/call",
                    "params": {"name": _NAME, "arguments": {**_SERVICE, "episode_id": handle}},
                },
            ):
                await client.ask("POST", path, message)
            await reader.readuntil(b'"id":2')
        finally:
            writer.close()
        await client.ask("POST", "/close", {"episode_id": handle})

    async def _rpc(self, client: Client, draw: random.Random) -> None:
        create = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "openenv/session/create",
            "params": {"scenario_id": self._draw(draw)[0]},
        }
        session = (await client.ask("POST", "/mcp", create))["result"]
        await client.ask(
            "POST", "/mcp", {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {**_CALL, **session}}
        )
        if draw.random() < 0.7:
            await client.ask(
                "POST", "/mcp", {"jsonrpc": "2.0", "id": 3, "method": "openenv/session/close", "params": session}
            )


async def _say(socket: Any, message: Any) -> Any:
    await socket.send(json.dumps(message))
    reply = json.loads(await socket.recv())
    if reply["type"] == "error":
        raise RuntimeError(f"WebSocket: {reply['data']}")
    return reply


async def fill(port: int, episodes: int, pid: int) -> list[str]:
    """Open that many episodes, time steps among them, and ask for more; the faults."""
    clients = [Client(port, kept=True) for _ in range(OPENERS)]
    before = Look.at(pid)
    marks: list[float] = []
    plays = [scenario.id for scenario in Catalogue().scenarios.values()]

    async def open_some(index: int) -> None:
        for number in range(index, episodes, OPENERS):
            body = {"scenario_id": plays[number % len(plays)], "episode_id": f"open-{number}"}
            await clients[index].ask("POST", "/reset", body)
            if (number + 1) * 4 % episodes == 0:
                marks.append(Look.at(pid).memory)

    await asyncio.gather(*map(open_some, range(OPENERS)))
    full = Look.at(pid)
    each = (full.memory - before.memory) / episodes * 1024
    print(
        f"{episodes} open episodes: {full.memory:.0f} MB, {each:.1f} KB each; after each quarter "
        f"{', '.join(f'{mark:.0f}' for mark in sorted(marks))} MB",
        flush=True,
    )
    times = []
    for number in range(STEPS):
        handle = f"open-{number * _STRIDE % episodes}"
        began = time.perf_counter()
        await clients[0].ask("POST", f"/step?episode_id={handle}", _LOOK)
        times.append((time.perf_counter() - began) * 1e3)
    cuts = statistics.quantiles(times, n=100)
    print(
        f"a step on the full server, {STEPS} of random episodes by one client: "
        f"median {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, longest {max(times):.1f} ms; "
        f"{Look.at(pid).memory:.0f} MB afterwards",
        flush=True,
    )
    statuses: Counter[int] = Counter()
    for number in range(BEYOND):
        statuses[(await clients[0].hear("POST", "/reset", {"episode_id": f"beyond-{number}"}))[0]] += 1
    probes = {path: (await clients[0].hear("GET", path))[0] for path in ("/ready", "/ready?running=true", "/health")}
    print(f"{BEYOND} more are answered with {dict(statuses)}; {probes}", flush=True)
    faults = [] if set(statuses) <= {503, 429} else [f"beyond the bound: {statuses}"]
    for client in clients:
        client.close()
    return faults


async def soak(port: int, pid: int, minutes: float) -> list[str]:
    """Churn for some minutes and look at the process meanwhile; the faults."""
    churn = Churn(port, minutes * 60)
    looks: list[Look] = []

    async def look_at() -> None:
        for _ in range(SAMPLES):
            await asyncio.sleep(churn.seconds / SAMPLES)
            looks.append(Look.at(pid))

    await asyncio.gather(churn.run(), look_at())
    await asyncio.sleep(1)
    rounds = sum(churn.rounds.values())
    print(
        f"{minutes:g} minutes of churn: {rounds} rounds, {rounds / churn.seconds:.0f} a second "
        f"({', '.join(f'{name} {count}' for name, count in sorted(churn.rounds.items()))}), {churn.refused} refused"
    )
    faults = churn.faults[:5]
    quarters = [looks[index * SAMPLES // 4 : (index + 1) * SAMPLES // 4] for index in range(4)]
    for name, most in GROWTH.items():
        means = [statistics.fmean(getattr(each, name) for each in quarter) for quarter in quarters]
        print(
            f"  {name:8} {', '.join(f'{mean:.1f}' for mean in means)} in the four quarters; at the end "
            f"{getattr(Look.at(pid), name):.1f}"
        )
        if means[3] - means[1] > most:
            faults.append(f"{name} grew from {means[1]:.1f} to {means[3]:.1f}")
    return faults


def main() -> None:
    """Fill a server, soak it, and end with 1 if it showed a fault."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    episodes = int(sys.argv[2]) if len(sys.argv) > 2 else EPISODES
    limits = ("--capacity", str(episodes), "--store", "memory", "--max-sessions", "2000")
    with started("serve", *limits) as (address, process):
        port = int(address.rpartition(":")[2])
        faults = asyncio.run(fill(port, episodes, process.pid))
    with started("serve", *limits, "--idle-seconds", str(IDLE_SECONDS)) as (address, process):
        port = int(address.rpartition(":")[2])
        faults += asyncio.run(soak(port, process.pid, minutes))
        began = time.monotonic()
        process.terminate()
        process.wait(60)
        print(f"stopped in {time.monotonic() - began:.2f} s")
    for fault in faults:
        print(f"FAULT {fault}")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
