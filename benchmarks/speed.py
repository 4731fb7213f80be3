"""What a step costs: in process, over in-memory MCP, and from start to the list of tools over stdio.

Run with `python -m benchmarks.speed`. Each ratio comes from one interleaved run, so that it holds when the machine's
speed drifts.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult  # noqa: TC002 - the no-op tool's signature is read at run time

from cloud_incident.evaluation.agents import AGENTS, Agent, Decision, Seat, collect_agents
from cloud_incident.evaluation.running import InProcess, RunFile, Runner, list_attempts
from env_core.episode import advance, begin
from env_core.reference import Reference
from env_core.selection import Selection
from env_core.service import EpisodeService
from mcp_server import build_server
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.vocabulary import DIAGNOSTICS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from env_core.episode import Episode
    from env_core.observation import Observation
    from scenarios.vocabulary import Action

STEPS = 10
ROUNDS = 2_000
STARTS = 15
EMPTY_SERVER = "from mcp.server.mcpserver import MCPServer\nMCPServer('empty').run()\n"


@dataclass(frozen=True)
class SpeedRow:
    """One line of the table: what was measured, the median, what it is compared with, and the limit."""

    what: str
    median: str
    compared: str
    limit: str


def list_looks() -> list[dict[str, Any]]:
    """Ten different queries of RP-001, as actions dumped."""
    services = Catalogue().get("RP-001").incident.services
    diagnostics = list(DIAGNOSTICS)
    return [
        {"action_type": diagnostics[index % 5], "parameters": {"service": services[index]}} for index in range(STEPS)
    ]


def time_in_process_steps(catalogue: Catalogue) -> list[SpeedRow]:
    """Parsing and taking one step, at the first and at the tenth step of an episode."""
    scenario = catalogue.get("RP-001")
    dumped = list_looks()
    parsed = [parse_action(action["action_type"], action["parameters"]) for action in dumped]
    start = begin("bench", Reference.to(scenario), scenario)
    rows = []
    for number in (1, STEPS):
        times = _time_rounds(_make_step(_advance_by(start, parsed[: number - 1]), dumped[number - 1]))
        rows.append(SpeedRow(f"parse and take step {number}, pure", _format_us(times), "", "≤ 50 µs"))
    return rows


def _advance_by(episode: Episode, actions: list[Action]) -> Episode:
    for action in actions:
        episode = advance(episode, action)
    return episode


def _make_step(episode: Episode, dumped: dict[str, Any]) -> Callable[[], object]:
    return lambda: advance(episode, parse_action(**dumped))


def _time_rounds(work: Callable[[], object]) -> list[float]:
    for _ in range(200):
        work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times


HOSTILE = ("a. " * 1333, "a," * 1990 + " and b", "\U0001f101" * 4000, "revert " * 570)


def time_worst_grading(catalogue: Catalogue) -> SpeedRow:
    """The slowest of some texts made to be slow to read: what one submission can hold up the others for."""
    scenario = catalogue.get("RP-003")
    start = begin("bench", Reference.to(scenario), scenario)
    slowest = 0.0
    for text in HOSTILE:
        action = parse_action("submit_resolution", {"summary": text[:4000]})
        began = time.perf_counter()
        advance(start, action)
        slowest = max(slowest, time.perf_counter() - began)
    return SpeedRow("grade the slowest hostile summary", f"{slowest * 1e3:.0f} ms", "", "")


async def time_service_steps(catalogue: Catalogue) -> list[SpeedRow]:
    """A step through the episode service and its store, at the first and at the tenth step."""
    service = EpisodeService(catalogue)
    dumped = list_looks()
    times: dict[int, list[float]] = {1: [], STEPS: []}
    for _ in range(ROUNDS // 4):
        episode = await service.create(Selection(scenario_id="RP-001"))
        for number, action in enumerate(dumped, 1):
            began = time.perf_counter()
            await service.step(episode.id, parse_action(**action))
            if number in times:
                times[number].append(time.perf_counter() - began)
        await service.close(episode.id)
    return [
        SpeedRow(f"step {number} through service and store", _format_us(found), "", "≤ 50 µs")
        for number, found in times.items()
    ]


async def time_memory_calls(catalogue: Catalogue) -> list[SpeedRow]:
    """A tool call over in-memory MCP against a tool that does nothing and returns the same bytes."""
    service = EpisodeService(catalogue)
    ours = build_server(service, version="bench")
    noop = MCPServer("noop", log_level="ERROR")
    answers: list[CallToolResult] = []

    @noop.tool(name="query_logs")
    async def query_logs(service: str, page: int = 1, episode_id: str = "") -> CallToolResult:  # noqa: ARG001 - the same arguments
        return answers[0]

    rows = []
    for era, name in (("2026-07-28", "in-memory MCP call, 2026-07-28"), ("legacy", "in-memory MCP call, 2025-11-25")):
        async with Client(ours, mode=era) as client, Client(noop, mode=era) as empty:
            await client.list_tools()
            await empty.list_tools()
            mine: list[float] = []
            theirs: list[float] = []
            for _ in range(ROUNDS // 2):
                episode = await service.create(Selection(scenario_id="RP-001"))
                arguments = {"service": "postgres-db", "episode_id": episode.id}
                mine.append(await _time_calls(client.call_tool("query_logs", arguments), answers))
                theirs.append(await _time_calls(empty.call_tool("query_logs", arguments), answers))
                await service.close(episode.id)
        ratio = statistics.median(mine) / statistics.median(theirs)
        rows.append(SpeedRow(name, _format_us(mine), f"no-op tool {_format_us(theirs)}: {ratio:.2f}×", "≤ 1.3×"))
    return rows


async def _time_calls(call: Awaitable[CallToolResult], answers: list[CallToolResult]) -> float:
    began = time.perf_counter()
    result = await call
    spent = time.perf_counter() - began
    answers[:] = [result]
    return spent


async def time_starts() -> list[SpeedRow]:
    """From starting the process to the list of its tools, over stdio, against an empty server."""
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "empty.py")
        script.write_text(EMPTY_SERVER)  # noqa: ASYNC240 - nothing else runs here
        ours = StdioServerParameters(command=sys.executable, args=["-m", "cloud_incident", "mcp"])
        empty = StdioServerParameters(command=sys.executable, args=[str(script)])
        mine: list[float] = []
        theirs: list[float] = []
        for _ in range(STARTS):
            mine.append(await _time_start(ours))
            theirs.append(await _time_start(empty))
    ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    return [
        SpeedRow(
            "start to tools/list over stdio",
            _format_ms(mine),
            f"empty server {_format_ms(theirs)}: {ratio:.2f}× (median of pairs)",
            "≤ 1.3×",
        )
    ]


async def _time_start(server: StdioServerParameters) -> float:
    began = time.perf_counter()
    async with Client(server) as client:
        await client.list_tools()
        return time.perf_counter() - began


def _format_us(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e6:.1f} µs"


def _format_ms(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e3:.0f} ms"


EPISODES = 1_000
MODEL_SECONDS = 0.005


class InstantModel(Agent):
    """An agent that takes as long as a quick model would, and no time of the processor."""

    def __init__(self, seat: Seat) -> None:
        self._agent = AGENTS["oracle"](seat)
        self.waited = 0.0

    async def decide(self, shown: Observation) -> Decision:
        began = time.perf_counter()
        await asyncio.sleep(MODEL_SECONDS)
        self.waited += time.perf_counter() - began
        return await self._agent.decide(shown)


async def time_evaluations(catalogue: Catalogue) -> list[SpeedRow]:
    """A thousand scripted episodes, written down; the dearest agents; what the runner adds to an agent that waits."""
    attempts = list_attempts(["oracle"], list(catalogue.scenarios), range(-(-EPISODES // len(catalogue.scenarios))))
    runner = Runner(catalogue, AGENTS, lambda: InProcess(catalogue), concurrency=1)
    with tempfile.TemporaryDirectory() as directory:
        began = time.process_time()
        with RunFile(Path(directory, "scripted.jsonl")) as file:
            await runner.run(attempts[:EPISODES], file)
        spent = time.process_time() - began
        dearest = 0.0
        for agent in ("responder", "novice", "brute-force"):
            again = list_attempts([agent], list(catalogue.scenarios), range(10))
            began = time.process_time()
            with RunFile(Path(directory, f"{agent}.jsonl")) as file:
                await Runner(catalogue, collect_agents(), lambda: InProcess(catalogue), concurrency=1).run(again, file)
            dearest = max(dearest, (time.process_time() - began) / len(again))
        models: list[InstantModel] = []

        def waiting(seat: Seat) -> Agent:
            models.append(InstantModel(seat))
            return models[-1]

        slow = Runner(catalogue, {"oracle": waiting}, lambda: InProcess(catalogue), concurrency=1)
        steps: list[int] = []
        began = time.perf_counter()
        with RunFile(Path(directory, "waiting.jsonl")) as file:
            await slow.run(attempts[:90], file, lambda trajectory: steps.append(len(trajectory["steps"])))
        added = (time.perf_counter() - began - sum(model.waited for model in models)) / sum(steps)
    return [
        SpeedRow(f"{EPISODES} scripted episodes, CPU", f"{spent:.2f} s", "", "≤ 5 s"),
        SpeedRow("an episode of the dearest agent, CPU", f"{dearest * 1e3:.1f} ms", "", "≤ 5 ms"),
        SpeedRow("what the runner adds to a model's step", f"{added * 1e3:.2f} ms", "", "≤ 2 ms"),
    ]


async def measure(catalogue: Catalogue) -> list[SpeedRow]:
    """Every row of the table."""
    return [
        *time_in_process_steps(catalogue),
        *await time_service_steps(catalogue),
        time_worst_grading(catalogue),
        *await time_evaluations(catalogue),
        *await time_memory_calls(catalogue),
        *await time_starts(),
    ]


def main() -> None:
    """Measure and print."""
    catalogue = Catalogue()
    gc.freeze()
    print_rows(asyncio.run(measure(catalogue)))


def print_rows(rows: list[SpeedRow]) -> None:
    """Print a table."""
    rows = [SpeedRow("what", "median", "compared with", "limit"), *rows]
    widths = [max(len(getattr(row, name)) for row in rows) for name in SpeedRow.__dataclass_fields__]
    for row in rows:
        cells = (getattr(row, name) for name in SpeedRow.__dataclass_fields__)
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
