"""A capacity model of many concurrent episodes, from what this server costs here.

`scripts/scale-check` measures every figure of the model, prints what 10,000 and 1,000,000 concurrent episodes need by
it, and checks it at the largest load that this machine carries.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import redis
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.serving import OURS, SERVE, STEPS, Connection, MeasuredServer, run_server
from benchmarks.speed import list_looks
from tests.interop.workers_check import Client
from tests.servers import await_port, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

EPISODES = 1_000
"""Of each kind that is weighed."""
SESSIONS = 300
INCIDENTS = 30
ROUNDS = 40
FULL = 100_000
"""Rows with which the cost of opening an episode in a large file is measured."""
THINK_SECONDS = 10.0
"""What an agent takes from one step to the next: the model's assumption."""
FRESH = 0.1
"""Which part of the episodes is on an incident that no process has made yet: the model's assumption."""
BUSY = 0.7
"""How much of its core a process is to use."""
LOADS = (10_000, 1_000_000)
LEGACY = "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\n"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "scaling", "version": "1"}},
}
LOOKS = list_looks()


@dataclass(frozen=True)
class Figures:
    """What one thing of each kind costs: bytes, microseconds of the server's processor, milliseconds."""

    process_mb: float
    episode_bytes: float
    ten_steps_bytes: float
    session_bytes: float
    socket_bytes: float
    rest_us: float
    socket_us: float
    mcp_us: float
    file_us: float
    redis_us: float
    redis_server_us: float
    open_us: float
    open_full_us: float
    fresh_ms: float
    fresh_bytes: float
    file_episode_bytes: float
    file_step_bytes: float
    redis_episode_bytes: float
    redis_step_bytes: float
    wire_bytes: float

    def describe(self) -> Iterator[tuple[str, str]]:
        """The figures in words."""
        yield "a process before its first episode", f"{self.process_mb:.0f} MB"
        yield "an open episode, in the memory of a process", _size(self.episode_bytes)
        yield "the same after ten steps, their actions included", _size(self.ten_steps_bytes)
        yield "an MCP session of the earlier protocol", _size(self.session_bytes)
        yield "a WebSocket and its episode", _size(self.socket_bytes)
        yield "a fresh incident of difficulty 3, kept", _size(self.fresh_bytes)
        yield "a fresh incident, made and opened", f"{self.fresh_ms:.0f} ms of processor"
        yield "a step over REST, episodes in memory", f"{self.rest_us:.0f} µs of processor"
        yield "a step over a WebSocket", f"{self.socket_us:.0f} µs"
        yield "a step over MCP 2026-07-28", f"{self.mcp_us:.0f} µs"
        yield "a step over REST, episodes in a file", f"{self.file_us:.0f} µs"
        yield (
            "a step over REST, episodes in Redis",
            f"{self.redis_us:.0f} µs, and {self.redis_server_us:.0f} µs of Redis",
        )
        yield "a reset over REST, a file with few episodes", f"{self.open_us:.0f} µs"
        yield f"the same, a file with {FULL:,} episodes", f"{self.open_full_us:.0f} µs"
        yield "a file: each episode, and each step", f"{_size(self.file_episode_bytes)}, {_size(self.file_step_bytes)}"
        yield "Redis: each episode, and each step", f"{_size(self.redis_episode_bytes)}, {_size(self.redis_step_bytes)}"
        yield "a step on the wire, REST, both directions", _size(self.wire_bytes)


def _size(count: float) -> str:
    for unit, scale in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} bytes"


