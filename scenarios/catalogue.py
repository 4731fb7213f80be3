"""The catalogue: which scenarios there are, and the incident and task that a scenario id names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from scenarios.errors import CloudIncidentError
from scenarios.generator import naming
from scenarios.generator.ids import OpaqueIds, PlainIds, UnknownNameError
from scenarios.generator.incidents import Incidents, list_scenario_ids
from scenarios.generator.naming import DEFAULT_DIFFICULTY, GENERATOR_VERSION, RUNNING_VERSION, Name
from scenarios.loading import DocumentError, load_document
from scenarios.running import (
    Asked,
    list_proved,
    list_proved_for,
    list_running,
    play_drawn,
    play_listed,
    play_to_first_look,
)
from scenarios.suggesting import describe_unknown
from scenarios.vocabulary import ALERT_CLASSIFICATION, REMEDIATION_PLANNING, TASKS, Task, TaskId

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from scenarios.authored import AuthoredIncident
    from scenarios.generator.ids import Ids
    from scenarios.generator.naming import GeneratorVersion, SplitKind
    from scenarios.generator.salt import Salt
    from scenarios.incident import Incident
    from scenarios.running.document import RunningDocument
    from scenarios.running.incident import RunningIncident

CURATED = Path(__file__).parent / "curated"
_FINGERPRINT = b"ci-fingerprint"
_FINGERPRINT_DIGITS = 16

CURATED_SPLIT = "curated"
"""The split of every authored scenario, those of further directories too."""

MOST_DRAWN_KEPT = 16
"""Incidents of generator 2 that are kept with their runs, some MB each, when no episode is on them any more."""
_MOST_TOLD = 5

RUNNING_SPLIT = "running"
"""Where scenarios belong to that run and are written by hand, or drawn and not proved. It is not listed."""


class UnknownScenarioError(CloudIncidentError):
    """A task, scenario, split or index that does not exist. The message lists what does."""

    code = "unknown_scenario"


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario as it is listed, without its incident. `difficulty` is 1 to 5, or None of an authored one."""

    id: str
    task: Task
    difficulty: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A task set on an incident. `difficulty` is 1 to 5, or None of an authored one."""

    id: str
    task: Task
    incident: Incident
    difficulty: int | None = None


class Split(Sequence[Entry]):
    """The scenarios of a split in the order of their indices. Each is looked up when it is asked for; none is made."""

    def __init__(self, name: str, size: int, at: Callable[[int], Entry]) -> None:
        self.name = name
        self._indices = range(size)
        self._at = at

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self._at(number) for number in self._indices[index]]
        return self._at(self._indices[index])


class Catalogue:
    """The curated incidents and those of any further directories, loaded when first asked for, and the generated ones.

    With a salt the ids of generated scenarios are opaque, and there is a private split.
    """

    def __init__(self, directories: Sequence[Path] = (), salt: Salt | None = None) -> None:
        self._directories = (CURATED, *directories)
        self._salt = salt
        self._ids: Ids = PlainIds() if salt is None else OpaqueIds(salt)
        written: Incidents = Incidents(self._ids)
        running: Incidents = Incidents(self._ids, most=MOST_DRAWN_KEPT, make=_draw_running)
        self._generated: dict[GeneratorVersion, Incidents] = {GENERATOR_VERSION: written, RUNNING_VERSION: running}
        self._running: dict[str, RunningIncident] = {}

    @cached_property
    def incidents(self) -> dict[str, AuthoredIncident]:
        """Every authored incident by id.

        Raises:
            DocumentError: if a document is not valid or two documents claim the same incident or scenario id.
        """
        incidents: dict[str, AuthoredIncident] = {}
        for path in self._documents():
            incident = _load_shipped(path) if path.parent == CURATED else load_document(path)
            if incident.id in incidents:
                raise DocumentError(f"{path}:1: incident: another document is already called {incident.id!r}")
            incidents[incident.id] = incident
        return incidents

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """Every authored scenario by id, task by task, in the order of their indices."""
        scenarios: dict[str, Scenario] = {}
        for task_id, task in TASKS.items():
            for incident in self.incidents.values():
                scenario_id = incident.scenarios.get(task_id)
                if scenario_id is None:
                    continue
                if scenario_id in scenarios:
                    other = scenarios[scenario_id].incident.id
                    raise DocumentError(f"Scenario {scenario_id} is declared by two incidents: {other}, {incident.id}.")
                scenarios[scenario_id] = Scenario(scenario_id, task, incident)
        return scenarios

    def load(self) -> None:
        """Load every authored incident now rather than at first use.

        Raises:
            DocumentError: as `incidents` and `scenarios` do.
        """
        _ = self.scenarios

    def of_task(self, task_id: TaskId) -> list[Scenario]:
        """The authored scenarios of a task in the order of their indices, the curated ones first."""
        return [scenario for scenario in self.scenarios.values() if scenario.task.id == task_id]

    @property
    def splits(self) -> dict[str, SplitKind]:
        """The splits by name, and what each is for."""
        generated = [split for split in naming.SPLITS.values() if self._salt or split.name != naming.PRIVATE]
        return {CURATED_SPLIT: "test", **{split.name: split.kind for split in generated}}

    def split(
        self,
        name: str,
        task_id: TaskId | None = None,
        difficulty: int | None = None,
        generator: GeneratorVersion = GENERATOR_VERSION,
    ) -> Split:
        """The scenarios of a split, of one task or of all; generated ones of a difficulty, or each of its own.

        Of generator 2 only those that are proved.

        Raises:
            UnknownScenarioError: if there is no such split, or its scenarios have no difficulty and one is asked for,
                or the generator has none in it.
        """
        name = name.casefold()
        if name not in self.splits:
            raise UnknownScenarioError(describe_unknown("split", name, self.splits))
        if generator == RUNNING_VERSION:
            return self._split_proved(name, task_id, difficulty)
        if name == CURATED_SPLIT:
            if difficulty is not None:
                raise UnknownScenarioError(
                    f"The scenarios of split {name} have no difficulty; leave it out, or take another split."
                )
            authored = self.of_task(task_id) if task_id else list(self.scenarios.values())
            return Split(name, len(authored), lambda index: Entry(authored[index].id, authored[index].task))
        split = naming.SPLITS[name]
        return Split(
            name,
            split.size,
            lambda index: self._list_entry(naming.name_in(split, task_id, index, self._salt), difficulty),
        )

    def _split_proved(self, name: str, task_id: TaskId | None, difficulty: int | None) -> Split:
        """The proved draws of generator 2 in the region of a split. Without a task the tasks take turns."""
        proved = [
            (seed, level)
            for seed, level in (list_proved() if task_id is None else list_proved_for(task_id))
            if naming.region_of(seed) == name and difficulty in {None, level}
        ]
        if not proved:
            level = "" if difficulty is None else f" of difficulty {difficulty}"
            have = dict.fromkeys(naming.region_of(seed) for seed, _ in list_proved())
            raise UnknownScenarioError(
                f"Split {name} has no proved incident{level} of generator {RUNNING_VERSION}; "
                f"these have some: {', '.join(have)}."
            )
        tasks = [task_id] if task_id else list(TASKS)

        def find(index: int) -> Entry:
            seed, level = proved[index]
            task = tasks[index % len(tasks)] if naming.count_causes(seed, level) == 1 else REMEDIATION_PLANNING.id
            return self._list_entry(Name(task, seed, level, generator=RUNNING_VERSION))

        return Split(name, len(proved), find)

    def entry_in(
        self,
        name: str,
        task_id: TaskId | None,
        index: int,
        difficulty: int | None = None,
        generator: GeneratorVersion = GENERATOR_VERSION,
    ) -> Entry:
        """What is at an index of a split, without its incident.

        Raises:
            UnknownScenarioError: as `split` does, and if there is no such index.
        """
        split = self.split(name, task_id, difficulty, generator)
        if not 0 <= index < len(split):
            raise UnknownScenarioError(
                f"Split {name} has scenarios 0 to {len(split) - 1}{f' of {task_id}' if task_id else ''}; "
                f"there is no index {index}."
            )
        return split[index]

    def in_split(self, name: str, task_id: TaskId | None, index: int, difficulty: int | None = None) -> Scenario:
        """The scenario of a split at an index.

        Raises:
            UnknownScenarioError: as `entry_in` does.
        """
        return self.get(self.entry_in(name, task_id, index, difficulty).id)

    def find_generated_entry(
        self,
        task_id: TaskId,
        seed: int,
        difficulty: int = DEFAULT_DIFFICULTY,
        generator: GeneratorVersion = GENERATOR_VERSION,
    ) -> Entry:
        """What a seed (0 to 2^63 - 1) and a difficulty (1 to 5) name, without its incident."""
        return self._list_entry(Name(task_id, seed, difficulty, generator=generator))

    def get_generated(
        self,
        task_id: TaskId,
        seed: int,
        difficulty: int = DEFAULT_DIFFICULTY,
        generator: GeneratorVersion = GENERATOR_VERSION,
    ) -> Scenario:
        """The generated scenario of a seed (0 to 2^63 - 1) and a difficulty (1 to 5)."""
        return self.get(self.find_generated_entry(task_id, seed, difficulty, generator).id)

    def entry(self, scenario_id: str) -> Entry:
        """What an id names, in whatever case it is written, without its incident.

        Raises:
            UnknownScenarioError: if there is none.
        """
        written = scenario_id.strip().upper()
        if authored := self.scenarios.get(written):
            return Entry(authored.id, authored.task)
        if running := list_running().get(written):
            return Entry(written, TASKS[running[0]])
        return self._list_entry(self._name(scenario_id))

    def get(self, scenario_id: str) -> Scenario:
        """The scenario of an id, in whatever case it is written. A generated one may have to be made, a running one
        to be played up to its beginning.

        Raises:
            UnknownScenarioError: if there is none.
        """
        written = scenario_id.strip().upper()
        if authored := self.scenarios.get(written):
            return authored
        if running := list_running().get(written):
            return Scenario(written, TASKS[running[0]], self._play(running[1]))
        name = self._name(scenario_id)
        entry = self._list_entry(name)
        if name.task_id not in _list_tasks(name):
            other = self._ids.scenario(name._replace(task_id=REMEDIATION_PLANNING.id))
            raise UnknownScenarioError(f"{entry.id} is set in one task only: {other}.")
        incident = self._generated[name.generator].get(name)
        if name.task_id not in incident.scenarios:
            raise UnknownScenarioError(
                f"{entry.id} has no proof, so nobody knows what repairs it. Play its seed in another task, or one "
                f"of the listed draws in this one: {', '.join(self._list_proved(name.task_id)) or 'there are none'}."
            )
        return Scenario(entry.id, entry.task, incident, entry.difficulty)

    def prepare(self, scenario_ids: Iterable[str]) -> list[Incident]:
        """Make the incidents together that cost less so: the listed draws of generator 2 among some scenarios.

        `get` gives them at once for as long as somebody holds them. They are the same as if `get` had made each alone.

        Raises:
            UnknownScenarioError: if there is no such scenario.
        """
        looks = self._count_looks(scenario_ids)

        def play(names: Sequence[Name], ids: Ids) -> Iterator[Incident]:
            return play_listed([_ask(name, ids, looks[name]) for name in names])

        return self._generated[RUNNING_VERSION].prepare(looks, play) if looks else []

    def _count_looks(self, scenario_ids: Iterable[str]) -> dict[Name, int]:
        """How many looks the tasks allow that are set on each listed draw, by one name for all of its tasks."""
        looks: dict[Name, int] = {}
        for scenario_id in scenario_ids:
            written = scenario_id.strip().upper()
            if written in self.scenarios or written in list_running():
                continue
            name = self._name(scenario_id)
            if name.generator == RUNNING_VERSION and (name.drawn, name.difficulty) in list_proved():
                shared = name._replace(task_id=ALERT_CLASSIFICATION.id)
                looks[shared] = max(looks.get(shared, 0), TASKS[name.task_id].max_steps)
        return looks

    def is_at_hand(self, scenario_id: str) -> bool:
        """Whether `get` need not make an incident, which costs milliseconds of CPU.

        Raises:
            UnknownScenarioError: if there is no such scenario.
        """
        written = scenario_id.strip().upper()
        if written in self.scenarios:
            return True
        if running := list_running().get(written):
            return running[1].incident in self._running
        name = self._name(scenario_id)
        return self._generated[name.generator].kept(name) is not None

    def origin(self, scenario_id: str) -> tuple[Name, str]:
        """What a generated scenario is drawn by, and the id of its incident. None is made.

        Raises:
            UnknownScenarioError: if it is not the id of one.
        """
        name = self._name(scenario_id)
        return name, self._ids.incident(name)

    def find_split(self, scenario_id: str) -> str:
        """The split that a scenario belongs to; `open` for the seeds that people type.

        Raises:
            UnknownScenarioError: if there is no such scenario.
        """
        written = scenario_id.strip().upper()
        if written in self.scenarios:
            return CURATED_SPLIT
        if written in list_running():
            return RUNNING_SPLIT
        name = self._name(scenario_id)
        if name.generator == RUNNING_VERSION and (name.drawn, name.difficulty) not in list_proved():
            return RUNNING_SPLIT
        return naming.region_of(name.drawn)

    @property
    def salt_fingerprint(self) -> str:
        """What tells two salts apart, and from which no salt can be computed; empty without a salt."""
        return self._salt.key(_FINGERPRINT).hex()[:_FINGERPRINT_DIGITS] if self._salt is not None else ""

    def _play(self, document: RunningDocument) -> RunningIncident:
        if document.incident not in self._running:
            made_after = self.incidents[document.after]
            self._running[document.incident] = play_to_first_look(document, made_after)
        return self._running[document.incident]

    def _list_proved(self, task_id: TaskId) -> list[str]:
        """The first draws of generator 2 that are proved, by their ids."""
        names = [Name(task_id, seed, difficulty, generator=RUNNING_VERSION) for seed, difficulty in list_proved()]
        return [self._ids.scenario(name) for name in names[:_MOST_TOLD]]

    def _name(self, scenario_id: str) -> Name:
        try:
            name = self._ids.parse(scenario_id)
        except UnknownNameError as error:
            raise UnknownScenarioError(str(error)) from error
        if name is None:
            listed = f"{', '.join(self.scenarios)}; {self._ids.hint}"
            raise UnknownScenarioError(describe_unknown("scenario", scenario_id, self.scenarios, listed))
        return name

    def _list_entry(self, name: Name, difficulty: int | None = None) -> Entry:
        if difficulty is not None:
            name = name._replace(difficulty=difficulty)
        return Entry(self._ids.scenario(name), TASKS[name.task_id], name.difficulty)

    def at(self, task_id: str, index: int) -> Scenario:
        """The scenario of a task at an index.

        Raises:
            UnknownScenarioError: if there is no such task or index.
        """
        task = next((task for task in TASKS.values() if task.id == task_id), None)
        if task is None:
            raise UnknownScenarioError(describe_unknown("task", task_id, TASKS))
        scenarios = self.of_task(task.id)
        if not 0 <= index < len(scenarios):
            raise UnknownScenarioError(f"{task_id} has scenarios 0 to {len(scenarios) - 1}; there is no index {index}.")
        return scenarios[index]

    def _documents(self) -> Iterator[Path]:
        for directory in self._directories:
            yield from list_documents(directory)


def _list_tasks(name: Name) -> Collection[TaskId]:
    """The tasks that may be set on a generated incident: one answer names one cause."""
    is_running = name.generator == RUNNING_VERSION
    if is_running and naming.count_causes(name.drawn, name.difficulty) > 1:
        return (REMEDIATION_PLANNING.id,)
    return TASKS


def _ask(name: Name, ids: Ids, looks: int) -> Asked:
    return Asked(name.drawn, name.difficulty, ids.incident(name), list_scenario_ids(name, ids), looks)


def _draw_running(name: Name, ids: Ids) -> Incident:
    return play_drawn(name.drawn, name.difficulty, ids.incident(name), list_scenario_ids(name, ids))


@cache
def _load_shipped(path: Path) -> AuthoredIncident:
    """An incident that comes with this package: its document does not change while a process runs."""
    return load_document(path)


def list_documents(directory: Path) -> list[Path]:
    """The documents of incidents in a directory, in the order in which they are loaded.

    Raises:
        DocumentError: if there is no such directory, or no document in it.
    """
    if not directory.is_dir():
        raise DocumentError(f"{directory}: no such directory of scenarios")
    found = sorted(path for path in directory.iterdir() if path.is_file() and path.suffix in {".yaml", ".yml"})
    if not found:
        raise DocumentError(f"{directory}: holds no .yaml file; incidents stand directly in the directory")
    return found
