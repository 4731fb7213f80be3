"""Episodes by the hundred on several processes, behind a balancer without stickiness: the scores of one process.

`scripts/workers-check [EPISODES [STORE]]` plays them over REST, WebSockets and MCP at once, in turns on one server and
on four servers of their own ports, which run beside each other. The connection of a WebSocket breaks off halfway, and
another process takes the episode up. Without a store it does so with a file and with a Redis server that it starts.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect

from cloud_incident.evaluation.running import play_actions
from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from tests.redis_server import redis_server
from tests.servers import await_port, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.asyncio.client import ClientConnection

    from scenarios.vocabulary import Action

EPISODES = 500
SERVERS = 4
REST, SOCKET, MCP = "REST", "WebSocket", "MCP"
DOORS = (REST, SOCKET, MCP)
BY_REQUEST = "requests"
KINDS = ("connections", BY_REQUEST)
_ROUNDS = 2
_MODERN = (
    "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
    "Mcp-Method: tools/call\r\nMcp-Name: {}\r\n"
)
_BUSY, _UNCHANGED = b"read or written now", "Nothing was changed"
"""What a store says that is too busy, and that has changed nothing. A step with a request id is sent again anyway."""
_PAUSE = 0.2
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "workers-check", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(frozen=True)
class Play:
    """Actions on a scenario, and the score that they have without any server."""

    scenario_id: str
    actions: tuple[Action, ...]
    score: float


@cache
def list_plays() -> tuple[Play, ...]:
    """Perfect plays of the curated scenarios, and the same with some of their steps left out."""
    plays = []
    for scenario in Catalogue().scenarios.values():
        whole = tuple(play_perfectly(scenario.incident, scenario.task))
        for left_out in range(3):
            actions = (*(action for index, action in enumerate(whole[:-1]) if index % 3 >= left_out), whole[-1])
            grade = play_actions(scenario, actions).grade
            if grade is not None:
                plays.append(Play(scenario.id, actions, grade.score))
    return tuple(plays)


@dataclass
class Client:
    """A client of a port. `kept`: its requests share a connection. `session`: that of MCP in the last answer.

    What the store is too busy for is sent again; `again` counts it. `carried` counts the bytes of both directions.
    """

    port: int
    kept: bool
    session: str = ""
    again: int = 0
    carried: int = 0
    _connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, message: Any = None, headers: str = "") -> Any:
        """The JSON of an answer; None where it has none.

        Raises:
            RuntimeError: if the answer is no success.
        """
        status, answer = await self.hear(method, path, message, headers)
        while status == 503 and _BUSY in answer:
            await self.wait()
            status, answer = await self.hear(method, path, message, headers)
        if status not in {200, 202, 204}:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer) if answer and status == 200 else None

    async def wait(self) -> None:
        """Wait before a call is sent again that was refused because there was too much to do."""
        self.again += 1
        await asyncio.sleep(_PAUSE)

    async def hear(self, method: str, path: str, message: Any = None, headers: str = "") -> tuple[int, bytes]:
        """The status and the body of an answer."""
        body = b"" if message is None else json.dumps(message).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers}"
        if self._connection is None or self._connection[0].at_eof():  # the server hangs up on whoever is idle
            self._connection = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        reader, writer = self._connection
        sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        writer.write(sent)
        start = str(await reader.readuntil(b"\r\n\r\n"), "latin-1").lower()
        told = dict(line.split(": ", 1) for line in start.split("\r\n")[1:] if line)
        self.session = told.get("mcp-session-id", "")
        answer = await reader.readexactly(int(told.get("content-length", 0)))
        self.carried += len(sent) + len(start) + len(answer)
        if not self.kept:
            self.close()
        return int(start.split()[1]), answer

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection[1].close()
        self._connection = None

    async def play(self, door: str, play: Play, handle: str) -> float:
        """The score of a play under a handle; the episode is closed."""
        if door == SOCKET:
            score = await self._play_over_sockets(play, handle)
        else:
            await self.ask("POST", "/reset", {"scenario_id": play.scenario_id, "episode_id": handle})
            for number, action in enumerate(play.actions):
                if door == REST:
                    await self.ask("POST", f"/step?episode_id={handle}", _name(action, number))
                else:
                    await self.call(action, handle)
            taken = (await self.ask("GET", f"/state?episode_id={handle}"))["step_count"]
            score = (await self.ask("GET", f"/grader?episode_id={handle}"))["score"]
            await self.ask("POST", "/close", {"episode_id": handle})
            _check_count(taken, play)
        return float(score)

    async def call(self, action: Action, handle: str) -> None:
        """Take a step over MCP, in the era that has no sessions."""
        await self.call_tool(action.name, {**action.parameters.model_dump(), "episode_id": handle})

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> None:
        """Call a tool in that era."""
        params = {"name": name, "arguments": arguments, "_meta": _META}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = await self.ask("POST", "/mcp", message, _MODERN.format(name))
        while _UNCHANGED in json.dumps(answer):
            await self.wait()
            answer = await self.ask("POST", "/mcp", message, _MODERN.format(name))
        if answer["result"].get("isError"):
            raise RuntimeError(f"MCP: {answer}")

    async def _play_over_sockets(self, play: Play, handle: str) -> float:
        half = len(play.actions) // 2
        steps = [_name(action, number) for number, action in enumerate(play.actions)]
        start: dict[str, Any] = {"scenario_id": play.scenario_id, "episode_id": handle}
        for part in (steps[:half], steps[half:]):
            address = f"ws://127.0.0.1:{self.port}/ws"
            async with connect(address, proxy=None, compression=None, open_timeout=60) as socket:
                reply = await self._say(socket, "reset", start)
                for step in part:
                    reply = await self._say(socket, "step", step)
                if "resume" not in start:
                    socket.transport.abort()  # without a goodbye
            start = {"episode_id": handle, "resume": True}
        _check_count(reply["data"]["observation"]["step_count"], play)
        return float(reply["data"]["metadata"]["grade"]["score"])

    async def _say(self, socket: ClientConnection, kind: str, data: Any) -> Any:
        while True:
            await socket.send(json.dumps({"type": kind, "data": data}))
            told = str(await socket.recv())
            if str(_BUSY, "ascii") not in told:
                break
            await self.wait()
        reply = json.loads(told)
        if reply["type"] != "observation":
            raise RuntimeError(f"WebSocket: {reply}")
        return reply


def _check_count(taken: int, play: Play) -> None:
    if taken != len(play.actions):
        raise RuntimeError(f"{taken} steps were taken, and {len(play.actions)} were answered")


def _name(action: Action, number: int) -> dict[str, Any]:
    """A step with a request id, so that it may be sent again."""
    return {"action": action.dump(), "request_id": str(number)}


@dataclass(frozen=True)
class Outcome:
    """What was played: steps, calls that were sent again, seconds, and scores that were not those of the plays."""

    steps: int
    again: int
    seconds: float
    wrong: list[str]

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / self.seconds

    def add(self, other: Outcome) -> Outcome:
        """Both together."""
        return Outcome(
            self.steps + other.steps, self.again + other.again, self.seconds + other.seconds, self.wrong + other.wrong
        )


async def play_all(port: int, episodes: int, *, kept: bool) -> Outcome:
    """Play that many episodes at the same time, in turns over every door."""
    plays = list_plays()
    wrong: list[str] = []
    run = secrets.token_hex(4)

    async def play_one(number: int) -> tuple[int, int]:
        play, door = plays[number % len(plays)], DOORS[number % len(DOORS)]
        client = Client(port, kept)
        try:
            score = await client.play(door, play, f"{run}-{number}")
        finally:
            client.close()
        if score != play.score:
            wrong.append(f"{door} {play.scenario_id}: {score} and not {play.score}")
        return len(play.actions), client.again

    began = time.perf_counter()
    steps, again = zip(*await asyncio.gather(*map(play_one, range(episodes))), strict=True)
    return Outcome(sum(steps), sum(again), time.perf_counter() - began, wrong)


@contextmanager
def run_servers(count: int, *given: str) -> Iterator[list[int]]:
    """That many servers, each on a port of its own; the ports."""
    ports = [free_port() for _ in range(count)]
    command = [sys.executable, "-m", "cloud_incident", "serve", "--max-sessions", "5000", *given]
    with ExitStack() as stack:
        started = {port: stack.enter_context(_started([*command, "--port", str(port)])) for port in ports}
        for port, process in started.items():
            await_port(port, process)
        yield ports


@contextmanager
def balance(kind: str, ports: list[int]) -> Iterator[int]:
    """A balancer before some ports; its own port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.round_robin", kind, str(port), *map(str, ports)]
    with _started(command) as process:
        await_port(port, process)
        yield port


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def check(episodes: int, store: str, servers: int = SERVERS) -> bool:
    """Print what one server and several play in turns on a store, a new file if it is ""; whether every score is right.

    Every server has served every scenario before, so none is measured while it makes ready what it keeps.
    """
    print(f"{episodes} episodes at the same time over {', '.join(DOORS)}; store: {store or 'a file'}", flush=True)
    with TemporaryDirectory() as directory, ExitStack() as stack:
        doors = []
        for count in (1, servers):
            given = store or str(Path(directory) / f"{count}.db")
            ports = stack.enter_context(run_servers(count, "--store", given, "--stateless"))
            balancers = {kind: stack.enter_context(balance(kind, ports)) for kind in KINDS}
            asyncio.run(play_all(balancers[BY_REQUEST], count * len(list_plays()), kept=True))
            doors += [(count, kind, port) for kind, port in balancers.items()]
        played: dict[tuple[int, str], Outcome] = {}
        for _ in range(_ROUNDS):
            for count, kind, port in doors:
                outcome = asyncio.run(play_all(port, episodes, kept=kind == BY_REQUEST))
                known = played.get((count, kind))
                played[count, kind] = outcome if known is None else known.add(outcome)
    for (count, kind), outcome in played.items():
        beside = f", {outcome.rate / played[1, kind].rate:.2f} × one server" if count > 1 else ""
        print(
            f"{f'{count} server' + 's' * (count > 1) + f', a balancer of {kind}':40} {outcome.steps} steps in "
            f"{outcome.seconds:.1f} s, {outcome.rate:.0f} a second{beside}, {outcome.again} calls again, "
            f"{len(outcome.wrong)} wrong scores {outcome.wrong[:3] or ''}",
            flush=True,
        )
    return not any(outcome.wrong for outcome in played.values())


def main() -> None:
    """Play, print what it showed, and end with 1 if a score was another one."""
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else EPISODES
    if len(sys.argv) > 2:
        right = check(episodes, sys.argv[2])
    else:
        right = check(episodes, "")
        with redis_server(tcp=True) as redis:
            right &= check(episodes, redis.address)
    raise SystemExit(not right)


if __name__ == "__main__":
    main()
