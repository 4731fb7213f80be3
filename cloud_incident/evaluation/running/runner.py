"""Plays many attempts at once, and writes each trajectory when its attempt ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import Seat
from cloud_incident.evaluation.running.environments import ReopeningEnvironment, describe_error
from cloud_incident.evaluation.running.episode_loop import HopelessError, fail_attempt, play_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cloud_incident.evaluation.agents import Agent
    from cloud_incident.evaluation.running.environments import Environment
    from cloud_incident.evaluation.running.run_file import RunFile
    from cloud_incident.evaluation.running.schedule import Attempt
    from cloud_incident.evaluation.running.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

_BREATH = 16
"""After this many attempts a worker lets the others run, because an in-process episode never waits."""

_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before an attempt is played again after its environment failed: a server may restart or be full."""


_PATIENCE = 3
"""After this many episodes in a row whose environment kept failing, no further episode is begun."""


class _Course:
    """The course of a run: why no further episode is begun, or an empty text while there is no such reason."""

    def __init__(self) -> None:
        self.stopped = ""
        self._broken = 0

    def note_environment(self, broken: str) -> None:
        """Note that an episode was played, and the failure of its environment if that kept failing."""
        self._broken = self._broken + 1 if broken else 0
        if self._broken >= _PATIENCE:
            self.stopped = f"the environment failed in {self._broken} episodes in a row: {broken}"


@dataclass(frozen=True, slots=True)
class Runner:
    """Plays attempts in environments of one kind, `concurrency` of them at once."""

    catalogue: Catalogue
    agents: Mapping[str, Callable[[Seat], Agent]]
    environment: Callable[[], Environment]
    concurrency: int = 8

    async def run(
        self,
        attempts: Sequence[Attempt],
        file: RunFile,
        on_trajectory: Callable[[Trajectory], None] = lambda _: None,
    ) -> str:
        """Play every attempt that has no result in the file yet, and append its trajectory.

        `on_trajectory` is called with it. Returns why the run was stopped before its end, or an empty text.
        """

        def keep(trajectory: Trajectory) -> None:
            file.append(trajectory)
            on_trajectory(trajectory)

        return await self.play_all([attempt for attempt in attempts if attempt.key not in file.done], keep)

    async def play_all(self, attempts: Sequence[Attempt], keep: Callable[[Trajectory], None]) -> str:
        """Play attempts, and call `keep` with each trajectory when its attempt ends.

        A model that cannot be asked, and an environment that keeps failing, stop the run: attempts that were not begun
        are left out. Returns why, or an empty text.
        """
        pending, course = iter(attempts), _Course()
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(self.concurrency, len(attempts))):
                    tasks.create_task(self._work(pending, keep, course))
        except ExceptionGroup as errors:  # the first error ends all workers; the others stay as its cause
            raise errors.exceptions[0] from errors
        return course.stopped

    async def _work(self, pending: Iterator[Attempt], keep: Callable[[Trajectory], None], course: _Course) -> None:
        environment = ReopeningEnvironment(self.environment)
        try:
            for number in count():
                attempt = None if course.stopped else next(pending, None)
                if attempt is None:
                    return
                try:
                    keep(await self.play(attempt, environment))
                except HopelessError as error:
                    course.stopped = str(error)
                    keep(error.trajectory)
                course.note_environment(environment.broken)
                if number % _BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            await environment.close()

    async def play(self, attempt: Attempt, environment: ReopeningEnvironment) -> Trajectory:
        """Play one attempt, and give its trajectory. It starts again when the environment fails.

        If the environment keeps failing, the trajectory is that of the last time, and failed.

        Raises:
            HopelessError: if the agent needs a model that cannot be asked at all.
        """
        for wait in _WAITS:
            trajectory = await self._play_once(attempt, environment)
            if not environment.broken:
                return trajectory
            await asyncio.sleep(wait)
        return await self._play_once(attempt, environment)

    async def _play_once(self, attempt: Attempt, environment: Environment) -> Trajectory:
        if self.catalogue.is_at_hand(attempt.scenario_id):
            scenario = self.catalogue.get(attempt.scenario_id)
        else:  # making an incident takes long; the other workers go on meanwhile
            scenario = await asyncio.to_thread(self.catalogue.get, attempt.scenario_id)
        try:
            agent = self.agents[attempt.agent](Seat(scenario, attempt.agent_seed))
        except Exception as error:
            return fail_attempt(attempt, scenario, f"the agent could not be made: {describe_error(error)}")
        try:
            return await play_attempt(attempt, scenario, agent, environment)
        finally:
            await agent.close()
