"""A crowd of protocol clients that play one incident after another, for something else to be looked at beside them.

`with crowd(address) as finished:` has 29 of them play in a process of their own, over OpenEnv's REST, its WebSocket and
MCP by turns. Each plays perfectly, and whatever does not come to a score of 1.0 ends the crowd with an error.

Usage: crowd, to measure a visitor's own requests beside them and without them, on a server of its own;
crowd ADDRESS COMMAND…, to have them play for as long as a command runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import cycle, islice
from statistics import median
from typing import TYPE_CHECKING

import httpx2

from cloud_incident.evaluation.agents import AGENTS, Seat
from cloud_incident.evaluation.running import SURFACES, Attempt, play_attempt
from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue, Scenario
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLIENTS = 29
"""With a browser beside them it is the thirty that a server has to bear."""

_SETTLING = 3.0
_PLAYS = 30
_READY = "ready"
_ENOUGH = "enough"
_PLAY = "--play"


@contextmanager
def crowd(address: str, clients: int = CLIENTS) -> Iterator[Callable[[], int]]:
    """Clients that play as fast as they are answered; how many episodes they have finished so far.

    Raises:
        RuntimeError: if one of them did not reach a score of 1.0.
    """
    command = [sys.executable, "-m", "tests.interop.crowd", _PLAY, address, str(clients)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    finished = 0
    try:
        if process.stdout.readline().strip() != _READY:
            raise RuntimeError("the crowd did not begin to play")
        os.set_blocking(process.stdout.fileno(), False)

        def so_far() -> int:
            nonlocal finished
            for line in iter(process.stdout.readline, "") if process.stdout else ():
                finished = int(line)
            return finished

        yield so_far
        process.stdin.write(f"{_ENOUGH}\n")
        process.stdin.flush()
        if process.wait(60) != 0:
            raise RuntimeError("a client of the crowd did not play to 1.0")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


async def _client(
    kind: str, address: str, scenarios: Iterator[Scenario], ended: asyncio.Event, count: Callable[[], None]
) -> None:
    environment = SURFACES[kind](address)
    try:
        while not ended.is_set():
            scenario = next(scenarios)
            episode = await play_attempt(
                Attempt("oracle", scenario.id), scenario, AGENTS["oracle"](Seat(scenario)), environment
            )
            if episode["score"] != 1.0:
                raise RuntimeError(f"{kind}: {scenario.id} came to {episode['score']}: {episode.get('failed')}")
            count()
    finally:
        await environment.close()


async def _play(address: str, clients: int) -> None:
    """Play until there is a line on standard input; tell the number of episodes now and then."""
    ended, finished = asyncio.Event(), 0

    def count() -> None:
        nonlocal finished
        finished += 1

    async def tell() -> None:
        while not ended.is_set():
            await asyncio.sleep(0.5)
            print(finished, flush=True)

    async def listen() -> None:
        await asyncio.to_thread(sys.stdin.readline)
        ended.set()

    scenarios = cycle([*Catalogue().scenarios.values()])
    print(_READY, flush=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tell())
        tasks.create_task(listen())
        for kind in islice(cycle(SURFACES), clients):
            tasks.create_task(_client(kind, address, scenarios, ended, count))


def _visits(address: str, scenario: Scenario) -> tuple[list[float], list[float]]:
    """Seconds of every step and of every watched run, as the page asks for them: with what a step has shown."""
    steps, runs = [], []
    with httpx2.Client(base_url=address, timeout=30) as api:
        for _ in range(_PLAYS):
            reset = {"scenario_id": scenario.id, "observation": "delta"}
            handle = api.post("/reset", json=reset).raise_for_status().json()["observation"]["episode_id"]
            named = {"X-Episode-Id": handle}
            for action in play_perfectly(scenario.incident, scenario.task):
                began = time.perf_counter()
                api.post("/step", json=action.dump(), headers=named).raise_for_status()
                api.get("/evidence", headers=named).raise_for_status()
                steps.append(time.perf_counter() - began)
            graded = api.get("/grader", headers=named).raise_for_status().json()
            if graded["score"] != 1.0:
                raise RuntimeError(f"the visitor came to {graded['score']}")
            api.post("/close", json={"episode_id": handle}).raise_for_status()
            began = time.perf_counter()
            run = api.post("/console/runs", json={"agent": "responder", "scenario_id": scenario.id}).raise_for_status()
            frames = api.get(f"/console/runs/{run.json()['run_id']}/frames").raise_for_status().text
            runs.append(time.perf_counter() - began)
            if json.loads(frames.rpartition("data: ")[2])["failed"] is not None:
                raise RuntimeError("the run that was watched failed")
    return steps, runs


def _told(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return (
        f"median {1000 * median(ordered):6.1f} ms, 95 % within {1000 * ordered[int(0.95 * len(ordered))]:6.1f} ms, "
        f"longest {1000 * ordered[-1]:6.1f} ms ({len(ordered)})"
    )


def _beside(address: str, command: list[str]) -> int:
    """Run a command beside the crowd; its exit code."""
    with crowd(address) as finished:
        time.sleep(_SETTLING)
        before, began = finished(), time.monotonic()
        code = subprocess.run(command, check=False).returncode
        rate = (finished() - before) / (time.monotonic() - began)
    print(f"beside it {CLIENTS} clients played {rate:.0f} episodes a second, every one to 1.0")
    return code


def _measured() -> None:
    scenario = Catalogue().get("RP-001")
    with full_server() as address:
        _tell("alone", *_visits(address, scenario))
        with crowd(address) as finished:
            time.sleep(_SETTLING)
            before, began = finished(), time.monotonic()
            steps, runs = _visits(address, scenario)
            rate = (finished() - before) / (time.monotonic() - began)
        _tell(f"beside {CLIENTS} clients that play {rate:.0f} episodes a second", steps, runs)


def _tell(how: str, steps: list[float], runs: list[float]) -> None:
    print(how)
    print(f"  a step and its evidence      {_told(steps)}")
    print(f"  a run of 16 frames, watched  {_told(runs)}", flush=True)


def main() -> None:
    match sys.argv[1:]:
        case []:
            _measured()
        case [play, address, clients] if play == _PLAY:
            asyncio.run(_play(address, int(clients)))
        case [address, *command]:
            raise SystemExit(_beside(address, command))


if __name__ == "__main__":
    main()
