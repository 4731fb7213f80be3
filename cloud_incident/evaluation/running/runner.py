"""Plays many attempts at once, and writes each trajectory when its attempt ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import Seat
from cloud_incident.evaluation.running.environments import BrokenError, ReopeningEnvironment
from cloud_incident.evaluation.running.episode_loop import play_attempt

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
    ) -> None:
        """Play every attempt that is not in the file yet, and append its trajectory. `on_trajectory` is called with it.

        Raises:
            BrokenError: if the environment keeps failing. A later run plays the attempts that were not written.
        """
        pending = iter([attempt for attempt in attempts if attempt.key not in file.done])
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self.concurrency):
                    tasks.create_task(self._work(pending, file, on_trajectory))
        except ExceptionGroup as errors:  # the first error ends all workers; the others stay as its cause
            raise errors.exceptions[0] from errors

    async def _work(
        self, pending: Iterator[Attempt], file: RunFile, on_trajectory: Callable[[Trajectory], None]
    ) -> None:
        environment = ReopeningEnvironment(self.environment)
        try:
            for number, attempt in enumerate(pending):
                trajectory = await self.play(attempt, environment)
                file.append(trajectory)
                on_trajectory(trajectory)
                if number % _BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            await environment.close()

    async def play(self, attempt: Attempt, environment: ReopeningEnvironment) -> Trajectory:
        """Play one attempt, and give its trajectory. It starts again when the environment fails.

        Raises:
            BrokenError: if the environment keeps failing.
        """
        for wait in _WAITS:
            trajectory = await self._play_once(attempt, environment)
            if not environment.broken:
                return trajectory
            await asyncio.sleep(wait)
        trajectory = await self._play_once(attempt, environment)
        if environment.broken:
            raise BrokenError(f"{attempt.key} could not be played: {environment.broken}")
        return trajectory

    async def _play_once(self, attempt: Attempt, environment: Environment) -> Trajectory:
        if self.catalogue.is_at_hand(attempt.scenario_id):
            scenario = self.catalogue.get(attempt.scenario_id)
        else:  # making an incident takes long; the other workers go on meanwhile
            scenario = await asyncio.to_thread(self.catalogue.get, attempt.scenario_id)
        agent = self.agents[attempt.agent](Seat(scenario, attempt.agent_seed))
        try:
            return await play_attempt(attempt, scenario, agent, environment)
        finally:
            await agent.close()
