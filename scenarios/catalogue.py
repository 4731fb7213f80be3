"""The catalogue: which incidents there are, and the incident and task that a scenario id names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.loading import DocumentError, load_document
from scenarios.tasks import TASKS, Task, TaskId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.authored import AuthoredIncident

CURATED = Path(__file__).parent / "curated"
CURATED_SPLIT = "curated"
"""The split of every authored scenario, those of further directories too."""


class UnknownScenarioError(LookupError):
    """A task, scenario or index that does not exist. The message lists what does."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A task set on an incident. `index` counts the task's scenarios from 0, the curated ones first."""

    id: str
    task: Task
    index: int
    incident: AuthoredIncident


class Catalogue:
    """The curated incidents and those of any further directories, loaded when first asked for."""

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        self._directories = (CURATED, *directories)

    @cached_property
    def incidents(self) -> dict[str, AuthoredIncident]:
        """Every incident by id.

        Raises:
            DocumentError: if a document is not valid or two documents claim the same incident or scenario id.
        """
        incidents: dict[str, AuthoredIncident] = {}
        for path in self._documents():
            incident = load_document(path)
            if incident.id in incidents:
                raise DocumentError(f"{path}:1: incident: another document is already called {incident.id!r}")
            incidents[incident.id] = incident
        return incidents

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """Every scenario by id, task by task, in the order of their indices."""
        scenarios: dict[str, Scenario] = {}
        for task_id, task in TASKS.items():
            index = 0
            for incident in self.incidents.values():
                scenario_id = incident.scenarios.get(task_id)
                if scenario_id is None:
                    continue
                if scenario_id in scenarios:
                    other = scenarios[scenario_id].incident.id
                    raise DocumentError(f"Scenario {scenario_id} is declared by two incidents: {other}, {incident.id}.")
                scenarios[scenario_id] = Scenario(scenario_id, task, index, incident)
                index += 1
        return scenarios

    def load(self) -> None:
        """Load every incident now rather than at first use.

        Raises:
            DocumentError: as `incidents` and `scenarios` do.
        """
        _ = self.scenarios

    def of_task(self, task_id: TaskId) -> list[Scenario]:
        """The scenarios of a task, by index."""
        return [scenario for scenario in self.scenarios.values() if scenario.task.id == task_id]

    @property
    def splits(self) -> list[str]:
        """The names of the splits."""
        return [CURATED_SPLIT]

    def split(self, name: str, task_id: TaskId | None = None) -> list[Scenario]:
        """The scenarios of a split, of one task or of all.

        Raises:
            UnknownScenarioError: if there is no such split.
        """
        if name.casefold() not in self.splits:
            raise UnknownScenarioError(f"Unknown split {name[:80]!r}. Splits: {', '.join(self.splits)}.")
        return self.of_task(task_id) if task_id else list(self.scenarios.values())

    def in_split(self, name: str, task_id: TaskId | None, index: int) -> Scenario:
        """The scenario of a split at an index.

        Raises:
            UnknownScenarioError: if there is no such split or index.
        """
        scenarios = self.split(name, task_id)
        if not 0 <= index < len(scenarios):
            raise UnknownScenarioError(
                f"Split {name} has scenarios 0 to {len(scenarios) - 1}{f' of {task_id}' if task_id else ''}; "
                f"there is no index {index}."
            )
        return scenarios[index]

    def get(self, scenario_id: str) -> Scenario:
        """The scenario of an id, in whatever case it is written.

        Raises:
            UnknownScenarioError: if there is none.
        """
        scenario = self.scenarios.get(scenario_id.strip().upper())
        if scenario is None:
            raise UnknownScenarioError(
                f"Unknown scenario {scenario_id[:80]!r}. Scenarios: {', '.join(self.scenarios)}."
            )
        return scenario

    def at(self, task_id: str, index: int) -> Scenario:
        """The scenario of a task at an index.

        Raises:
            UnknownScenarioError: if there is no such task or index.
        """
        task = next((task for task in TASKS.values() if task.id == task_id), None)
        if task is None:
            raise UnknownScenarioError(f"Unknown task {task_id[:80]!r}. Tasks: {', '.join(TASKS)}.")
        scenarios = self.of_task(task.id)
        if not 0 <= index < len(scenarios):
            raise UnknownScenarioError(f"{task_id} has scenarios 0 to {len(scenarios) - 1}; there is no index {index}.")
        return scenarios[index]

    def _documents(self) -> Iterator[Path]:
        for directory in self._directories:
            if not directory.is_dir():
                raise DocumentError(f"{directory}: no such directory of scenarios")
            files = (path for path in directory.iterdir() if path.is_file())
            found = sorted(path for path in files if path.suffix in {".yaml", ".yml"})
            if not found:
                raise DocumentError(f"{directory}: holds no .yaml file; incidents stand directly in the directory")
            yield from found
