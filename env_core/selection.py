"""Which incident to start: what `reset`, `start_drill` and the command line all take."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from env_core.reference import DebriefMode, ObservationMode, Reference, RewardMode
from scenarios.catalogue import CURATED_SPLIT
from scenarios.errors import CloudIncidentError
from scenarios.generator.naming import DEFAULT_DIFFICULTY, DIFFICULTIES, GENERATOR_VERSION, GeneratorVersion
from scenarios.given import Given
from scenarios.vocabulary import NAME_LIMIT, TASKS, TaskId
from scenarios.vocabulary.parameters import SchemaPattern

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue, Entry, Scenario

MOST_TYPED_SEED = 2**48 - 1
"""The largest seed that is given as a number. Those of the splits are larger, and occur only in scenario ids."""


def _refuse_larger_seed(seed: int) -> int:
    if seed > MOST_TYPED_SEED:
        raise ValueError(
            f"must be 0 to {MOST_TYPED_SEED}, because JSON clients round larger numbers; "
            "start a scenario whose id has a larger seed by its scenario_id"
        )
    return seed


Seed = Annotated[int, Field(ge=0), AfterValidator(_refuse_larger_seed)]
"""A seed that is given as a number. Its schema names no largest one: JSON clients round it, and some providers of
models refuse a schema that has it."""
_SEED_RANGE = f"0 to {MOST_TYPED_SEED}, which every JSON client keeps exactly"

MOST_INDEX = 1_000_000
"""The largest index of a scenario."""

Index = Annotated[int, Field(ge=0, le=MOST_INDEX)]


def check_difficulty(value: int) -> int:
    """A difficulty that exists.

    Raises:
        ValueError: if it does not.
    """
    if value not in DIFFICULTIES:
        raise ValueError(f"must be {min(DIFFICULTIES)} (easy) to {max(DIFFICULTIES)} (hard); {value} was given")
    return value


Difficulty = Annotated[
    int,
    AfterValidator(check_difficulty),
    Field(json_schema_extra={"minimum": min(DIFFICULTIES), "maximum": max(DIFFICULTIES)}),
]


def _read_version(value: object) -> object:
    return str(value) if type(value) is int else value


def _read_blank(value: object) -> object:
    return None if value == "" else value


_HANDLE_PATTERN = r"^([A-Za-z0-9][A-Za-z0-9._:-]*)?$"
_HANDLE = re.compile(_HANDLE_PATTERN.replace("$", r"\Z"))


def _check_handle(value: str) -> str:
    if not _HANDLE.match(value):
        raise ValueError("must consist of letters, digits and `._:-` and begin with a letter or a digit")
    return value


Handle = Annotated[
    str, StringConstraints(max_length=128), AfterValidator(_check_handle), SchemaPattern(_HANDLE_PATTERN)
]
"""An episode id: letters, digits and `._:-`; empty where none is given."""

OptionalName = Annotated[str, StringConstraints(max_length=NAME_LIMIT)]
"""A name; empty where none is given."""

OptionalTask = Annotated[TaskId | None, BeforeValidator(_read_blank, json_schema_input_type=TaskId | None)]
"""A task; empty where none is given."""

RESERVED_HANDLE = "current"
"""Stands for the one episode that is open, wherever a handle may stand."""


_FIRST_TASK: TaskId = next(iter(TASKS))
_DRAWING = "1"
"""Changes whenever the same seed would draw another scenario from a split."""


MOST_STEPS = 1_000_000
"""More steps than any episode has."""


class SelectionError(CloudIncidentError):
    """Selectors that contradict each other. The message says which, and what to give instead."""

    code = "contradictory_selection"


class Chosen(NamedTuple):
    """What a selection comes to: a scenario by its id, and the seed that was given or drawn."""

    scenario_id: str
    seed: int | None


class Selection(Given):
    """What to start. A selection that names nothing means the first scenario of the first task."""

    undone = "nothing was started"

    selector_names: ClassVar[Mapping[str, str]] = {}
    """What the caller calls the selectors that it knows by other names than these."""

    task_id: OptionalTask = Field(default=None, description=f"Task to start; {_FIRST_TASK} if nothing is named.")
    scenario_id: OptionalName = Field(default="", description="Scenario to start, such as RCA-001.")
    scenario_index: Index | None = Field(default=None, description="Its index in the task, from 0.")
    split: OptionalName = Field(default="", description="Split to take it from, by index or seed.")
    index: Index | None = Field(default=None, description="Its index in the split, from 0.")
    seed: Seed | None = Field(
        default=None,
        description=f"Generates an incident, or draws from the split. {_SEED_RANGE}.",
    )
    difficulty: Difficulty | None = Field(
        default=None,
        description=f"Of a generated incident; {DEFAULT_DIFFICULTY} by a seed alone.",
    )
    generator: Annotated[GeneratorVersion, BeforeValidator(_read_version)] | None = Field(
        default=None,
        description="Whose incident a seed or split names: 1 writes it, of 2 it runs. 1 if not given.",
    )
    random: bool = Field(default=False, description="Draws a seed; it is reported.")
    episode_id: Handle = Field(default="", description="Handle to use; minted if not given.")
    reward_mode: RewardMode = Field(
        default="dense", description="dense: a reward on each step. terminal: 0.0 until the end, then the score."
    )
    observation: ObservationMode = Field(
        default="full",
        description="Evidence in observations: full, all so far; delta, the last step's.",
    )
    debrief: DebriefMode = Field(
        default="agent",
        description="Who learns score and debrief at the end. harness: all but the agent at its endpoint.",
    )
    replace: bool = Field(default=False, description="Closes the episode that has the handle, finished or not.")
    incarnation: OptionalName = Field(
        default="", description="With replace: the incarnation that is to be closed; no other one is."
    )

    def resolve(self, catalogue: Catalogue) -> tuple[Scenario, Reference]:
        """The scenario selected and the reference to it.

        Raises:
            SelectionError, UnknownScenarioError: as `choose` does.
        """
        chosen = self.choose(catalogue)
        scenario = catalogue.get(chosen.scenario_id)
        return scenario, self.reference(scenario, chosen.seed)

    def choose(self, catalogue: Catalogue) -> Chosen:
        """Which scenario is selected. No incident is made.

        Raises:
            SelectionError: if selectors contradict each other.
            UnknownScenarioError: if a scenario, task, split or index does not exist.
        """
        self._check_selectors()
        seed = self.seed
        if self.scenario_id:
            return Chosen(self._find_named(catalogue).id, seed)
        if self.index is not None:
            entry = catalogue.entry_in(self.split, self.task_id, self.index, self.difficulty, self._version)
            return Chosen(entry.id, seed)
        if self._draws:
            seed = secrets.randbelow(2**31) if seed is None else seed
            return Chosen(self._draw(catalogue, seed).id, seed)
        return Chosen(catalogue.at(self.task_id or _FIRST_TASK, self.scenario_index or 0).id, seed)

    def reference(self, scenario: Scenario, seed: int | None) -> Reference:
        """The reference of an episode on a scenario with the options selected."""
        return Reference.to(scenario, self.reward_mode, seed, self.observation, self.debrief)

    @property
    def _version(self) -> GeneratorVersion:
        return self.generator or GENERATOR_VERSION

    @property
    def _draws(self) -> bool:
        if self.scenario_index is not None:
            return False
        drawn = (self.seed, self.difficulty, self.generator)
        return self.random or self.split != "" or any(value is not None for value in drawn)

    def _check_selectors(self) -> None:
        ways = {
            "scenario_id": self.scenario_id != "",
            "scenario_index": self.scenario_index is not None,
            "index": self.index is not None,
            "random": self.random,
        }
        call = self._call_selector
        given = [call(name) for name, value in ways.items() if value]
        if self.random and self.seed is not None:
            given.append(call("seed"))
        if self.split and (ways["scenario_id"] or ways["scenario_index"]):
            given.append(call("split"))
        if len(given) > 1:
            raise SelectionError(f"{' and '.join(given)} contradict each other; give one of them.")
        if self.index is not None and not self.split:
            raise SelectionError(
                f"{call('index')} counts the scenarios of a split; give {call('split')} as well, or "
                f"{call('scenario_index')}."
            )
        if self.episode_id == RESERVED_HANDLE:
            raise SelectionError(
                f"{RESERVED_HANDLE!r} stands for the incident that is open; choose another {call('episode_id')}."
            )
        if self.replace and not self.episode_id:
            raise SelectionError("replace closes the episode that has the handle; give its episode_id as well.")
        if self.incarnation and not self.replace:
            raise SelectionError("incarnation says which episode is closed for the new one; give replace true as well.")
        if self.difficulty is not None and (self.scenario_index is not None or self.split.casefold() == CURATED_SPLIT):
            name = call("difficulty")
            raise SelectionError(
                f"{name} is for generated incidents, and these are written by hand; leave {name} out, "
                "or give it with a seed or another split."
            )

        if self.generator is not None and any(ways[name] for name in ("scenario_id", "scenario_index")):
            raise SelectionError(
                f"{call('generator')} says whose incidents a seed or split is of, and names have generators of their "
                f"own. Leave {call('generator')} out."
            )

    def _call_selector(self, name: str) -> str:
        return self.selector_names.get(name, name)

    def _find_named(self, catalogue: Catalogue) -> Entry:
        entry = catalogue.entry(self.scenario_id)
        if self.task_id and entry.task.id != self.task_id:
            raise SelectionError(f"{entry.id} belongs to {entry.task.id}, not to {self.task_id}; name one of the two.")
        if self.difficulty not in {None, entry.difficulty}:
            own = f"has difficulty {entry.difficulty}" if entry.difficulty else "is hand-written and has no difficulty"
            raise SelectionError(f"{entry.id} {own}; name it without one.")
        return entry

    def _draw(self, catalogue: Catalogue, seed: int) -> Entry:
        if not self.split:
            return catalogue.find_generated_entry(
                self.task_id or _FIRST_TASK,
                seed,
                self.difficulty or DEFAULT_DIFFICULTY,
                self._version,
            )
        pool = catalogue.split(self.split, self.task_id, self.difficulty, self._version)
        drawn = hashlib.sha256(f"{_DRAWING}:{self.task_id or ''}:{seed}".encode()).digest()
        return pool[int.from_bytes(drawn[:8]) % len(pool)]
