"""What serving costs: REST, WebSocket and MCP against peers that do nothing, and OpenEnv's own echo environment.

Run with `scripts/benchmark`, or `python -m benchmarks.serving [PYTHON_WITH_OPENENV]`. Costs are CPU time of the server
process; each ratio comes from rounds that alternate between the two, so that it holds when the machine's speed drifts.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.speed import SpeedRow, list_looks, print_rows
from tests.redis_server import redis_server
from tests.servers import await_port, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEPS = 10
ROUNDS = 120
IDLE_EPISODES = 10_000
SOCKETS = 500
WARM = 300


@dataclass(frozen=True)
class MeasuredServer:
    """A server that is measured from outside."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> int:
        """Nanoseconds that all its threads have run."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096


@contextmanager
def run_server(command: Sequence[str]) -> Iterator[MeasuredServer]:
    """A server as a process of its own; its port comes last on its command line."""
    port = free_port()
    process = subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL)
    try:
        await_port(port, process)
        _pin(process.pid)
        yield MeasuredServer(process, port)
    finally:
        process.terminate()
        process.wait(10)


def _pin(pid: int) -> None:
    """Put the servers on one core and the client on another: cores differ more than what is compared."""
    cores = os.cpu_count() or 1
    os.sched_setaffinity(pid, {cores - 1})
    os.sched_setaffinity(0, {0})


SERVE = [sys.executable, "-m", "cloud_incident", "serve", "--capacity", "100000"]
OURS = [*SERVE, "--store", "memory", "--port"]
BARE = [sys.executable, "-m", "benchmarks.bare"]


class Connection:
    """One HTTP/1.1 connection that does no more than it must, so that the server is what is measured."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._port, self._reader, self._writer = port, reader, writer
        self._opened: set[str] = set()

    @classmethod
    async def to(cls, server: MeasuredServer) -> Connection:
        return cls(server.port, *await asyncio.open_connection("127.0.0.1", server.port))

    async def post(self, path: str, body: bytes, headers: str = "", method: str = "POST") -> bytes:
        if self._reader.at_eof():  # the server hangs up on whoever is idle, as this is where others use the machine
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        assert b" 200 " in answer[:16], answer
        _, _, rest = answer.partition(b"content-length: ")
        return await self._reader.readexactly(int(rest.partition(b"\r\n")[0]))

    async def anew(self, handle: str) -> None:
        """Start RP-001 under a handle, in the place of what it meant before."""
        named = json.dumps({"episode_id": handle}).encode()
        if handle in self._opened:
            await self.post("/close", named)
        self._opened.add(handle)
        await self.post("/reset?scenario_id=RP-001", named)

    def close(self) -> None:
        self._writer.close()


def _format_ratio(what: str, mine: list[float], theirs: list[float], peer: str, limit: str) -> SpeedRow:
    """A row that compares medians of microseconds."""
    ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    compared = f"{peer} {statistics.median(theirs):.0f} µs: {ratio:.2f}×"
    return SpeedRow(what, f"{statistics.median(mine):.0f} µs", compared, limit)


async def compare_rest(ours: MeasuredServer, bare: MeasuredServer) -> SpeedRow:
    """POST /step against a route that answers with the same bytes."""
    mine, theirs = await Connection.to(ours), await Connection.to(bare)
    bodies = [json.dumps({**look, "episode_id": "bench"}).encode() for look in list_looks()]
    costs: list[tuple[float, float]] = []
    for round_ in range(ROUNDS + 10):
        await mine.anew("bench")
        began = ours.cpu()
        shown = [await mine.post("/step", body) for body in bodies]
        spent = ours.cpu() - began
        if round_ == 0:
            for answer in shown:
                await theirs.post("/answers", answer, method="PUT")
        began = bare.cpu()
        for body in bodies:
            await theirs.post("/step", body)
        costs.append((spent / 1e3 / STEPS, (bare.cpu() - began) / 1e3 / STEPS))
    mine.close()
    theirs.close()
    ours_, bares = (list(times) for times in zip(*costs[10:], strict=True))
    return _format_ratio("POST /step", ours_, bares, "bare route, same bytes", "≤ 2×")


