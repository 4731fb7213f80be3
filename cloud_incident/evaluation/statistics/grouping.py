"""Trajectories in groups: by agent, task and scenario, in an order that does not depend on who finished first."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloud_incident.evaluation.running import read_score
from graders import CALM_REASONS
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from cloud_incident.evaluation.running import Trajectory

    Scores = Mapping[str, Mapping[str, Sequence[float]]]
    """Scores by task and scenario."""

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")


def group_items(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Group items by a key. The groups are in the order of their first items."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def sort_trajectories(trajectories: Iterable[Trajectory]) -> list[Trajectory]:
    """Sort trajectories by agent, task, scenario, seed and repeat."""
    return sorted(
        trajectories,
        key=lambda trajectory: (
            trajectory["agent"],
            get_task_order(trajectory["task_id"]),
            trajectory["scenario_id"],
            trajectory["seed"],
            trajectory["repeat"],
            trajectory["key"],
        ),
    )


def group_by_agent(trajectories: Iterable[Trajectory]) -> dict[str, list[Trajectory]]:
    """The trajectories of every agent, sorted."""
    return group_items(sort_trajectories(trajectories), lambda trajectory: trajectory["agent"])


def group_by_task(trajectories: Iterable[Trajectory]) -> dict[str, list[Trajectory]]:
    """The trajectories of every task, in the order in which the tasks are declared."""
    groups = group_items(trajectories, lambda trajectory: trajectory["task_id"])
    return {task_id: groups[task_id] for task_id in sorted(groups, key=get_task_order)}


def group_by_scenario(trajectories: Iterable[Trajectory]) -> dict[tuple[str, str], list[Trajectory]]:
    """The trajectories of every pair of task and scenario, sorted by both."""
    groups = group_items(trajectories, get_scenario)
    return {pair: groups[pair] for pair in sorted(groups, key=lambda pair: (get_task_order(pair[0]), pair[1]))}


def get_scenario(trajectory: Trajectory) -> tuple[str, str]:
    """The task and the scenario of a trajectory."""
    return trajectory["task_id"], trajectory["scenario_id"]


def find_calm(trajectories: Iterable[Trajectory]) -> frozenset[tuple[str, str]]:
    """The tasks and scenarios of which a grade says that nothing was to be repaired."""
    return frozenset(
        get_scenario(trajectory)
        for trajectory in trajectories
        if any(
            reason["code"] in CALM_REASONS
            for point in (trajectory["grade"]["breakdown"] if "grade" in trajectory else ())
            for reason in point["reasons"]
        )
    )


def get_task_order(task_id: str) -> tuple[int, str]:
    """A key that sorts tasks as they are declared, with unknown tasks behind them."""
    names = list(TASKS)
    return (names.index(task_id) if task_id in names else len(names), task_id)


def get_task_title(task_id: str) -> str:
    """The title of a task; its id if the task is unknown."""
    return next((task.title for task in TASKS.values() if task.id == task_id), task_id)


def collect_scores(trajectories: Iterable[Trajectory]) -> dict[str, dict[str, list[float]]]:
    """The scores by task and scenario.

    Raises:
        ValueError: if an episode has none, because it failed.
    """
    collected: dict[str, dict[str, list[float]]] = {}
    for task_id, of_task in group_by_task(trajectories).items():
        scenarios = group_items(of_task, lambda trajectory: trajectory["scenario_id"])
        collected[task_id] = {
            scenario_id: [read_score(episode) for episode in episodes] for scenario_id, episodes in scenarios.items()
        }
    return collected
