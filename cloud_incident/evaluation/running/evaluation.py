"""What an evaluation plays, and where."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import (
    UnknownAgentError,
    collect_agents,
    describe_parameters,
    identify_address,
    label_agent,
)
from cloud_incident.evaluation.running.conditions import (
    HERE,
    ConditionsRecord,
    Place,
    describe_conditions,
)
from cloud_incident.evaluation.running.environments import Environment, InProcess, describe_error
from cloud_incident.evaluation.running.remote import SURFACES, RemoteEnvironment
from cloud_incident.evaluation.running.schedule import Attempt, list_attempts
from scenarios.catalogue import CURATED_SPLIT, Catalogue, UnknownScenarioError
from scenarios.generator.naming import GENERATOR_VERSION
from scenarios.suggesting import describe_unknown
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cloud_incident.evaluation.agents import Agent, Seat
    from scenarios.generator.naming import GeneratorVersion
    from scenarios.generator.salt import Salt

_PROBE_SECONDS = 15.0

SPLIT_COUNT = 100
"""How many scenarios of a split and task are played if no count is given."""


class UnreachableError(RuntimeError):
    """The server that was to be played on does not answer. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Agents × scenarios × seeds × repeats, in process or on the server at `url`.

    The scenarios are those named; or, with a `split`, `count` of each task and each of the `difficulties` from index
    `start` on; or else the authored ones. `directories` hold further incidents. The `local` backend plays
    `concurrency` episodes at once. The `token` is sent to the server alone, and stands in no record.
    """

    agents: Sequence[str]
    directories: tuple[Path, ...] = ()
    salt: Salt | None = field(default=None, repr=False)
    tasks: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    split: str = ""
    generator: GeneratorVersion = GENERATOR_VERSION
    start: int = 0
    count: int | None = None
    difficulties: Sequence[int] = ()
    seeds: Sequence[int] = (0,)
    repeats: int = 1
    url: str = ""
    token: str = field(default="", repr=False)
    surface: str = "rest"
    concurrency: int = 8
    backend: str = "local"

    @property
    def catalogue(self) -> Catalogue:
        """The incidents. They are loaded once in a process."""
        return _load_catalogue(self.directories, self.salt)

    def list_attempts(self, place: Place = HERE) -> list[Attempt]:
        """List every attempt, with the conditions under which it is played at a place.

        Raises:
            UnknownAgentError: if an agent does not exist.
            SettingError: if an agent asks a model and a variable of the environment cannot be read or is missing.
            UnknownScenarioError: if a task, scenario, split or index does not exist, or options contradict.
        """
        agents, scenario_ids = list(self.find_agents()), self._list_scenario_ids()
        parameters = {label_agent(name): describe_parameters(name) for name in self.agents}
        shared = describe_conditions(place, salt=self.catalogue.salt_fingerprint, generator=self.generator)
        splits = {scenario_id: self.catalogue.find_split(scenario_id) for scenario_id in dict.fromkeys(scenario_ids)}
        conditions: dict[tuple[str, str], ConditionsRecord] = {
            (agent, split): {**shared, "split": split, "parameters": parameters[agent]}
            for agent, split in product(agents, dict.fromkeys(splits.values()))
        }
        return [
            replace(attempt, conditions=conditions[attempt.agent, splits[attempt.scenario_id]])
            for attempt in list_attempts(agents, scenario_ids, self.seeds, self.repeats)
        ]

    async def find_place(self) -> Place:
        """Find where the episodes are played. A server is asked for its version.

        Raises:
            UnreachableError: if no server answers at the address, or none that can be played on.
            ValueError: if it is no address.
        """
        if not self.url:
            return HERE
        address = identify_address(self.url)
        environment = self._reach_server()
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                version = await environment.ask_version()
        except TimeoutError as error:
            raise UnreachableError(
                f"{address} did not answer within {_PROBE_SECONDS:g} s. Nothing was played. "
                "Start the server there, or correct --url."
            ) from error
        except Exception as error:
            raise UnreachableError(
                f"{address} cannot be played on over {self.surface}: {describe_error(error)}. Nothing was played. "
                "Start the server there, or correct --url."
            ) from error
        finally:
            with suppress(Exception):  # the answer is there without a clean close
                await environment.close()
        return Place(self.surface, address, version)

    def make_environment(self) -> Environment:
        """Make an environment to play attempts in, one after another."""
        return self._reach_server() if self.url else InProcess(self.catalogue)

    def _reach_server(self) -> RemoteEnvironment:
        return SURFACES[self.surface](self.url.rstrip("/"), self.token)

    def find_agents(self) -> dict[str, Callable[[Seat], Agent]]:
        """Find the makers of the agents, by the names that the run gives to the agents.

        Raises:
            UnknownAgentError: if there is no such agent.
            SettingError: if an agent asks a model and a variable of the environment cannot be read.
        """
        agents = collect_agents()
        for name in self.agents:
            if name not in agents:
                raise UnknownAgentError(describe_unknown("agent", name, agents))
        return {label_agent(name): agents[name] for name in self.agents}

    def _list_scenario_ids(self) -> list[str]:
        for task in self.tasks:
            if task not in TASKS:
                raise UnknownScenarioError(describe_unknown("task", task, TASKS))
        if self.split and self.scenarios:
            raise UnknownScenarioError("Scenarios are named or taken from a split; leave one of the two out.")
        if self.split:
            return list(self._list_split_ids())
        if self.start or self.count or self.difficulties or self.generator != GENERATOR_VERSION:
            raise UnknownScenarioError("start, count, difficulty and generator choose in a split; give split as well.")
        if self.scenarios:
            entries = [self.catalogue.entry(scenario_id) for scenario_id in self.scenarios]
        else:
            entries = list(self.catalogue.split(CURATED_SPLIT))
        wanted = [entry.id for entry in entries if not self.tasks or entry.task.id in self.tasks]
        if not wanted:
            raise UnknownScenarioError(self._explain_no_scenario())
        return wanted

    def _explain_no_scenario(self) -> str:
        """Explain that the scenarios chosen and the tasks have nothing in common."""
        tasks = ", ".join(self.tasks)
        if self.scenarios:
            return f"{', '.join(self.scenarios)} belongs to none of {tasks}; leave one of the two out."
        return f"No curated scenario belongs to {tasks}; name scenarios or a split."

    def _list_split_ids(self) -> Iterator[str]:
        tasks = [task_id for task_id in TASKS if not self.tasks or task_id in self.tasks]
        for task_id, difficulty in product(tasks, self.difficulties or (None,)):
            size = len(self.catalogue.split(self.split, task_id, difficulty, self.generator))
            # At least one index is asked for, so that a start behind the end of the split is refused.
            count = self.count or max(min(SPLIT_COUNT, size - self.start), 1)
            for index in range(self.start, self.start + count):
                yield self.catalogue.entry_in(self.split, task_id, index, difficulty, self.generator).id


@lru_cache
def _load_catalogue(directories: tuple[Path, ...], salt: Salt | None) -> Catalogue:
    catalogue = Catalogue(directories, salt)
    catalogue.load()
    return catalogue
