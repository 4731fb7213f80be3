"""Kills without warning under load: what a server has answered is stored once, and every episode goes on as it was.

Run by `scripts/kill-check [MOMENTS]`, for each store that outlives its process. Clients play episodes over REST while
the server is killed at random moments and another one goes on; of the shared store the store's own server is killed
too. Each client sends a step again, under its request id, until it is answered.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx2

from cloud_incident.evaluation.running import play_actions
from env_core.perfect import play_perfectly
from env_core.stores import open_store
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.vocabulary import POINT
from tests.redis_server import RedisServer, redis_server
from tests.servers import await_port, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from env_core.episode import Episode
    from scenarios.vocabulary import Action

MOMENTS = 200
CLIENTS = 8
THINKING = (0.05, 0.5)
"""Seconds that a client thinks at most: one half of them, and the other."""
LONGEST = 0.6
"""Seconds that a server serves at most before it is killed."""
EARLY = 4
"""Of so many kills one comes at any time. Before the others a step is answered, also where others use the machine."""
WAITING = 5.0
STORE_KILLED = 4
"""Of so many kills one is of the store's own server, where there is one."""
SCENARIOS = ("AC-001", "RCA-001", "RP-001", "RP-002", "RP-003")
LOOKS = 3
SEED = 15
ANSWERED = {200}
TRIES = 600


class LostError(AssertionError):
    """Something that was answered is not as it was answered."""


@dataclass
class Tally:
    """What the clients have seen."""

    acknowledged: int = 0
    repeated: int = 0
    stored: int = 0
    """Of the steps that were sent again, those that had been stored though their answer was lost."""
    finished: int = 0
    refused: int = 0
    """Answers that said that the store is away."""
    stepped: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a step is acknowledged."""


_FORKING = """
import os, signal, sys
import cloud_incident.app, cloud_incident.cli.serve, env_core.stores.redis
from cloud_incident.cli import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    if pid := os.fork():
        print(pid, flush=True)
    else:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        main(["serve", *line.split()])
