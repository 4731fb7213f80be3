"""Trajectories in groups: by agent, task and scenario, each in an order that does not hang on who finished first."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from cloud_incident.evaluation.trajectory import Trajectory

    Scores = Mapping[str, Mapping[str, Sequence[float]]]
    """Scores by task and scenario."""

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The items by a key; groups in the order of their first items."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def ordered(trajectories: Iterable[Trajectory]) -> list[Trajectory]:
    """By agent, task, scenario, seed and repeat."""
    return sorted(
        trajectories,
        key=lambda one: (
            one["agent"],
            task_order(one["task_id"]),
            one["scenario_id"],
            one["seed"],
            one["repeat"],
            one["key"],
        ),
    )


def by_agent(trajectories: Iterable[Trajectory]) -> dict[str, list[Trajectory]]:
    """The trajectories of every agent, in order."""
    return grouped(ordered(trajectories), lambda one: one["agent"])


def by_task(trajectories: Iterable[Trajectory]) -> dict[str, list[Trajectory]]:
    """The trajectories of every task, the tasks as they are declared."""
    groups = grouped(trajectories, lambda one: one["task_id"])
    return {task_id: groups[task_id] for task_id in sorted(groups, key=task_order)}


def by_scenario(trajectories: Iterable[Trajectory]) -> dict[tuple[str, str], list[Trajectory]]:
    """The trajectories by task and scenario."""
    groups = grouped(trajectories, lambda one: (one["task_id"], one["scenario_id"]))
    return {pair: groups[pair] for pair in sorted(groups, key=lambda pair: (task_order(pair[0]), pair[1]))}


def task_order(task_id: str) -> tuple[int, str]:
    """What sorts tasks as they are declared, and unknown ones behind them."""
    names = list(TASKS)
    return (names.index(task_id) if task_id in names else len(names), task_id)


def task_title(task_id: str) -> str:
    """What a task is called."""
    return next((task.title for task in TASKS.values() if task.id == task_id), task_id)


def scores(trajectories: Iterable[Trajectory]) -> dict[str, dict[str, list[float]]]:
    """The scores by task and scenario."""
    return {
        task_id: {name: [one["score"] for one in ones] for name, ones in grouped(of_task, _scenario).items()}
        for task_id, of_task in by_task(trajectories).items()
    }


def _scenario(trajectory: Trajectory) -> str:
    return trajectory["scenario_id"]
