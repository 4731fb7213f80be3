"""The sample: which incidents are measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scenarios.catalogue import CURATED_SPLIT, UnknownScenarioError
from scenarios.generator.naming import DIFFICULTIES, OPEN, OUT_OF_DISTRIBUTION
from scenarios.suggesting import describe_unknown
from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.catalogue import Catalogue, Scenario

SPLITS = ("train", "validation", "test", OUT_OF_DISTRIBUTION)


class Specimen(NamedTuple):
    """One incident of a sample. `number` is its index in the split, or its seed if the split is `open`.

    `position` counts from 0 within the sample.
    """

    position: int
    split: str
    number: int
    difficulty: int

    def make_scenario(self, catalogue: Catalogue, task_id: TaskId) -> Scenario:
        """Make the scenario of a task on this incident, unless the catalogue has it already.

        Raises:
            UnknownScenarioError: if there is no such incident.
            ExhaustedError: if it could not be made.
        """
        first = next(iter(TASKS))  # each task of a split has its own incidents; here all tasks share those of the first
        if self.split == OPEN:
            found = catalogue.get_generated(first, self.number, self.difficulty)
        else:
            found = catalogue.in_split(self.split, first, self.number, self.difficulty)
        return found if task_id == first else catalogue.get(found.incident.scenarios[task_id])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`size` incidents, each in every task, spread over splits and difficulties.

    `start` is the first index of each split, or the first seed of `open`, the seeds that people type.
    """

    size: int = 300
    start: int = 0
    splits: Sequence[str] = field(default=SPLITS)
    difficulties: Sequence[int] = tuple(DIFFICULTIES)
    tasks: Sequence[TaskId] = tuple(TASKS)

    @classmethod
    def from_options(cls, *, tasks: Sequence[str] = tuple(TASKS), **options: Any) -> Sample:
        """Make a sample from task ids as they are written on the command line.

        Raises:
            UnknownScenarioError: if there is no such task.
        """
        for task_id in tasks:
            if task_id not in TASKS:
                raise UnknownScenarioError(describe_unknown("task", task_id, TASKS))
        return cls(tasks=tuple(task_id for task_id in TASKS if task_id in tasks), **options)

    def list_specimens(self) -> list[Specimen]:
        """List the incidents. Consecutive incidents differ in difficulty."""
        levels = len(self.difficulties)
        return [
            Specimen(
                position,
                self.splits[(self.start + position) // levels % len(self.splits)],
                self.start + position,
                self.difficulties[(self.start + position) % levels],
            )
            for position in range(self.size)
        ]

    def check(self, catalogue: Catalogue) -> None:
        """Check that the catalogue has these incidents.

        Raises:
            UnknownScenarioError: if a split does not exist, is written by hand, or ends before the sample does.
        """
        for name in self.splits:
            if name == CURATED_SPLIT:
                raise UnknownScenarioError(
                    f"The incidents of {name} are written by hand; audit generated ones: {OPEN}, {', '.join(SPLITS)}."
                )
            if name != OPEN:
                catalogue.entry_in(name, None, self.start + self.size - 1)
