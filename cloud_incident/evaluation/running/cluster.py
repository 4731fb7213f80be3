"""Runs an evaluation on a Ray cluster: workers play the attempts, this process writes their trajectories."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.running.environments import ReopeningEnvironment
from cloud_incident.evaluation.running.runner import Runner
from cloud_incident.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_incident.evaluation.running.evaluation import Evaluation
    from cloud_incident.evaluation.running.run_file import RunFile
    from cloud_incident.evaluation.running.schedule import Attempt
    from cloud_incident.evaluation.running.trajectory import Trajectory

_CHUNK = 16
"""Attempts in one Ray task: enough that sending them costs little compared with playing them."""


def run_on_ray(
    evaluation: Evaluation, attempts: Sequence[Attempt], file: RunFile, on_trajectory: Callable[[Trajectory], None]
) -> None:
    """Play the attempts that are not in the file yet on the cluster that `RAY_ADDRESS` names.

    If the variable is not set, a cluster is started on this machine. `on_trajectory` is called with each trajectory.

    Raises:
        MissingExtraError: if Ray is not installed.
    """
    require_extra("ray", "ray")
    import ray

    left = [attempt for attempt in attempts if attempt.key not in file.done]
    ray.init(log_to_driver=False, include_dashboard=False, ignore_reinit_error=True)
    try:
        task: Any = ray.remote(_play_chunk)
        pending = [task.remote(evaluation, left[start : start + _CHUNK]) for start in range(0, len(left), _CHUNK)]
        while pending:
            (ended, *_), pending = ray.wait(pending, num_returns=1)
            for trajectory in ray.get(ended):
                file.append(trajectory)
                on_trajectory(trajectory)
    finally:
        ray.shutdown()


def _play_chunk(evaluation: Evaluation, attempts: Sequence[Attempt]) -> list[Trajectory]:
    """Play some attempts one after another in a worker, and give their trajectories."""
    return asyncio.run(_play_attempts(evaluation, attempts))


async def _play_attempts(evaluation: Evaluation, attempts: Sequence[Attempt]) -> list[Trajectory]:
    runner = Runner(evaluation.catalogue, evaluation.find_agents(), evaluation.make_environment)
    environment = ReopeningEnvironment(evaluation.make_environment)
    try:
        return [await runner.play(attempt, environment) for attempt in attempts]
    finally:
        await environment.close()
