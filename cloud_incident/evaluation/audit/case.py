"""One incident of a sample while it is measured: its scenarios, and the trajectories of the agents."""

from __future__ import annotations

import asyncio
import time
from functools import cached_property
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import Agent, Seat
from cloud_incident.evaluation.audit.yardstick import measure_slowdown
from cloud_incident.evaluation.running import Attempt, InProcess, play_attempt, read_score
from scenarios.generator.incident import GeneratedIncident

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cloud_incident.evaluation.agents import Decision
    from cloud_incident.evaluation.audit.sample import Specimen
    from cloud_incident.evaluation.audit.world import AuditedWorld
    from cloud_incident.evaluation.running import Trajectory
    from env_core.observation import Observation
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.incident import Incident
    from scenarios.vocabulary import TaskId


class Bench:
    """Two catalogues of one world that share nothing, so that an incident can be made twice and compared."""

    def __init__(self, world: AuditedWorld) -> None:
        self.world = world
        self.players = world.list_players()
        self.first = world.make_catalogue()

    @cached_property
    def second(self) -> Catalogue:
        """The second catalogue."""
        return self.world.make_catalogue()


class Case:
    """One incident. `made_ms` is the CPU time in milliseconds it took; `slowdown`, how slow the machine was.

    `asked` names the checks that are made, so that nothing is measured for others.

    Raises:
        UnknownScenarioError: if there is no such incident.
        ExhaustedError: if it could not be made.
    """

    def __init__(self, bench: Bench, specimen: Specimen, tasks: Sequence[TaskId], asked: Collection[str]) -> None:
        self.bench = bench
        self.specimen = specimen
        self.asked = asked
        self.slowdown = measure_slowdown()
        began = time.thread_time()
        self.scenarios: dict[TaskId, Scenario] = {
            task_id: specimen.make_scenario(bench.first, task_id) for task_id in tasks
        }
        self.made_ms = (time.thread_time() - began) * 1000
        self._trajectories: dict[tuple[str, TaskId], Trajectory] = {}

    @property
    def incident(self) -> Incident:
        """The incident, as the first catalogue made it."""
        return next(iter(self.scenarios.values())).incident

    @property
    def generated(self) -> GeneratedIncident:
        """The incident, with the scene that it was made from.

        Raises:
            TypeError: if it was not generated.
        """
        if not isinstance(self.incident, GeneratedIncident):
            raise TypeError(f"{self.incident.id} was not generated")
        return self.incident

    @property
    def name(self) -> str:
        """The id of the incident."""
        return self.incident.id

    def remake(self, task_id: TaskId) -> Scenario:
        """Make the same scenario again, in the second catalogue."""
        return self.specimen.make_scenario(self.bench.second, task_id)

    def play(self, agent: str, task_id: TaskId) -> Trajectory:
        """Play an agent, by its name, and give the trajectory. It is played once and kept."""
        key = (agent, task_id)
        if key not in self._trajectories:
            self._trajectories[key] = asyncio.run(self._play(agent, self.scenarios[task_id]))
        return self._trajectories[key]

    async def _play(self, name: str, scenario: Scenario) -> Trajectory:
        attempt = Attempt(name, scenario.id)
        try:
            agent = self.bench.players[name](Seat(scenario, attempt.agent_seed))
        except Exception as error:
            agent = _FailingAgent(error)
        return await play_attempt(attempt, scenario, agent, InProcess(self.bench.first))

    def collect_scores(self, agents: Iterable[str]) -> dict[TaskId, dict[str, float]]:
        """Collect the scores of agents, 0.0 to 1.0, by task and agent.

        Raises:
            ValueError: if an episode failed, so that it has no score.
        """
        return {task_id: {name: read_score(self.play(name, task_id)) for name in agents} for task_id in self.scenarios}


class _FailingAgent(Agent):
    """Stands in for an agent that could not be made."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def decide(self, shown: Observation) -> Decision:  # noqa: ARG002 - an agent like any other
        raise self._error
