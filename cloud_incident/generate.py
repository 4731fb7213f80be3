"""Generated incidents written as frozen documents, to a directory that other commands take as `--scenarios`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_incident.scaffold import SCHEMA_NAME, render_schema
from scenarios.catalogue import CURATED_SPLIT
from scenarios.generator.freeze import freeze, frozen_id
from scenarios.generator.incident import GeneratedIncident
from scenarios.generator.naming import DEFAULT_DIFFICULTY
from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scenarios.catalogue import Catalogue


_MOST_NAMED = 3
"""How many existing files a refusal names."""


class GenerateError(ValueError):
    """Incidents that cannot be written. The message says why and what to give instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChoice:
    """Which incidents to write: by seeds, or those of a split at indices. Each for `tasks`, or for all if empty."""

    seeds: tuple[int, ...] = ()
    split: str = ""
    indices: tuple[int, ...] = ()
    difficulty: int | None = None
    tasks: tuple[TaskId, ...] = ()

    def list_scenario_ids(self, catalogue: Catalogue) -> list[str]:
        """The id of one scenario of each incident. No incident is made.

        Raises:
            UnknownScenarioError: if there is no such split or index.
        """
        if self.split:
            only = self.tasks[0] if len(self.tasks) == 1 else None
            return [catalogue.entry_in(self.split, only, index, self.difficulty).id for index in self.indices]
        task = self.tasks[0] if self.tasks else next(iter(TASKS))
        difficulty = self.difficulty or DEFAULT_DIFFICULTY
        return [catalogue.find_generated_entry(task, seed, difficulty).id for seed in self.seeds]


def select_incidents(
    *,
    seeds: Sequence[int],
    split: str,
    indices: Sequence[int],
    start: int | None,
    count: int | None,
    difficulty: int | None,
    tasks: Sequence[TaskId],
) -> IncidentChoice:
    """Choose incidents by single seeds or indices, or `count` of them from `start` on.

    Raises:
        GenerateError: if they contradict each other.
    """
    if split.casefold() == CURATED_SPLIT:
        raise GenerateError(f"The incidents of split {CURATED_SPLIT} are written down already; take another split.")
    option, numbers = ("--index", indices) if split else ("--seed", seeds)
    if split and seeds:
        raise GenerateError("--seed and --split contradict each other; a split counts its incidents by --index.")
    if indices and not split:
        raise GenerateError("--index counts the incidents of a split; give --split as well, or --seed.")
    if len(numbers) > 1 and count is not None:
        raise GenerateError(f"--count goes on from one {option}; give one, or name each and leave --count out.")
    if numbers and start is not None:
        raise GenerateError(f"--start and {option} contradict each other; give one of them.")
    first = numbers[0] if numbers else start or 0
    chosen = tuple(numbers) if len(numbers) > 1 else tuple(range(first, first + (count or 1)))
    return IncidentChoice(
        seeds=() if split else chosen,
        split=split,
        indices=chosen if split else (),
        difficulty=difficulty,
        tasks=tuple(dict.fromkeys(tasks)),
    )


def write_incidents(
    choice: IncidentChoice, directory: Path, catalogue: Catalogue, *, force: bool
) -> Iterator[tuple[Path, str]]:
    """Write each incident and, last, the schema beside them; gives each file and a line on what it holds.

    Raises:
        GenerateError: if a file is there already and `force` is not given (then none is written), or a directory
            cannot be written to.
        UnknownScenarioError: if there is no such split or index.
    """
    scenario_ids = choice.list_scenario_ids(catalogue)
    files = {directory / f"{frozen_id(catalogue.origin(name)[1])}.yaml": name for name in scenario_ids}
    existing = [str(file) for file in files if file.exists()]
    if existing and not force:
        more = f" and {len(existing) - _MOST_NAMED} more" if len(existing) > _MOST_NAMED else ""
        named = ", ".join(existing[:_MOST_NAMED])
        raise GenerateError(f"{named}{more} exist; give --force to write over, or another --out.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file, scenario_id in files.items():
            yield file, _write_incident(catalogue, scenario_id, choice.tasks, file)
        schema = directory / SCHEMA_NAME
        schema.write_text(render_schema(), "utf-8")
    except OSError as error:
        raise GenerateError(f"{directory} cannot be written to: {error.strerror}.") from error
    yield schema, "for editors"


def _write_incident(catalogue: Catalogue, scenario_id: str, tasks: tuple[TaskId, ...], file: Path) -> str:
    incident = catalogue.get(scenario_id).incident
    if not isinstance(incident, GeneratedIncident):
        raise TypeError(f"{scenario_id} is not a generated scenario")
    text = freeze(incident, catalogue.origin(scenario_id)[0], tasks or tuple(TASKS))
    file.write_text(text, "utf-8")
    chosen = [frozen_id(incident.scenarios[task]).upper() for task in TASKS if not tasks or task in tasks]
    return f"{', '.join(chosen)} · {len(incident.services)} services · {len(text.encode()) // 1000} kB"
