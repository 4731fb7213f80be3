"""Which incidents are measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scenarios.catalogue import CURATED_SPLIT, UnknownScenarioError
from scenarios.generator.naming import DIFFICULTIES, OPEN, OUT_OF_DISTRIBUTION
from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.catalogue import Catalogue, Scenario

SPLITS = ("train", "validation", "test", OUT_OF_DISTRIBUTION)


class Specimen(NamedTuple):
    """One incident of a sample: the `number`-th of a split, or a seed where the split is `open`.

    `position` counts from 0 within the sample.
    """

    position: int
    split: str
    number: int
    difficulty: int

    def scenario(self, catalogue: Catalogue, task_id: TaskId) -> Scenario:
        """The incident as a scenario of a task, made if it is not there yet."""
        first = next(iter(TASKS))  # the tasks of a split have incidents of their own; here they share one
        if self.split == OPEN:
            found = catalogue.get_generated(first, self.number, self.difficulty)
        else:
            found = catalogue.in_split(self.split, first, self.number, self.difficulty)
        return found if task_id == first else catalogue.get(found.incident.scenarios[task_id])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """So many incidents, each set in every task, spread over splits and difficulties.

    `start` is the first index of each split, and the first seed of `open`, which are the seeds that people type.
    """

    size: int = 300
    start: int = 0
    splits: Sequence[str] = field(default=SPLITS)
    difficulties: Sequence[int] = tuple(DIFFICULTIES)
    tasks: Sequence[TaskId] = tuple(TASKS)

    @classmethod
    def of(cls, *, tasks: Sequence[str] = tuple(TASKS), **options: Any) -> Sample:
        """A sample of tasks as they are written on the command line.

        Raises:
            UnknownScenarioError: if there is no such task.
        """
        for task_id in tasks:
            if task_id not in TASKS:
                raise UnknownScenarioError(f"Unknown task {task_id!r}. Tasks: {', '.join(TASKS)}.")
        return cls(tasks=tuple(task_id for task_id in TASKS if task_id in tasks), **options)

    def specimens(self) -> list[Specimen]:
        """The incidents, difficulty after difficulty."""
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
        """See that there are such incidents.

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
