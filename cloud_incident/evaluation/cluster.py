"""The same evaluation on many machines: attempts as Ray tasks, their trajectories written down here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.environments import Reopened
from cloud_incident.evaluation.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_incident.evaluation.evaluate import Evaluation
    from cloud_incident.evaluation.runfile import RunFile
    from cloud_incident.evaluation.schedule import Attempt
    from cloud_incident.evaluation.trajectory import Trajectory

_CHUNK = 16
"""Attempts in one task: enough that sending them costs little beside playing them."""


class NoRayError(RuntimeError):
    """Ray is not installed."""


def run_on_ray(
    evaluation: Evaluation, attempts: Sequence[Attempt], file: RunFile, told: Callable[[Trajectory], None]
) -> None:
    """Play what is not in the file yet on the cluster that `RAY_ADDRESS` names, or else on one of this machine.

    Raises:
        NoRayError: if Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise NoRayError("Ray is not installed; pip install 'cloud-incident[ray]'.") from error
    left = [attempt for attempt in attempts if attempt.key not in file.done]
    ray.init(log_to_driver=False, include_dashboard=False, ignore_reinit_error=True)
    try:
        task: Any = ray.remote(_played)
        pending = [task.remote(evaluation, left[start : start + _CHUNK]) for start in range(0, len(left), _CHUNK)]
        while pending:
            (ended, *_), pending = ray.wait(pending, num_returns=1)
            for trajectory in ray.get(ended):
                file.append(trajectory)
                told(trajectory)
    finally:
        ray.shutdown()


def _played(evaluation: Evaluation, attempts: Sequence[Attempt]) -> list[Trajectory]:
    """The trajectories of some attempts, played one after another by a worker."""
    return asyncio.run(_play(evaluation, attempts))


async def _play(evaluation: Evaluation, attempts: Sequence[Attempt]) -> list[Trajectory]:
    runner = Runner(evaluation.catalogue, evaluation.players(), evaluation.environment)
    environment = Reopened(evaluation.environment)
    try:
        return [await runner.attempt(attempt, environment) for attempt in attempts]
    finally:
        await environment.close()
