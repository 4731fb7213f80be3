"""Runs an evaluation on a Ray cluster: workers play the attempts, this process writes their trajectories."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents import close_models
from cloud_incident.evaluation.running.environments import describe_error
from cloud_incident.evaluation.running.episode_loop import fail_attempt
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
) -> str:
    """Play the attempts that have no result in the file yet on the cluster that `RAY_ADDRESS` names.

    If the variable is not set, a cluster is started on this machine. `on_trajectory` is called with each trajectory.
    If a worker dies, each of its attempts is made by itself, and one whose worker dies again has failed. Returns why
    the run was stopped before its end, or an empty text.

    Raises:
        MissingExtraError: if Ray is not installed.
    """
    require_extra("ray", "ray")
    import ray
    from ray.exceptions import RayError

    left = [attempt for attempt in attempts if attempt.key not in file.done]
    chunks = [left[start : start + _CHUNK] for start in range(0, len(left), _CHUNK)]
    stopped = ""
    ray.init(log_to_driver=False, include_dashboard=False, ignore_reinit_error=True)
    try:
        task: Any = ray.remote(_play_chunk).options(max_retries=1)
        pending = {task.remote(evaluation, chunk): chunk for chunk in chunks}
        while pending and not stopped:
            (ended, *_), _ = ray.wait(list(pending), num_returns=1)
            chunk = pending.pop(ended)
            try:
                trajectories, stopped = ray.get(ended)
            except RayError as error:
                if len(chunk) > 1:  # one of them may have ended the worker, and the others must not suffer for it
                    pending |= {task.remote(evaluation, [attempt]): [attempt] for attempt in chunk}
                    continue
                trajectories = [_fail_attempt(evaluation, attempt, error) for attempt in chunk]
            for trajectory in trajectories:
                file.append(trajectory)
                on_trajectory(trajectory)
        for unwanted in pending:
            ray.cancel(unwanted)
    finally:
        ray.shutdown()
    return stopped


def _fail_attempt(evaluation: Evaluation, attempt: Attempt, error: Exception) -> Trajectory:
    """Give the trajectory of an attempt whose worker died or could not begin."""
    scenario = evaluation.catalogue.get(attempt.scenario_id)
    return fail_attempt(attempt, scenario, f"the Ray worker failed: {describe_error(error)}")


def _play_chunk(evaluation: Evaluation, attempts: Sequence[Attempt]) -> tuple[list[Trajectory], str]:
    """Play some attempts one after another in a worker. Give their trajectories, and why it stopped if it did."""
    return asyncio.run(_play_attempts(evaluation, attempts))


async def _play_attempts(evaluation: Evaluation, attempts: Sequence[Attempt]) -> tuple[list[Trajectory], str]:
    runner = Runner(evaluation.catalogue, evaluation.find_agents(), evaluation.make_environment, concurrency=1)
    played: list[Trajectory] = []
    try:
        return played, await runner.play_all(attempts, played.append)
    finally:
        await close_models()
