"""Runs: agents that play on the server, frame by frame, for as long as somebody watches."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from anyio import CapacityLimiter, to_thread
from typing_extensions import TypedDict

from cloud_incident.console.environment import ServiceEnvironment
from cloud_incident.console.notes import write_note
from cloud_incident.console.refusals import RunsFullError, UnknownRunError
from cloud_incident.evaluation.agents import Seat
from cloud_incident.evaluation.running import Attempt, BrokenError, play_attempt
from env_core.frames import draw_frame
from http_compat.jsontext import to_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from cloud_incident.console.roster import Player
    from cloud_incident.evaluation.running import EnvironmentReply, StepTaken
    from env_core.selection import Selection
    from env_core.service import EpisodeService

_ID_BYTES = 16
_EXPECTED_FAILURE = "ModelError: "
"""Begins failures whose messages are written for visitors; of others the kind is said as well."""
NOBODY_WATCHED = "Nobody was watching any more, so the run was stopped; start it again."
STOPPED = "The server was stopped; start the run again."
PULSE_SECONDS = 15.0
"""Seconds without a frame after which a watcher gets a comment, so that proxies do not hang up."""


class Ending(TypedDict):
    """How a run ended: with a score, or why without one."""

    frames: int
    score: float | None
    failed: str | None


class NumberedFrame(NamedTuple):
    """A frame, as JSON, and its number."""

    number: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How many runs are played at once at most, and how many are kept, those that have ended included.

    A run that nobody has watched for `unwatched_seconds` is stopped, and after `idle_seconds` it is forgotten.
    """

    playing: int = 8
    kept: int = 64
    unwatched_seconds: float = 30.0
    idle_seconds: float = 900.0


