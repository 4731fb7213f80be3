"""Which drill to start: the parameters of `start_drill`, and the selection that they come to."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from env_core.reference import DebriefMode, ObservationMode, RewardMode
from env_core.selection import MOST_TYPED_SEED, Handle, Selection, SelectionError, check_difficulty
from scenarios.catalogue import UnknownScenarioError
from scenarios.generator.naming import (
    DEFAULT_DIFFICULTY,
    DIFFICULTIES,
    GENERATOR_VERSION,
    GENERATORS,
    RUNNING_VERSION,
    SPLITS,
)
from scenarios.given import Given
from scenarios.parsing import parse_arguments, quote
from scenarios.suggesting import suggest
from scenarios.vocabulary import NAME_LIMIT, REMEDIATION_PLANNING, TASKS

START = "start_drill"
RANDOM = "random"
FIRST = f"{next(iter(TASKS.values())).code}-001"
"""The scenario that is started where nothing is named: the first one of the easiest task."""
_EXAMPLE = f"{REMEDIATION_PLANNING.code}-001"
_EASY, _HARD = min(DIFFICULTIES), max(DIFFICULTIES)
_LEFT_OUT = -1
_PROVED_SPLIT = next(iter(SPLITS))
"""Where a random incident that runs is taken from: almost none of those that a number names is proved."""


def _write_number(value: object) -> object:
    """A number as text: callers send the number of an incident as either, and JSON does not tell 3.0 from 3."""
    whole = type(value) is int or (isinstance(value, float) and value.is_integer())
    return f"{value:.0f}" if whole else value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=NAME_LIMIT)]


def _check_difficulty(value: int) -> int:
    return value and check_difficulty(value)


def _check_generator(value: int) -> int:
    if value and str(value) not in GENERATORS:
        raise ValueError(f"must be {' or '.join(GENERATORS)}; {value} was given")
    return value


class Drill(Given):
    """What to start. Each parameter has a default that means "left out", so that a caller may send all of them."""

    undone = "nothing was started"

    incident: Annotated[_Text, BeforeValidator(_write_number, json_schema_input_type=_Text)] = Field(
        default="",
        description=f"A scenario id such as {_EXAMPLE}; a number, which generates the same incident each time; or "
        f'"{RANDOM}". Empty: the first scenario of the task, or a random one of the difficulty.',
    )
    task_id: _Text = Field(default="", description=f"{', '.join(TASKS)}. Empty: any.")
    difficulty: Annotated[int, AfterValidator(_check_difficulty)] = Field(
        default=0,
        json_schema_extra={"minimum": 0, "maximum": _HARD},
        description=f"Of generated incidents, {_EASY} (easy) to {_HARD} (hard). 0: not chosen ({DEFAULT_DIFFICULTY}).",
    )
    generator: Annotated[int, AfterValidator(_check_generator)] = Field(
        default=0,
        json_schema_extra={"minimum": 0, "maximum": int(GENERATORS[-1])},
        description=f"Of generated incidents: {GENERATOR_VERSION} writes their evidence, those of {RUNNING_VERSION} "
        f"run, and a random one of them is proved. 0: not chosen ({GENERATOR_VERSION}).",
    )

    @property
    def names_scenario(self) -> bool:
        """Whether it names a scenario by its id, which needs no further choice."""
        return self.incident != "" and not (self._is_number or self._is_random)

    def select(self) -> Selection:
        """The selection that the parameters come to. A random drill without a task has one at random.

        Raises:
            UnknownScenarioError: if the task does not exist.
            SelectionError: if parameters contradict each other, or the number is too high.
        """
        if self.task_id not in {"", *TASKS}:
            told = [f"There is no task {quote(self.task_id)}.", suggest(self.task_id, TASKS)]
            raise UnknownScenarioError(" ".join(filter(None, [*told, f"Tasks: {', '.join(TASKS)}."])))
        generated = {"difficulty": self.difficulty or None, "generator": self.generator or None}
        selectors = {"task_id": self.task_id, **generated, **self._list_selectors()}
        return parse_arguments(START, Selection, selectors)

    def _list_selectors(self) -> dict[str, Any]:
        """The selectors that say which incident, beside task and difficulty."""
        if self._is_number:
            return {"seed": self._read_number()}
        if self._is_random or (not self.incident and (self.difficulty or self.generator)):
            split = _PROVED_SPLIT if str(self.generator) == RUNNING_VERSION else ""
            return {"random": True, "split": split, "task_id": self.task_id or secrets.choice(list(TASKS))}
        return {"scenario_id": self.incident}

    @property
    def _is_number(self) -> bool:
        return self.incident.isascii() and self.incident.isdigit()

    @property
    def _is_random(self) -> bool:
        return self.incident.casefold() == RANDOM

    def _read_number(self) -> int:
        number = int(self.incident)
        if number > MOST_TYPED_SEED:
            raise SelectionError(f"The number of an incident is 0 to {MOST_TYPED_SEED}; you gave {number}.")
        return number


class TrainingDrill(Drill):
    """What to start, with what trainers choose besides."""

    split: _Text = Field(default="", description="Split to take it from: by index, by the number, or a random one.")
    index: int = Field(
        default=_LEFT_OUT,
        ge=_LEFT_OUT,
        le=1_000_000,
        description=f"Its index in the split, from 0. {_LEFT_OUT}: not chosen.",
    )
    reward_mode: RewardMode = Field(
        default="dense", description="dense: a reward on each step. terminal: 0.0 until the end, then the score."
    )
    observation: ObservationMode = Field(
        default="full", description="Evidence in observations: full, all so far; delta, the last step's."
    )
    debrief: DebriefMode = Field(
        default="agent",
        description="Who learns score and debrief at the end. harness: all but an agent under test.",
    )
    episode_id: Handle = Field(default="", description="Handle to use; minted if empty.")

    def _list_selectors(self) -> dict[str, Any]:
        same = {"reward_mode", "observation", "debrief", "episode_id"}
        options = self.model_dump(include=same)
        return {**options, **self._list_split_selectors()}

    def _list_split_selectors(self) -> dict[str, Any]:
        if self.index != _LEFT_OUT:
            if not self.split or self.incident:
                raise SelectionError(
                    "index counts the incidents of a split; give split with it and leave incident out."
                )
            return {"split": self.split, "index": self.index}
        if not self.split:
            return super()._list_selectors()
        if self._is_number:
            return {"split": self.split, "seed": self._read_number()}
        if self._is_random or not self.incident:
            return {"split": self.split, "random": True}
        raise SelectionError(f"{self.incident} names an incident by itself; leave split out.")
