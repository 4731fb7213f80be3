"""Runs an evaluation: plays what its file does not hold yet, with a display of the progress."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from cloud_incident.evaluation.running.cluster import run_on_ray
from cloud_incident.evaluation.running.run_file import RunFile
from cloud_incident.evaluation.running.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cloud_incident.evaluation.running.evaluation import Evaluation
    from cloud_incident.evaluation.running.schedule import Attempt
    from cloud_incident.evaluation.running.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

_MOST_DIGESTS = 20
"""How many generated scenarios are made again to verify the digests of a resumed run. For the others their id suffices,
because it determines the incident."""


def run_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Play the attempts that are not in the file yet, and display the progress on standard error.

    Raises:
        UnknownAgentError, UnknownScenarioError: if an agent, task or scenario does not exist.
        RunInUseError: if another evaluation is writing the file.
        MissingExtraError: if Ray is asked for and is not installed.
        BrokenError: if the environment keeps failing.
        ValueError: if the file holds something else, or attempts at incidents that have changed since.
    """
    attempts = evaluation.list_attempts()
    with RunFile(path) as file:
        _refuse_stale(attempts, file, evaluation.catalogue)
        left = sum(attempt.key not in file.done for attempt in attempts)
        if left < len(attempts):
            click.echo(f"{len(attempts) - left} of {len(attempts)} episodes are in {path} already.", err=True)
        progress = _Progress(left)
        with progress.bar as bar:
            _run_attempts(evaluation, attempts, file, lambda trajectory: progress.count(bar, trajectory))


def _refuse_stale(attempts: list[Attempt], file: RunFile, catalogue: Catalogue) -> None:
    generated: set[str] = set()
    for attempt in attempts:
        recorded = file.digests.get(attempt.key)
        if recorded is None:
            continue
        if attempt.scenario_id not in catalogue.scenarios and attempt.scenario_id not in generated:
            if len(generated) >= _MOST_DIGESTS:
                continue
            generated.add(attempt.scenario_id)
        if recorded != catalogue.get(attempt.scenario_id).incident.digest:
            raise ValueError(
                f"{attempt.scenario_id} has changed since {attempt.key} was played; name a new file as --out."
            )


def _run_attempts(
    evaluation: Evaluation, attempts: list[Attempt], file: RunFile, on_trajectory: Callable[[Trajectory], None]
) -> None:
    if evaluation.backend == "ray":
        run_on_ray(evaluation, attempts, file, on_trajectory)
    else:
        runner = Runner(
            evaluation.catalogue, evaluation.find_agents(), evaluation.make_environment, evaluation.concurrency
        )
        asyncio.run(runner.run(attempts, file, on_trajectory))


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
        self._scores += trajectory["score"]
        self._count += 1
        self._failed += "failed" in trajectory
        bar.update(1, current_item=self._count)

    def _describe(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"mean score {self._scores / max(self._count, 1):.3f}{failed}"
