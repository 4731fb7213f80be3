"""What an evaluation plays, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import UnknownAgentError, collect_agents, label_agent
from cloud_incident.evaluation.running.environments import Environment, InProcess
from cloud_incident.evaluation.running.remote import SURFACES
from cloud_incident.evaluation.running.schedule import Attempt, list_attempts
from scenarios.catalogue import CURATED_SPLIT, Catalogue, UnknownScenarioError
from scenarios.suggesting import describe_unknown
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cloud_incident.evaluation.agents import Agent, Seat
    from scenarios.generator.salt import Salt

SPLIT_COUNT = 100
"""How many scenarios of a split and task are played if no count is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Agents × scenarios × seeds × repeats, in process or on the server at `url`.

    The scenarios are those named; or, with a `split`, `count` of each task and each of the `difficulties` from index
    `start` on; or else the authored ones. `directories` hold further incidents. The `local` backend plays
    `concurrency` episodes at once.
    """

    agents: Sequence[str]
    directories: tuple[Path, ...] = ()
    salt: Salt | None = field(default=None, repr=False)
    tasks: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    split: str = ""
    start: int = 0
    count: int | None = None
    difficulties: Sequence[int] = ()
    seeds: Sequence[int] = (0,)
    repeats: int = 1
    url: str = ""
    surface: str = "rest"
    concurrency: int = 8
    backend: str = "local"

    @property
    def catalogue(self) -> Catalogue:
        """The incidents. They are loaded once in a process."""
        return _load_catalogue(self.directories, self.salt)

    def list_attempts(self) -> list[Attempt]:
        """List every attempt.

        Raises:
            UnknownAgentError: if an agent does not exist.
            UnknownScenarioError: if a task, scenario, split or index does not exist, or options contradict.
        """
        return list_attempts(list(self.find_agents()), self._list_scenario_ids(), self.seeds, self.repeats)

    def make_environment(self) -> Environment:
        """Make an environment to play attempts in, one after another."""
        return SURFACES[self.surface](self.url.rstrip("/")) if self.url else InProcess(self.catalogue)

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
        if self.start or self.count or self.difficulties:
            raise UnknownScenarioError("start, count and difficulty choose in a split; give split as well.")
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
            size = len(self.catalogue.split(self.split, task_id, difficulty))
            # At least one index is asked for, so that a start behind the end of the split is refused.
            count = self.count or max(min(SPLIT_COUNT, size - self.start), 1)
            for index in range(self.start, self.start + count):
                yield self.catalogue.entry_in(self.split, task_id, index, difficulty).id


@lru_cache
def _load_catalogue(directories: tuple[Path, ...], salt: Salt | None) -> Catalogue:
    catalogue = Catalogue(directories, salt)
    catalogue.load()
    return catalogue
