"""Runs an evaluation: plays what its file does not hold yet, with a display of the progress."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from cloud_incident.evaluation.agents import close_models, forget_models
from cloud_incident.evaluation.running.cluster import run_on_ray
from cloud_incident.evaluation.running.conditions import describe_conditions
from cloud_incident.evaluation.running.mixing import refuse_other_conditions
from cloud_incident.evaluation.running.run_file import RunFile
from cloud_incident.evaluation.running.runner import Runner
from cloud_incident.evaluation.running.trajectory import is_measured, read_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cloud_incident.evaluation.running.evaluation import Evaluation
    from cloud_incident.evaluation.running.schedule import Attempt
    from cloud_incident.evaluation.running.trajectory import Trajectory


class Outcome(NamedTuple):
    """The outcome of a run: how many episodes in its file failed, and how many were not played because of `stopped`."""

    failed: int
    unplayed: int
    stopped: str

    @property
    def complete(self) -> bool:
        """Whether every episode has a result."""
        return not self.failed and not self.unplayed


def run_evaluation(evaluation: Evaluation, path: Path, *, start_over: bool = False) -> Outcome:
    """Play the attempts that have no result in the file yet, and display the progress on standard error.

    Attempts that failed are made again. `start_over` removes what is in the file.

    Raises:
        UnknownAgentError, UnknownScenarioError: if an agent, task or scenario does not exist.
        UnreachableError: if the server to play on does not answer.
        RunInUseError: if another evaluation is writing the file.
        OtherConditionsError: if the file holds results that were measured under other conditions.
        MissingExtraError: if Ray is asked for and is not installed.
        ValueError: if the file holds something else.
    """
    evaluation.list_attempts()  # what does not exist is refused before a server is asked
    place = asyncio.run(evaluation.find_place())
    attempts = evaluation.list_attempts(place)
    version = describe_conditions()["version"]
    if place.server not in {"", version}:
        click.echo(f"The server is of version {place.server}, and this is version {version}.", err=True)
    forget_models()
    with RunFile(path, start_over=start_over) as file:
        refuse_other_conditions(attempts, file, evaluation.catalogue)
        left = sum(attempt.key not in file.done for attempt in attempts)
        if left < len(attempts):
            click.echo(f"{len(attempts) - left} of {len(attempts)} episodes are in {path} already.", err=True)
        again = sum(attempt.key in file.failed for attempt in attempts)
        if again:
            click.echo(f"{again} failed before and {'is' if again == 1 else 'are'} played again.", err=True)
        progress = _Progress(left)
        with progress.bar as bar:
            stopped = _run_attempts(evaluation, attempts, file, lambda trajectory: progress.count(bar, trajectory))
        unplayed = sum(attempt.key not in file.done and attempt.key not in file.failed for attempt in attempts)
        return Outcome(len(file.failed), unplayed, stopped)


def _run_attempts(
    evaluation: Evaluation, attempts: list[Attempt], file: RunFile, on_trajectory: Callable[[Trajectory], None]
) -> str:
    if evaluation.backend == "ray":
        return run_on_ray(evaluation, attempts, file, on_trajectory)
    return asyncio.run(_run_here(evaluation, attempts, file, on_trajectory))


async def _run_here(
    evaluation: Evaluation, attempts: list[Attempt], file: RunFile, on_trajectory: Callable[[Trajectory], None]
) -> str:
    runner = Runner(evaluation.catalogue, evaluation.find_agents(), evaluation.make_environment, evaluation.concurrency)
    try:
        return await runner.run(attempts, file, on_trajectory)
    finally:
        await close_models()


class _Progress:
    """A progress bar with the mean score so far (0.0 to 1.0) and the number of failed episodes."""

    def __init__(self, length: int) -> None:
        self._scores = 0.0
        self._count = 0
        self._failed = 0
        self.bar: AbstractContextManager[click._termui_impl.ProgressBar[int]] = click.progressbar(
            length=length, label="episodes", file=sys.stderr, item_show_func=lambda _: self._describe(), show_pos=True
        )

    def count(self, bar: click._termui_impl.ProgressBar[int], trajectory: Trajectory) -> None:
        """Count an episode that has been played."""
        if is_measured(trajectory):
            self._scores += read_score(trajectory)
            self._count += 1
        else:
            self._failed += 1
        bar.update(1, current_item=self._count)

    def _describe(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"mean score {self._scores / self._count:.3f}{failed}" if self._count else f"no score yet{failed}"