async def compare_stores(memory: MeasuredServer, file: MeasuredServer, shared: MeasuredServer) -> list[SpeedRow]:
    """POST /step with episodes in a file, and in a shared store, against the same with episodes in memory."""
    connections = [(server, await Connection.to(server)) for server in (memory, file, shared)]
    bodies = [json.dumps({**look, "episode_id": "stored"}).encode() for look in list_looks()]
    costs: tuple[list[float], ...] = ([], [], [])
    for _ in range(ROUNDS + 10):
        for (server, connection), spent in zip(connections, costs, strict=True):
            await connection.anew("stored")
            began = server.cpu()
            for body in bodies:
                await connection.post("/step", body)
            spent.append((server.cpu() - began) / 1e3 / STEPS)
    for _, connection in connections:
        connection.close()
    inside, *outside = (spent[10:] for spent in costs)
    return [
        _format_ratio(f"POST /step, episodes in {where}", spent, inside, "in memory", limit)
        for spent, where, limit in zip(outside, ("a file", "Redis"), ("≤ 1.5×", "≤ 2.5×"), strict=True)
    ]


async def compare_mcp(ours: MeasuredServer, bare: MeasuredServer) -> SpeedRow:
    """An MCP call over streamable HTTP against a tool that does nothing."""
    headers = (
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: query_logs\r\n"
    )
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    mine, theirs = await Connection.to(ours), await Connection.to(bare)

    def call(handle: str) -> bytes:
        arguments = {"service": "postgres-db", "episode_id": handle}
        params = {"name": "query_logs", "arguments": arguments, "_meta": meta}
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()

    costs: list[tuple[float, float]] = []
    handles = [f"mcp-{index}" for index in range(STEPS)]
    for round_ in range(ROUNDS + 10):
        for handle in handles:
            await mine.anew(handle)
        calls = [call(handle) for handle in handles]
        began = ours.cpu()
        shown = [await mine.post("/mcp", message, headers) for message in calls]
        spent = ours.cpu() - began
        if round_ == 0:
            await theirs.post("/result", json.dumps(json.loads(shown[0])["result"]).encode(), method="PUT")
        began = bare.cpu()
        for message in calls:
            await theirs.post("/mcp", message, headers)
        costs.append((spent / 1e3 / STEPS, (bare.cpu() - began) / 1e3 / STEPS))
    mine.close()
    theirs.close()
    ours_, bares = (list(times) for times in zip(*costs[10:], strict=True))
    return _format_ratio("MCP call over streamable HTTP", ours_, bares, "no-op tool", "≤ 1.3×")


async def _count_steps_a_second(server: MeasuredServer, clients: int, episode: list[str]) -> float:
    """WebSocket steps in a second of wall clock; the reset that begins each episode is not counted."""
    reset, *steps = episode
    count = [0]
    deadline = time.perf_counter() + 1.0

    async def client() -> None:
        async with connect(f"ws://127.0.0.1:{server.port}/ws", proxy=None, compression=None) as socket:
            while time.perf_counter() < deadline:
                await _send_and_hear(socket, reset)
                for step in steps:
                    await _send_and_hear(socket, step)
                    count[0] += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(client())
    return count[0] / (time.perf_counter() - began)


async def _send_and_hear(socket: ClientConnection, message: str) -> None:
    await socket.send(message)
    reply = await socket.recv()
    assert '"error"' not in str(reply[:20]), reply


