"""Running an evaluation: many attempts at once, each written down when it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Seat
from cloud_incident.evaluation.environments import BrokenError, Reopened
from cloud_incident.evaluation.playing import played

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloud_incident.evaluation.agents.agent import Agent
    from cloud_incident.evaluation.environments import Environment
    from cloud_incident.evaluation.runfile import RunFile
    from cloud_incident.evaluation.schedule import Attempt
    from cloud_incident.evaluation.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

_BREATH = 16
"""Attempts between which others get their turn, where nothing else waits."""


_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before an attempt is begun again whose environment broke: a server restarts, or has no room just now."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Plays attempts in environments of one kind, `concurrency` of them at once."""

    catalogue: Catalogue
    agents: Mapping[str, Callable[[Seat], Agent]]
    environment: Callable[[], Environment]
    concurrency: int = 8

    async def run(
        self, attempts: Sequence[Attempt], file: RunFile, told: Callable[[Trajectory], None] = lambda _: None
    ) -> None:
        """Play every attempt that is not in the file yet, and write it there. `told` hears of each.

        Raises:
            BrokenError: if the environment kept breaking. What was not played is not written, and can be later.
        """
        left = iter([attempt for attempt in attempts if attempt.key not in file.done])
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self.concurrency):
                    tasks.create_task(self._work(left, file, told))
        except ExceptionGroup as errors:  # one worker's end ends the others; what else went wrong stays its cause
            raise errors.exceptions[0] from errors

    async def _work(self, left: Iterable[Attempt], file: RunFile, told: Callable[[Trajectory], None]) -> None:
        environment = Reopened(self.environment)
        try:
            for number, attempt in enumerate(left):
                trajectory = await self.attempt(attempt, environment)
                file.append(trajectory)
                told(trajectory)
                if number % _BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            await environment.close()

    async def attempt(self, attempt: Attempt, environment: Reopened) -> Trajectory:
        """Play one attempt, from its start again where the environment broke.

        Raises:
            BrokenError: if it kept breaking.
        """
        for wait in _WAITS:
            trajectory = await self._attempt(attempt, environment)
            if not environment.broken:
                return trajectory
            await asyncio.sleep(wait)
        trajectory = await self._attempt(attempt, environment)
        if environment.broken:
            raise BrokenError(f"{attempt.key} could not be played: {environment.broken}")
        return trajectory

    async def _attempt(self, attempt: Attempt, environment: Environment) -> Trajectory:
        if self.catalogue.is_at_hand(attempt.scenario_id):
            scenario = self.catalogue.get(attempt.scenario_id)
        else:  # others play on meanwhile
            scenario = await asyncio.to_thread(self.catalogue.get, attempt.scenario_id)
        agent = self.agents[attempt.agent](Seat(scenario, attempt.chance))
        try:
            return await played(attempt, scenario, agent, environment)
        finally:
            await agent.close()
