"""Where points were lost: what the graders withheld, by task and item, and the reason given most often."""

from __future__ import annotations

import re
from collections import Counter
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.grouping import by_task, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.trajectory import Trajectory

_NUMBER = re.compile(r"\d+(\.\d+)?")


class Loss(NamedTuple):
    """What one item of one task's grades cost.

    `points` is the sum withheld or deducted, `mean` that sum by all `episodes` of the task; `times` counts the episodes
    that lost something here, `reason_times` those that lost it for `reason` or one that differs in numbers only.
    """

    task_id: str
    item: str
    points: float
    mean: float
    episodes: int
    times: int
    reason: str
    reason_times: int


class _Withheld(NamedTuple):
    item: str
    points: float
    reason: str


def losses(trajectories: Sequence[Trajectory]) -> tuple[Loss, ...]:
    """The losses of one agent, task by task, the greatest first."""
    return tuple(loss for task_id, ones in by_task(trajectories).items() for loss in _of_task(task_id, ones))


def _of_task(task_id: str, trajectories: Sequence[Trajectory]) -> list[Loss]:
    withheld = grouped((one for trajectory in trajectories for one in _withheld(trajectory)), lambda one: one.item)
    found = [_loss(task_id, item, ones, len(trajectories)) for item, ones in withheld.items()]
    return sorted(found, key=lambda loss: (-loss.points, loss.item))


def _withheld(trajectory: Trajectory) -> Iterator[_Withheld]:
    grade = trajectory.get("grade")
    if grade is None or "failed" in trajectory:
        yield _Withheld("not finished", 1.0, trajectory.get("failed", "The episode has no grade."))
        return
    for point in grade["breakdown"]:
        points = point["most"] - point["points"]
        # An item without a `most` is a deduction, or points beside the others that withhold nothing.
        if points > 0:
            yield _Withheld(point["name"], points, point["reason"])


def _loss(task_id: str, item: str, ones: list[_Withheld], episodes: int) -> Loss:
    points = round(fsum(one.points for one in ones), 4)
    kinds = grouped(ones, lambda one: _NUMBER.sub("0", one.reason))
    kind = max(kinds.values(), key=lambda kind: (len(kind), fsum(one.points for one in kind)))
    reason, _ = Counter(one.reason for one in kind).most_common(1)[0]
    return Loss(task_id, item, points, points / episodes, episodes, len(ones), reason, len(kind))
