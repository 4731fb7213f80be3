"""Which incident to start: what `reset`, `start_incident` and the command line all take."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from env_core.episode import RULES_VERSION, ObservationMode, Reference, RewardMode
from scenarios.actions import NAME_LIMIT, WHOLE
from scenarios.catalogue import CURATED_SPLIT
from scenarios.tasks import TaskId

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue, Scenario

Seed = Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE]
Index = Annotated[int, Field(ge=0, le=1_000_000), WHOLE]


def _given(value: object) -> object:
    return None if value == "" else value


def absent_as_empty(value: object) -> object:
    """An explicit null means the same as leaving the field out."""
    return "" if value is None else value


_Handle = Annotated[str, StringConstraints(max_length=128, pattern=r"^([A-Za-z0-9][A-Za-z0-9._:-]*)?$")]
Handle = Annotated[_Handle, BeforeValidator(absent_as_empty, json_schema_input_type=_Handle | None)]
"""An episode id: letters, digits and `._:-`; empty where none is given."""

_OptionalName = Annotated[str, StringConstraints(max_length=NAME_LIMIT)]
OptionalName = Annotated[_OptionalName, BeforeValidator(absent_as_empty, json_schema_input_type=_OptionalName | None)]

OptionalTask = Annotated[TaskId | None, BeforeValidator(_given, json_schema_input_type=TaskId | None)]

RESERVED_HANDLE = "current"
"""Stands for the one episode that is open, wherever a handle may stand."""


class SelectionError(ValueError):
    """Selectors that contradict each other. The message says which, and what to give instead."""


class Selection(BaseModel):
    """What to start. A selection that names nothing is alert_classification, scenario 0."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    task_id: Annotated[TaskId | None, BeforeValidator(_given, json_schema_input_type=TaskId | None)] = Field(
        default=None, description="Task to start; alert_classification if nothing is named."
    )
    scenario_id: OptionalName = Field(default="", description="Scenario to start, such as RCA-001.")
    scenario_index: Index | None = Field(default=None, description="Scenario of the task by its index, from 0.")
    split: OptionalName = Field(default="", description="Split to take it from: at `index`, or drawn by the seed.")
    index: Index | None = Field(default=None, description="Scenario of the split by its index, from 0.")
    seed: Seed | None = Field(
        default=None,
        description="Draw a scenario by this seed; the same seed, the same scenario.",
    )
    random: bool = Field(default=False, description="Draw a scenario at random; the seed drawn is reported.")
    episode_id: Handle = Field(default="", description="Handle to use for the episode; minted if not given.")
    reward_mode: RewardMode = Field(
        default="dense", description="dense: a reward on every step. terminal: 0.0 until the end, then the score."
    )
    observation: ObservationMode = Field(
        default="full",
        description="Evidence in observations: full, all so far; delta, the last step's.",
    )

    def resolve(self, catalogue: Catalogue) -> tuple[Scenario, Reference]:
        """The scenario selected and the reference to it.

        Raises:
            SelectionError: if selectors contradict each other.
            UnknownScenarioError: if a scenario, task or index does not exist.
        """
        self._check_selectors()
        if self.episode_id == RESERVED_HANDLE:
            raise SelectionError(
                f"{RESERVED_HANDLE!r} stands for the incident that is open; choose another episode_id."
            )
        seed = self.seed
        if self.scenario_id:
            scenario = self._named(catalogue)
        elif self.index is not None:
            scenario = catalogue.in_split(self.split, self.task_id, self.index)
        elif self.random or self.split or (seed is not None and self.scenario_index is None):
            seed = secrets.randbelow(2**31) if seed is None else seed
            scenario = self._drawn(catalogue, seed)
        else:
            scenario = catalogue.at(self.task_id or "alert_classification", self.scenario_index or 0)
        return scenario, Reference.to(scenario, self.reward_mode, seed, self.observation)

    def _check_selectors(self) -> None:
        ways = {
            "scenario_id": self.scenario_id != "",
            "scenario_index": self.scenario_index is not None,
            "index": self.index is not None,
            "random": self.random,
        }
        given = [name for name, value in ways.items() if value]
        if self.random and self.seed is not None:
            given.append("seed")
        if self.split:
            given += [f"split (with {name})" for name in ("scenario_id", "scenario_index") if ways[name]]
        if len(given) > 1:
            raise SelectionError(f"{' and '.join(given)} contradict each other; give one of them.")
        if self.index is not None and not self.split:
            raise SelectionError("index counts the scenarios of a split; give split as well, or scenario_index.")

    def _named(self, catalogue: Catalogue) -> Scenario:
        scenario = catalogue.get(self.scenario_id)
        if self.task_id and scenario.task.id != self.task_id:
            raise SelectionError(
                f"{scenario.id} belongs to {scenario.task.id}, not to {self.task_id}; name one of the two."
            )
        return scenario

    def _drawn(self, catalogue: Catalogue, seed: int) -> Scenario:
        pool = catalogue.split(self.split or CURATED_SPLIT, self.task_id)
        drawn = hashlib.sha256(f"{RULES_VERSION}:{self.task_id or ''}:{seed}".encode()).digest()
        return pool[int.from_bytes(drawn[:8]) % len(pool)]