@contextmanager
def run_redis() -> Iterator[tuple[str, int, redis.Redis]]:
    """A Redis server of its own: its address, its process, and a client."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        raise SystemExit("redis-server is needed (Debian: apt install redis-server)")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        await_port(port, process)
        with redis.Redis(port=port) as client:
            yield f"redis://127.0.0.1:{port}", process.pid, client
    finally:
        process.terminate()
        process.wait(10)


async def weigh_episodes(server: MeasuredServer) -> tuple[float, float, float]:
    """Megabytes of a process that has served one episode; bytes of an open one; and of one after ten steps."""
    connection = await Connection.to(server)
    for index in range(200):
        await connection.anew(f"warm-{index}")
        for look in LOOKS:
            await connection.post("/step", json.dumps({**look, "episode_id": f"warm-{index}"}).encode())
    before = server.memory()
    for index in range(EPISODES):
        await connection.anew(f"weighed-{index}")
    opened = server.memory()
    for look in LOOKS:
        for index in range(EPISODES):
            await connection.post("/step", json.dumps({**look, "episode_id": f"weighed-{index}"}).encode())
    stepped = server.memory()
    connection.close()
    return before / (1 << 20), (opened - before) / EPISODES, (stepped - before) / EPISODES


async def weigh_sessions(server: MeasuredServer) -> float:
    """Bytes of an MCP session that has been opened."""
    client = Client(server.port, kept=True)
    for count in (50, SESSIONS):
        before = server.memory()
        for _ in range(count):
            await client.ask("POST", "/mcp", INITIALIZE, LEGACY)
    client.close()
    return (server.memory() - before) / SESSIONS


async def weigh_sockets(server: MeasuredServer) -> float:
    """Bytes of a WebSocket that has an episode."""
    opened: list[ClientConnection] = []
    for count in (50, SESSIONS):
        before = server.memory()
        for _ in range(count):
            socket = await connect(f"ws://127.0.0.1:{server.port}/ws", proxy=None, compression=None)
            await _say(socket, "reset", {"scenario_id": "RP-001"})
            opened.append(socket)
    each = (server.memory() - before) / SESSIONS
    for socket in opened:
        await socket.close()
    return each


async def _say(socket: ClientConnection, kind: str, data: Any) -> None:
    await socket.send(json.dumps({"type": kind, "data": data}))
    await socket.recv()


async def time_rest(server: MeasuredServer) -> float:
    """Microseconds of the server's processor for a step over REST."""
    connection = await Connection.to(server)
    bodies = [json.dumps({**look, "episode_id": "timed"}).encode() for look in LOOKS]
    spent = 0
    for round_ in range(ROUNDS + 10):
        await connection.anew("timed")
        began = server.cpu()
        for body in bodies:
            await connection.post("/step", body)
        spent += server.cpu() - began if round_ >= 10 else 0
    connection.close()
    return spent / 1e3 / STEPS / ROUNDS


async def time_sockets(server: MeasuredServer) -> float:
    """The same over a WebSocket."""
    async with connect(f"ws://127.0.0.1:{server.port}/ws", proxy=None, compression=None) as socket:
        spent = 0
        for round_ in range(ROUNDS + 10):
            await _say(socket, "reset", {"scenario_id": "RP-001"})
            began = server.cpu()
            for look in LOOKS:
                await _say(socket, "step", look)
            spent += server.cpu() - began if round_ >= 10 else 0
    return spent / 1e3 / STEPS / ROUNDS


async def time_mcp(server: MeasuredServer) -> float:
    """The same over MCP without a session."""
    client = Client(server.port, kept=True)
    spent = 0
    for round_ in range(ROUNDS + 10):
        reset = await client.ask("POST", "/reset", {"scenario_id": "RP-001"})
        handle = reset["observation"]["episode_id"]
        began = server.cpu()
        for look in LOOKS:
            await client.call_tool(look["action_type"], {**look["parameters"], "episode_id": handle})
        spent += server.cpu() - began if round_ >= 10 else 0
    client.close()
    return spent / 1e3 / STEPS / ROUNDS


async def time_resets(server: MeasuredServer) -> float:
    """Microseconds of the server's processor for a reset."""
    connection = await Connection.to(server)
    began = server.cpu()
    for index in range(200):
        await connection.anew(f"{server.cpu()}-{index}")
    connection.close()
    return (server.cpu() - began) / 1e3 / 200


async def make_incidents(server: MeasuredServer) -> tuple[float, float]:
    """Milliseconds of the processor, and bytes, for a generated incident that is opened for the first time."""
    client = Client(server.port, kept=True)
    for seed in range(5):
        await client.ask("POST", "/reset", {"task_id": "remediation_planning", "seed": 10_000 + seed, "difficulty": 3})
    cpu, memory = server.cpu(), server.memory()
    for seed in range(INCIDENTS):
        await client.ask("POST", "/reset", {"task_id": "remediation_planning", "seed": 20_000 + seed, "difficulty": 3})
    client.close()
    return (server.cpu() - cpu) / 1e6 / INCIDENTS, (server.memory() - memory) / INCIDENTS


