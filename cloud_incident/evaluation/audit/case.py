"""One incident of a sample while it is measured: its scenarios, and what everyone made of them."""

from __future__ import annotations

import asyncio
import time
from functools import cached_property
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Seat
from cloud_incident.evaluation.environments import InProcess
from cloud_incident.evaluation.playing import played
from cloud_incident.evaluation.schedule import Attempt
from scenarios.generator.incident import GeneratedIncident

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_incident.evaluation.agents.agent import Decision
    from cloud_incident.evaluation.audit.sample import Specimen
    from cloud_incident.evaluation.audit.world import World
    from cloud_incident.evaluation.trajectory import Trajectory
    from env_core.observation import Observation
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.incident import Incident
    from scenarios.vocabulary import TaskId


class Bench:
    """Two catalogues of one world, which share nothing: what is made twice must be the same."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.players = world.players()
        self.first = world.catalogue()

    @cached_property
    def second(self) -> Catalogue:
        return self.world.catalogue()


class Case:
    """One incident. `made_ms` is the CPU time that it took to make it.

    Raises:
        UnknownScenarioError, ExhaustedError: if there is no such incident, or it could not be made.
    """

    def __init__(self, bench: Bench, specimen: Specimen, tasks: Sequence[TaskId]) -> None:
        self.bench = bench
        self.specimen = specimen
        began = time.thread_time()
        self.scenarios: dict[TaskId, Scenario] = {task_id: specimen.scenario(bench.first, task_id) for task_id in tasks}
        self.made_ms = (time.thread_time() - began) * 1000
        self._trajectories: dict[tuple[str, TaskId], Trajectory] = {}

    @property
    def incident(self) -> Incident:
        return next(iter(self.scenarios.values())).incident

    @property
    def generated(self) -> GeneratedIncident:
        """The incident, with the scene that it is made from.

        Raises:
            TypeError: if it was not generated.
        """
        if not isinstance(self.incident, GeneratedIncident):
            raise TypeError(f"{self.incident.id} was not generated")
        return self.incident

    @property
    def name(self) -> str:
        return self.incident.id

    def again(self, task_id: TaskId) -> Scenario:
        """The same scenario, made anew."""
        return self.specimen.scenario(self.bench.second, task_id)

    def played(self, agent: str, task_id: TaskId) -> Trajectory:
        """The trajectory of an agent, by its name."""
        key = (agent, task_id)
        if key not in self._trajectories:
            self._trajectories[key] = asyncio.run(self._played(agent, self.scenarios[task_id]))
        return self._trajectories[key]

    async def _played(self, name: str, scenario: Scenario) -> Trajectory:
        attempt = Attempt(name, scenario.id)
        try:
            agent = self.bench.players[name](Seat(scenario, attempt.chance))
        except Exception as error:
            agent = _Unable(error)
        return await played(attempt, scenario, agent, InProcess(self.bench.first))

    def scores(self, agents: Iterable[str]) -> dict[TaskId, dict[str, float]]:
        """What agents earned, by task."""
        return {task_id: {name: self.played(name, task_id)["score"] for name in agents} for task_id in self.scenarios}


class _Unable(Agent):
    """Stands in for an agent that could not be made."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def decide(self, shown: Observation) -> Decision:  # noqa: ARG002 - an agent like any other
        raise self._error