"""
"""Starts servers in a fork each, so that not each of them takes the second in which everything is imported."""


@dataclass(frozen=True)
class ForkedServer:
    """A server that can be killed."""

    address: str
    pid: int

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Rotation:
    """Servers on one store, of which one serves and the next one starts meanwhile."""

    def __init__(self, store: str, log: Path) -> None:
        self.store = store
        self.log = log
        with log.open("wb") as told:
            self._forking = subprocess.Popen(
                [sys.executable, "-c", _FORKING], stdin=PIPE, stdout=PIPE, stderr=told, text=True
            )
        self._server: ForkedServer | None = None
        self._next: asyncio.Task[ForkedServer] | None = None

    @property
    def address(self) -> str:
        return self._server.address if self._server is not None else ""

    async def advance(self) -> None:
        """Kill the server that serves, and let the next one serve."""
        upcoming = await (self._next or asyncio.to_thread(self._start))
        self._next = asyncio.create_task(asyncio.to_thread(self._start))
        if self._server is not None:
            self._server.kill()
        self._server = upcoming

    async def end(self) -> None:
        """Kill them all."""
        if self._next is not None:
            (await self._next).kill()
        if self._server is not None:
            self._server.kill()
        with self._forking:  # closes its pipes and waits for its end
            self._forking.kill()

    def _start(self) -> ForkedServer:
        assert self._forking.stdin is not None
        assert self._forking.stdout is not None
        port = free_port()
        self._forking.stdin.write(f"--store {self.store} --port {port}\n")
        self._forking.stdin.flush()
        server = ForkedServer(f"http://127.0.0.1:{port}", int(self._forking.stdout.readline()))
        await_port(port, self._forking)
        return server


class Player:
    """A client that plays one episode after the other and compares each answer with a run that nothing disturbs."""

    def __init__(self, number: int, rotation: Rotation, catalogue: Catalogue, tally: Tally) -> None:
        self._number = number
        self._rotation = rotation
        self._catalogue = catalogue
        self._tally = tally
        self._random = random.Random(f"{SEED}/{number}")  # noqa: S311 - the same moments in every run
        self._thinks = THINKING[number % 2]
        self.ending = False

    async def play(self) -> None:
        """Play until `ending` is set, and the last episode to its end."""
        async with httpx2.AsyncClient(timeout=20, trust_env=False) as api:
            for number in range(1_000_000):
                if self.ending:
                    return
                await self._play_one(api, f"kill-{self._number}-{number}")

    async def _play_one(self, api: httpx2.AsyncClient, handle: str) -> None:
        scenario = self._catalogue.get(self._random.choice(SCENARIOS))
        services = scenario.incident.services
        room = scenario.task.max_steps - len(play_perfectly(scenario.incident, scenario.task))
        looks = [
            parse_action("query_logs", {"service": self._random.choice(services)}) for _ in range(min(room, LOOKS))
        ]
        actions = [*looks, *play_perfectly(scenario.incident, scenario.task)]
        expected = play_actions(scenario, actions)
        opened = await self._ask(api, "/reset", {"scenario_id": scenario.id, "episode_id": handle}, accepted={200, 409})
        if opened.status_code == 200:
            _check(opened.json()["observation"]["step_count"] == 0, f"{handle} does not begin at its beginning")
        for number, action in enumerate(actions, 1):
            await self._step(api, handle, number, action, expected)
            await asyncio.sleep(self._random.uniform(0, self._thinks))
        await self._check_stored(handle, actions)
        await self._ask(api, "/close", {"episode_id": handle}, accepted={200, 404})
        self._tally.finished += 1

    async def _step(self, api: httpx2.AsyncClient, handle: str, number: int, action: Action, expected: Episode) -> None:
        sent = {"action": action.dump(), "request_id": f"{handle}/{number}", "episode_id": handle}
        before = self._tally.repeated
        answer = (await self._ask(api, "/step", sent, state=(handle, number))).json()
        self._tally.acknowledged += 1
        self._tally.stepped.set()
        told = (answer["observation"]["step_count"], answer["reward"], answer["done"])
        wanted = (number, expected.steps[number - 1].reward / POINT, number == len(expected.steps))
        _check(told == wanted, f"{handle}: {told} was answered, and {wanted} is right")
        if answer["done"]:
            score, right = answer["info"]["grade"]["score"], expected.grade and expected.grade.score
            _check(score == right, f"{handle}: its score is {score}, and {right} is right")
        if self._tally.repeated > before or self._random.random() < 0.02:
            again = (await self._ask(api, "/step", sent)).json()
            _check(again == answer, f"{handle}: step {number} is answered otherwise when it is sent again")

    async def _ask(
        self,
        api: httpx2.AsyncClient,
        path: str,
        body: dict[str, Any],
        *,
        accepted: set[int] = ANSWERED,
        state: tuple[str, int] | None = None,
    ) -> httpx2.Response:
        """The answer of whichever server serves, after as many tries as it takes."""
        lost = False
        for _ in range(TRIES):
            address = self._rotation.address
            try:
                if lost and state is not None:
                    await self._look(api, *state)
                    lost, state = False, None
                answer = await api.post(f"{address}{path}", json=body)
            except httpx2.TransportError:
                lost = True
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 503:
                self._tally.refused += 1
                _check("retry-after" in answer.headers, "a refusal does not say when to come again")
                lost = True
                await asyncio.sleep(0.05)
                continue
            _check(answer.status_code in accepted, f"{path} is answered with {answer.status_code}: {answer.text[:300]}")
            return answer
        raise LostError(f"{path} was not answered in {TRIES} tries")

    async def _look(self, api: httpx2.AsyncClient, handle: str, number: int) -> None:
        """Look at an episode before a step is sent again: those before it are there, and it is there once at most."""
        answer = await api.get(f"{self._rotation.address}/state", params={"episode_id": handle})
        if answer.status_code == 503:
            raise httpx2.TransportError("the store is away")
        _check(answer.status_code == 200, f"{handle} is gone: {answer.status_code} {answer.text[:300]}")
        count = answer.json()["step_count"]
        _check(count in {number - 1, number}, f"{handle} has {count} steps after {number - 1} were answered")
        self._tally.repeated += 1
        self._tally.stored += count == number

    async def _check_stored(self, handle: str, actions: list[Action]) -> None:
        """Look into the store: each step is there, once, in its order, with its request id."""
        store = open_store(self._rotation.store)
        try:
            record = await store.load(handle, touch=False)
        finally:
            await store.close()
        told = [(event.action, event.request_id) for event in record.events]
        wanted = [(action, f"{handle}/{number}") for number, action in enumerate(actions, 1)]
        _check(told == wanted, f"{handle}: {told} is stored, and {wanted} was done")


async def kill_at_moments(store: str, moments: int, server: RedisServer | None = None, seed: int = SEED) -> Tally:
    """Kill servers on a store at random moments while clients play, and give what they saw.

    Raises:
        LostError: if something that was answered is lost, doubled or other than it was.
    """
    tally, catalogue, chance = Tally(), Catalogue(), random.Random(seed)  # noqa: S311 - as above
    catalogue.load()
    with TemporaryDirectory() as directory:
        rotation = Rotation(store, Path(directory) / "log")
        await rotation.advance()
        players = [Player(number, rotation, catalogue, tally) for number in range(CLIENTS)]
        try:
            async with asyncio.TaskGroup() as tasks:
                for player in players:
                    tasks.create_task(player.play())
                for _ in range(moments):
                    if chance.randrange(EARLY):
                        await _await_step(tally)
                    await asyncio.sleep(chance.uniform(0.01, LONGEST))
                    if server is not None and chance.randrange(STORE_KILLED) == 0:
                        server.end(signal.SIGKILL)
                        await asyncio.to_thread(server.start)
                    else:
                        await rotation.advance()
                for player in players:
                    player.ending = True
        finally:
            await rotation.end()
        log = rotation.log.read_text("utf-8")
        _check("Traceback" not in log, f"a server failed: {log[-2000:]}")
    return tally


async def _await_step(tally: Tally) -> None:
    """Wait until another step is answered, for some seconds at most."""
    tally.stepped.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(WAITING):
            await tally.stepped.wait()


def _check(holds: bool, told: str) -> None:
    if not holds:
        raise LostError(told)


@contextmanager
def places() -> Iterator[dict[str, tuple[str, RedisServer | None]]]:
    """Where each store keeps episodes, and its server if it has one."""
    with TemporaryDirectory() as directory, redis_server() as server:
        yield {"sqlite": (f"{directory}/episodes.db", None), "redis": (server.address, server)}


def main() -> None:
    """Kill as often as asked for, and print what was seen."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else MOMENTS
    with places() as found:
        for name, (store, server) in found.items():
            began = time.monotonic()
            tally = asyncio.run(kill_at_moments(store, moments, server))
            took = time.monotonic() - began
            print(
                f"{name}: {moments} kills in {took:.0f} s; {tally.acknowledged} steps acknowledged, "
                f"each stored once; {tally.repeated} sent again, of which {tally.stored} had been stored; "
                f"{tally.finished} episodes finished with the score of an undisturbed run; {tally.refused} refusals",
                flush=True,
            )


if __name__ == "__main__":
    main()