async def compare_websockets(ours: MeasuredServer, openenv: MeasuredServer) -> list[SpeedRow]:
    """WebSocket steps a second against OpenEnv's echo environment."""
    mine = ['{"type": "reset", "data": {"scenario_id": "RP-001"}}', *map(_build_message, list_looks())]
    call = {"type": "call_tool", "tool_name": "echo_message", "arguments": {"message": "hello"}}
    theirs = ['{"type": "reset", "data": {}}', *[_build_message(call)] * STEPS]
    rows = []
    for clients in (1, 32):
        rates = [
            (await _count_steps_a_second(ours, clients, mine), await _count_steps_a_second(openenv, clients, theirs))
            for _ in range(5)
        ]
        ratio = statistics.median(a / b for a, b in rates)
        ours_, echoes = (statistics.median(rate) for rate in zip(*rates, strict=True))
        what = f"WebSocket steps a second, {clients} client{'s' if clients > 1 else ''}"
        rows.append(SpeedRow(what, f"{ours_:.0f}", f"OpenEnv's echo {echoes:.0f}: {ratio:.1f}×", "≥ 5×"))
    return rows


def _build_message(step: dict[str, Any]) -> str:
    return json.dumps({"type": "step", "data": step})


def weigh_idle_episodes() -> SpeedRow:
    """What an episode costs that nobody steps."""
    with run_server(OURS) as server, httpx2.Client(base_url=server.address) as api:

        def reset() -> None:
            assert api.post("/reset", json={"scenario_id": "RP-001"}).status_code == 200
            api.cookies.clear()

        for _ in range(WARM):
            reset()
        before = server.memory()
        for _ in range(IDLE_EPISODES):
            reset()
        each = (server.memory() - before) / IDLE_EPISODES / 1024
    return SpeedRow(f"memory of an idle HTTP episode, of {IDLE_EPISODES}", f"{each:.1f} KB", "", "≤ 10 KB")


async def weigh_sockets() -> SpeedRow:
    """What a WebSocket session costs, its episode included, against a socket that echoes."""
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(3):
        for command, message, costs in (
            (OURS, '{"type": "reset", "data": {"scenario_id": "RP-001"}}', mine),
            (BARE, "hello", theirs),
        ):
            with run_server(command) as server:
                costs.append(await _open_socket(server, message) / 1024)
    ratio = statistics.median(mine) / statistics.median(theirs)
    compared = f"bare echo {statistics.median(theirs):.1f} KB: {ratio:.2f}×"
    return SpeedRow(
        f"memory of a WebSocket session, of {SOCKETS}", f"{statistics.median(mine):.1f} KB", compared, "≤ 1.5×"
    )


async def _open_socket(server: MeasuredServer, message: str) -> float:
    """Bytes of resident memory for each of many sockets that have had one answer."""
    async with asyncio.timeout(60):
        opened: list[ClientConnection] = []

        async def open_one() -> None:
            socket = await connect(f"ws://127.0.0.1:{server.port}/ws", proxy=None, compression=None)
            await _send_and_hear(socket, message)
            opened.append(socket)

        for _ in range(50):
            await open_one()
        before = server.memory()
        for _ in range(SOCKETS):
            await open_one()
        each = (server.memory() - before) / SOCKETS
        for socket in opened:
            await socket.close()
    return each


def measure(openenv: str | None) -> Iterator[SpeedRow]:
    """Every row of the table."""
    with ExitStack() as stack:
        ours, bare = (stack.enter_context(run_server(command)) for command in (OURS, BARE))
        for compare in (compare_rest, compare_mcp):
            yield asyncio.run(compare(ours, bare))
        file = Path(stack.enter_context(TemporaryDirectory())) / "episodes.db"
        redis = stack.enter_context(redis_server())
        kept, shared = (
            stack.enter_context(run_server([*SERVE, "--store", str(store), "--port"]))
            for store in (file, redis.address)
        )
        yield from asyncio.run(compare_stores(ours, kept, shared))
        if openenv is not None:
            echo = stack.enter_context(run_server([openenv, str(Path(__file__).parent / "openenv_echo.py")]))
            yield from asyncio.run(compare_websockets(ours, echo))
    yield weigh_idle_episodes()
    yield asyncio.run(weigh_sockets())


def main() -> None:
    """Measure and print."""
    print_rows(list(measure(sys.argv[1] if len(sys.argv) > 1 else None)))


if __name__ == "__main__":
    main()