class Run:
    """A run of the caller `owner`: its frames so far, and how many watch it.

    `watched_at` is when it was last watched, in seconds.
    """

    def __init__(self, scenario_id: str, task_id: str, clock: Callable[[], float], owner: str = "") -> None:
        self.id = secrets.token_hex(_ID_BYTES)
        self.owner = owner
        self.scenario_id = scenario_id
        self.task_id = task_id
        self.ending: Ending | None = None
        self.watchers = 0
        self._clock = clock
        self.watched_at = clock()
        self._frames: list[bytes] = []
        self._news = asyncio.Event()

    def show(self, frame: bytes) -> None:
        """Add a frame, which is JSON."""
        self._frames.append(frame)
        self._wake()

    def end(self, score: float | None, failed: str | None) -> None:
        """Say that no more frames will come. Only the first end counts."""
        if self.ending is None:
            self.ending = {"frames": len(self._frames), "score": score, "failed": failed}
            self._wake()

    async def stream_frames(self, after: int = -1) -> AsyncGenerator[NumberedFrame | None]:
        """The frames after the one of a number, until the run ends. None stands for PULSE_SECONDS without a frame."""
        self.watchers += 1
        try:
            number = max(after + 1, 0)
            while True:
                news = self._news
                while number < len(self._frames):
                    yield NumberedFrame(number, self._frames[number])
                    number += 1
                if self.ending is not None:
                    return
                try:
                    async with asyncio.timeout(PULSE_SECONDS):
                        await news.wait()
                except TimeoutError:
                    yield None
        finally:
            self.watchers -= 1
            self.watched_at = self._clock()

    def measure_unwatched(self) -> float:
        """Seconds since somebody last watched; 0.0 while somebody does."""
        return 0.0 if self.watchers else self._clock() - self.watched_at

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Runs:
    """The runs of a server. Only who started a run knows its id."""

    def __init__(
        self, service: EpisodeService, limits: RunLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._limits = limits or RunLimits()
        self._clock = clock
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._opening = 0
        self._seating = CapacityLimiter(1)  # some agents compute when they are made; more threads would only wait

    async def start(self, player: Player, selection: Selection) -> Run:
        """Open an episode and have an agent play it.

        Raises:
            RunsFullError: if there is no room.
            SelectionError, UnknownScenarioError, CapacityError, EpisodeExistsError: as the episode service does.
        """
        self._make_room()
        self._opening += 1
        try:
            episode = await self._service.create(selection)
        finally:
            self._opening -= 1
        environment = ServiceEnvironment(self._service, episode)
        run = Run(episode.reference.scenario_id, episode.task.id, self._clock, self._service.caller.name)
        self._runs[run.id] = run
        playing = asyncio.create_task(self._play_to_end(run, player, environment))
        self._tasks[run.id] = playing
        playing.add_done_callback(lambda _: self._tasks.pop(run.id, None))
        self._stop_unwatched(run, playing)
        return run

    def find(self, run_id: str) -> Run:
        """The run of an id.

        Raises:
            UnknownRunError: if there is none.
        """
        run = self._runs.get(run_id)
        if run is None or not self._service.caller.may_see(run.owner):
            raise UnknownRunError(
                f"There is no run {run_id[:80]!r}: it was never started or has expired; POST /console/runs starts one."
            )
        return run

    async def close(self) -> None:
        """Stop every run and forget all of them."""
        for run in self._runs.values():
            run.end(None, STOPPED)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._runs.clear()

    def _make_room(self) -> None:
        limits = self._limits
        for run in [run for run in self._runs.values() if run.measure_unwatched() > limits.idle_seconds]:
            self._forget(run)
        if len(self._tasks) + self._opening >= limits.playing:
            raise RunsFullError(f"{limits.playing} runs are being played, which is the limit; try again in a minute.")
        while len(self._runs) >= limits.kept:
            oldest = next((run for run in self._runs.values() if run.ending and not run.watchers), None)
            if oldest is None:
                raise RunsFullError(
                    f"All {limits.kept} runs that are kept are being played or watched; try again in a minute."
                )
            self._forget(oldest)

    def _forget(self, run: Run) -> None:
        del self._runs[run.id]
        if (task := self._tasks.get(run.id)) is not None:
            task.cancel()

    async def _play_to_end(self, run: Run, player: Player, environment: ServiceEnvironment) -> None:
        """Play a run, say how it ended, and release what it held."""
        try:
            await self._play(run, player, environment)
        except BrokenError as error:
            run.end(None, str(error))
        except asyncio.CancelledError:
            run.end(None, NOBODY_WATCHED)
        except Exception:
            run.end(None, "The agent failed on this server; its log says how.")
            raise
        finally:
            with suppress(Exception):
                await player.close()
            await environment.close()

    async def _play(self, run: Run, player: Player, environment: ServiceEnvironment) -> None:
        reference = environment.episode.reference
        scenario = self._service.catalogue.get(reference.scenario_id)
        attempt = Attempt(player.name, scenario.id, reference.seed or 0, reward_mode=reference.reward_mode)
        agent = await to_thread.run_sync(player.make, Seat(scenario, attempt.agent_seed), limiter=self._seating)

        def show_step(step: StepTaken, _: EnvironmentReply) -> None:
            run.show(to_json(draw_frame(environment.episode, write_note(step))))

        run.show(to_json(draw_frame(environment.episode)))
        try:
            trajectory = await play_attempt(attempt, scenario, agent, environment, show_step)
        finally:
            await agent.close()
        failed, gave_up = trajectory.get("failed"), trajectory.get("gave_up")
        if failed is not None:
            run.end(None, explain_failure(failed))
        elif gave_up is not None:
            run.end(None, _begin_sentence(gave_up))
        else:
            run.end(trajectory["score"], None)

    def _stop_unwatched(self, run: Run, playing: asyncio.Task[None]) -> None:
        """Stop a run when nobody has watched it for a while. A model that plays on would cost somebody money."""
        remaining = self._limits.unwatched_seconds - run.measure_unwatched()
        if remaining <= 0:
            playing.cancel()
        elif not playing.done():
            asyncio.get_running_loop().call_later(remaining, self._stop_unwatched, run, playing)


def explain_failure(failed: str) -> str:
    """Why an episode was not played to its end, in words for a visitor."""
    if failed.startswith(_EXPECTED_FAILURE):
        return _begin_sentence(failed.removeprefix(_EXPECTED_FAILURE))
    return f"The run failed: {failed}"


def _begin_sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}"
