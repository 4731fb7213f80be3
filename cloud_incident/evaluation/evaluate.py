"""`cloud-incident evaluate`: what is to be played, where, and what is said while it goes on."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import click

from cloud_incident.evaluation.cluster import run_on_ray
from cloud_incident.evaluation.environments import Environment, InProcess
from cloud_incident.evaluation.players import in_a_run, players
from cloud_incident.evaluation.remote import SURFACES
from cloud_incident.evaluation.runfile import RunFile
from cloud_incident.evaluation.runner import Runner
from cloud_incident.evaluation.schedule import Attempt, schedule
from scenarios.catalogue import CURATED_SPLIT, Catalogue, UnknownScenarioError
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cloud_incident.evaluation.agents.agent import Agent, Seat
    from cloud_incident.evaluation.trajectory import Trajectory
    from scenarios.generator.salt import Salt

SPLIT_COUNT = 100
"""Scenarios of a split and task that are played where no count is given, if there are as many."""

_MOST_DIGESTS = 20
"""Generated incidents that are made anew to see that they are those of a run that goes on; their ids pin the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Agents × scenarios × seeds × repeats, in process or on a server. `directories` hold further incidents.

    The scenarios are those named, or `count` of a `split` from index `start` on, of each task and of each of the
    `difficulties`, or else the authored ones.
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
        """The incidents; loaded once in a process."""
        return _catalogue(self.directories, self.salt)

    def attempts(self) -> list[Attempt]:
        """Every attempt.

        Raises:
            UnknownScenarioError: if an agent, task, scenario, split or index does not exist, or options contradict.
        """
        return schedule(list(self.players()), self._scenario_ids(), self.seeds, self.repeats)

    def environment(self) -> Environment:
        """Where one attempt after another is played."""
        return SURFACES[self.surface](self.url.rstrip("/")) if self.url else InProcess(self.catalogue)

    def players(self) -> dict[str, Callable[[Seat], Agent]]:
        """Who plays, by the names that the run gives them.

        Raises:
            UnknownScenarioError: if there is no such agent.
        """
        everyone = players()
        for name in self.agents:
            if name not in everyone:
                raise UnknownScenarioError(f"Unknown agent {name!r}. Agents: {', '.join(everyone)}.")
        return {in_a_run(name): everyone[name] for name in self.agents}

    def _scenario_ids(self) -> list[str]:
        for task in self.tasks:
            if task not in TASKS:
                raise UnknownScenarioError(f"Unknown task {task!r}. Tasks: {', '.join(TASKS)}.")
        if self.split and self.scenarios:
            raise UnknownScenarioError("Scenarios are named or taken from a split; leave one of the two out.")
        if self.split:
            return list(self._in_split())
        if self.start or self.count or self.difficulties:
            raise UnknownScenarioError("start, count and difficulty choose in a split; give split as well.")
        named = [self.catalogue.entry(one) for one in self.scenarios] or self.catalogue.split(CURATED_SPLIT)
        wanted = [one.id for one in named if not self.tasks or one.task.id in self.tasks]
        if not wanted:
            raise UnknownScenarioError(
                f"{', '.join(self.scenarios)} belongs to none of {', '.join(self.tasks)}; leave one of the two out."
            )
        return wanted

    def _in_split(self) -> Iterator[str]:
        tasks = [task_id for task_id in TASKS if not self.tasks or task_id in self.tasks]
        for task_id, difficulty in product(tasks, self.difficulties or (None,)):
            size = len(self.catalogue.split(self.split, task_id, difficulty))
            stop = self.start + self.count if self.count else min(self.start + SPLIT_COUNT, size)
            for index in range(self.start, max(stop, self.start + 1)):
                yield self.catalogue.entry_in(self.split, task_id, index, difficulty).id


def evaluated(evaluation: Evaluation, path: Path) -> None:
    """Play what is not in the file yet, with a display of how far it is.

    Raises:
        UnknownScenarioError: if an agent, task or scenario does not exist.
        RunInUseError: if another evaluation writes the file.
        NoRayError: if Ray is asked for and not installed.
        BrokenError: if the environment kept breaking.
        ValueError: if the file holds something else, or attempts at incidents that have been changed since.
    """
    attempts = evaluation.attempts()
    with RunFile(path) as file:
        _refuse_stale(attempts, file, evaluation.catalogue)
        left = sum(attempt.key not in file.done for attempt in attempts)
        if left < len(attempts):
            click.echo(f"{len(attempts) - left} of {len(attempts)} episodes are in {path} already.", err=True)
        progress = _Progress(left)
        with progress.bar as bar:
            _run(evaluation, attempts, file, lambda trajectory: progress.tell(bar, trajectory))


def _refuse_stale(attempts: list[Attempt], file: RunFile, catalogue: Catalogue) -> None:
    generated = 0
    for attempt in attempts:
        then = file.digests.get(attempt.key)
        if then is not None and attempt.scenario_id not in catalogue.scenarios:
            generated += 1
            if generated > _MOST_DIGESTS:
                continue
        if then is not None and then != catalogue.get(attempt.scenario_id).incident.digest:
            raise ValueError(
                f"{attempt.scenario_id} has changed since {attempt.key} was played; name a new file as --out."
            )


def _run(evaluation: Evaluation, attempts: list[Attempt], file: RunFile, told: Callable[[Trajectory], None]) -> None:
    if evaluation.backend == "ray":
        run_on_ray(evaluation, attempts, file, told)
    else:
        runner = Runner(evaluation.catalogue, evaluation.players(), evaluation.environment, evaluation.concurrency)
        asyncio.run(runner.run(attempts, file, told))


@lru_cache
def _catalogue(directories: tuple[Path, ...], salt: Salt | None) -> Catalogue:
    catalogue = Catalogue(directories, salt)
    catalogue.load()
    return catalogue


class _Progress:
    """How far it is, how long it will take, and the mean score so far."""

    def __init__(self, length: int) -> None:
        self._scores = 0.0
        self._count = 0
        self._failed = 0
        self.bar: AbstractContextManager[click._termui_impl.ProgressBar[int]] = click.progressbar(
            length=length, label="episodes", file=sys.stderr, item_show_func=lambda _: self._said(), show_pos=True
        )

    def tell(self, bar: click._termui_impl.ProgressBar[int], trajectory: Trajectory) -> None:
        self._scores += trajectory["score"]
        self._count += 1
        self._failed += "failed" in trajectory
        bar.update(1, current_item=self._count)

    def _said(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"mean score {self._scores / max(self._count, 1):.3f}{failed}"