async def measure_wire(server: MeasuredServer) -> float:
    """Bytes of a step and its answer over REST, heads included."""
    client = Client(server.port, kept=True)
    await client.ask("POST", "/reset", {"scenario_id": "RP-001", "episode_id": "wire"})
    for look in LOOKS:
        await client.ask("POST", "/step?episode_id=wire", look)
    client.close()
    return client.carried / (STEPS + 1)


async def fill_store(server: MeasuredServer, episodes: int, steps: int) -> None:
    """Open episodes and take some steps in each."""
    connection = await Connection.to(server)
    for index in range(episodes):
        handle = f"filled-{episodes}-{index}"
        await connection.anew(handle)
        for look in LOOKS[:steps]:
            await connection.post("/step", json.dumps({**look, "episode_id": handle}).encode())
    connection.close()


def measure() -> Figures:
    """Every figure of the model."""
    with ExitStack() as stack:
        server = stack.enter_context(run_server(OURS))
        process_mb, episode, ten_steps = asyncio.run(weigh_episodes(server))
    with run_server([*SERVE[:-2], "--max-sessions", "2000", "--store", "memory", "--port"]) as server:
        session = asyncio.run(weigh_sessions(server))
        socket = asyncio.run(weigh_sockets(server))
        rest, sockets, mcp = (asyncio.run(work(server)) for work in (time_rest, time_sockets, time_mcp))
        wire = asyncio.run(measure_wire(server))
        fresh_ms, fresh_bytes = asyncio.run(make_incidents(server))
    with TemporaryDirectory() as directory:
        file = Path(directory) / "episodes.db"
        with run_server([*SERVE[:-1], str(10 * FULL), "--store", str(file), "--port"]) as server:
            in_file, opening = asyncio.run(time_rest(server)), asyncio.run(time_resets(server))
            empty = _measure_file(file)
            asyncio.run(fill_store(server, EPISODES, 0))
            file_episode = (_measure_file(file) - empty) / EPISODES
            asyncio.run(fill_store(server, EPISODES // 10, STEPS))
            file_step = (_measure_file(file) - empty - file_episode * (EPISODES * 1.1)) / (EPISODES // 10 * STEPS)
            _multiply_rows(file)
            opening_full = asyncio.run(time_resets(server))
    with run_redis() as (address, pid, client), run_server([*SERVE, "--store", address, "--port"]) as server:
        asyncio.run(fill_store(server, 20, STEPS))
        before, began = _measure_redis(client), _read_cpu(pid)
        in_redis = asyncio.run(time_rest(server))
        redis_us = (_read_cpu(pid) - began) / 1e3 / STEPS / (ROUNDS + 10)
        before = _measure_redis(client)
        asyncio.run(fill_store(server, EPISODES, 0))
        redis_episode = (_measure_redis(client) - before) / EPISODES
        before = _measure_redis(client)
        asyncio.run(fill_store(server, EPISODES // 10, STEPS))
        redis_step = ((_measure_redis(client) - before) / (EPISODES // 10) - redis_episode) / STEPS
    return Figures(
        process_mb,
        episode,
        ten_steps,
        session,
        socket,
        rest,
        sockets,
        mcp,
        in_file,
        in_redis,
        redis_us,
        opening,
        opening_full,
        fresh_ms,
        fresh_bytes,
        file_episode,
        file_step,
        redis_episode,
        redis_step,
        wire,
    )


def _measure_file(file: Path) -> int:
    """Bytes of a database whose log has been written back."""
    import sqlite3

    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return file.stat().st_size


def _multiply_rows(file: Path) -> None:
    """Copy a row until there are as many as in a large store."""
    import sqlite3

    with sqlite3.connect(file, timeout=60) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(episodes)")][1:]
        names = ", ".join(columns)
        database.execute(
            f"INSERT INTO episodes (id, {names}) "  # noqa: S608 - the names are the table's own
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FULL}) "
            f"SELECT 'copy-' || i, {names} FROM n, (SELECT * FROM episodes WHERE id = 'filled-{EPISODES}-1')"
        )
    database.close()


def _measure_redis(client: redis.Redis) -> int:
    info: Any = client.info("memory")
    return int(info["used_memory"])


def _read_cpu(pid: int) -> int:
    """Nanoseconds that all threads of a process have run."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def predict(figures: Figures, episodes: int) -> Iterator[tuple[str, str]]:
    """What that many concurrent episodes need on Redis, in words."""
    steps = episodes / THINK_SECONDS
    opened = steps / STEPS
    steady = steps * figures.redis_us / 1e6
    making = opened * FRESH * figures.fresh_ms / 1e3
    processes = max(1, round((steady + making) / BUSY + 0.5))
    kept = min(episodes, 10_000) * figures.ten_steps_bytes
    yield "steps a second", f"{steps:,.0f}"
    yield "episodes opened a second", f"{opened:,.0f}, of which {opened * FRESH:,.0f} on fresh incidents"
    yield "cores that step", f"{steady:.1f}"
    yield "cores that make incidents", f"{making:.1f}"
    yield f"processes at {BUSY:.0%} of a core each", f"{processes:,}"
    yield "memory of each process", _size(figures.process_mb * (1 << 20) + kept)
    yield "memory of Redis", _size(episodes * (figures.redis_episode_bytes + STEPS / 2 * figures.redis_step_bytes))
    serving = steps * figures.redis_server_us / 1e6
    yield "cores of Redis, which uses one", f"{serving:.2f}: {max(1, math.ceil(serving / BUSY)):,} of them"
    yield "network, both directions", f"{steps * figures.wire_bytes * 8 / 1e6:,.0f} Mbit a second"
    yield "the same on WebSockets that stay open", f"{_size(episodes * figures.socket_bytes)} in all processes"


async def run_load(port: int, clients: int, seconds: float) -> tuple[int, list[float]]:
    """Steps that many clients took, each thinking a second between two; and how long each one waited, in ms."""
    waits: list[float] = []
    deadline = time.monotonic() + seconds

    async def play(number: int) -> None:
        client = Client(port, kept=True)
        await asyncio.sleep(number / clients)
        while time.monotonic() < deadline:
            reset = await client.ask("POST", "/reset", {"scenario_id": "RP-001"})
            handle = reset["observation"]["episode_id"]
            for look in LOOKS:
                await asyncio.sleep(1.0)
                if time.monotonic() >= deadline:
                    break
                began = time.perf_counter()
                await client.ask("POST", f"/step?episode_id={handle}", look)
                waits.append((time.perf_counter() - began) * 1e3)
            await client.ask("POST", "/close", {"episode_id": handle})
        client.close()

    await asyncio.gather(*map(play, range(clients)))
    return len(waits), sorted(waits)


def check(figures: Figures) -> Iterator[tuple[str, str]]:
    """The model beside what was measured, with more and more clients of one process until it is busy."""
    seconds = 12.0
    with run_redis() as (address, pid, _), run_server([*SERVE, "--store", address, "--port"]) as server:
        for clients in (250, 500, 1_000, 2_000):
            cpu, redis_cpu, began = server.cpu(), _read_cpu(pid), time.monotonic()
            steps, waits = asyncio.run(run_load(server.port, clients, seconds))
            lasted = time.monotonic() - began
            used, redis_used = (server.cpu() - cpu) / 1e9 / lasted, (_read_cpu(pid) - redis_cpu) / 1e9 / lasted
            expected, redis_expected = (
                steps / lasted * each / 1e6 for each in (figures.redis_us, figures.redis_server_us)
            )
            yield (
                f"{clients:,} episodes that step once a second",
                f"{steps / lasted:,.0f} steps a second, p99 {waits[int(len(waits) * 0.99)]:.0f} ms, "
                f"{used:.2f} cores (model {expected:.2f}), Redis {redis_used:.2f} (model {redis_expected:.2f}), "
                f"{_size(server.memory())}",
            )
            if used > BUSY + 0.2:
                break


def main() -> None:
    """Measure, predict and check."""
    figures = measure()
    print("Figures")
    _print(figures.describe())
    for load in LOADS:
        print(f"\n{load:,} concurrent episodes, a step every {THINK_SECONDS:.0f} s, {STEPS} steps each")
        _print(predict(figures, load))
    print("\nThe model against one process on Redis")
    _print(check(figures))


def _print(rows: Iterator[tuple[str, str]]) -> None:
    for what, told in rows:
        print(f"  {what:50} {told}", flush=True)


if __name__ == "__main__":
    main()
