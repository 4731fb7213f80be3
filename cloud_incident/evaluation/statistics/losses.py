"""Lost points: what the graders withheld, by task and item, and the reason given most often."""

from __future__ import annotations

from collections import Counter
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.statistics.grouping import group_by_task, group_items

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.running import Trajectory


class Loss(NamedTuple):
    """The points that one item of one task's grades cost.

    `points` is the sum withheld or deducted, `mean` that sum divided by all `episodes` of the task. `times` counts the
    episodes that lost something here, `reason_times` those that lost it for reasons of the same codes as `reason`.
    """

    task_id: str
    item: str
    points: float
    mean: float
    episodes: int
    times: int
    reason: str
    reason_times: int


class _Deduction(NamedTuple):
    """Points that one episode lost at one item."""

    item: str
    points: float
    reason: str
    codes: tuple[str, ...]


def find_losses(trajectories: Sequence[Trajectory]) -> tuple[Loss, ...]:
    """Find the losses of one agent, task by task, the greatest first."""
    tasks = group_by_task(trajectories)
    return tuple(loss for task_id, episodes in tasks.items() for loss in _find_task_losses(task_id, episodes))


def _find_task_losses(task_id: str, episodes: Sequence[Trajectory]) -> list[Loss]:
    deductions = (deduction for episode in episodes for deduction in _list_deductions(episode))
    items = group_items(deductions, lambda deduction: deduction.item)
    found = [_sum_up(task_id, item, of_item, len(episodes)) for item, of_item in items.items()]
    return sorted(found, key=lambda loss: (-loss.points, loss.item))


def _list_deductions(episode: Trajectory) -> Iterator[_Deduction]:
    grade = episode.get("grade")
    if grade is None:
        reason = f"The agent gave up: {episode.get('gave_up', 'the episode has no grade')}"
        yield _Deduction("not finished", 1.0, reason, (reason.partition(":")[0],))
        return
    for point in grade["breakdown"]:
        points = point["most"] - point["points"]
        # An item without a `most` is a deduction, or points beside the others that withhold nothing.
        if points > 0:
            codes = tuple(reason["code"] for reason in point["reasons"])
            yield _Deduction(point["name"], points, point["reason"], codes)


def _sum_up(task_id: str, item: str, deductions: list[_Deduction], episodes: int) -> Loss:
    points = round(_sum_points(deductions), 4)
    kinds = group_items(deductions, lambda deduction: deduction.codes)
    kind = max(kinds.values(), key=lambda kind: (len(kind), _sum_points(kind)))
    reason, _ = Counter(deduction.reason for deduction in kind).most_common(1)[0]
    return Loss(task_id, item, points, points / episodes, episodes, len(deductions), reason, len(kind))


def _sum_points(deductions: list[_Deduction]) -> float:
    return fsum(deduction.points for deduction in deductions)
