"""The best constant answer to alert_classification: what one severity for every alert would have earned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.grouping import grouped
from cloud_incident.evaluation.intervals import mean
from graders.severity import share_for_severity
from scenarios.vocabulary import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_incident.evaluation.trajectory import Trajectory

TASK = "alert_classification"
_TRUTH = re.compile(r"the incident is (P[1-4])\b")


class Constant(NamedTuple):
    """The severity and its mean score over the scenarios, 0.0 to 1.0."""

    severity: str
    score: float


def best_constant(trajectories: Iterable[Trajectory]) -> Constant | None:
    """Over the alert_classification scenarios of these episodes. None if there are none, or if the true severity of one
    is not to be had because nobody submitted anything to it."""
    scenarios = grouped((one for one in trajectories if one["task_id"] == TASK), lambda one: one["scenario_id"])
    truths = [_truth(ones) for ones in scenarios.values()]
    known = [truth for truth in truths if truth is not None]
    if not known or len(known) < len(truths):
        return None
    earned = {
        severity: mean([float(share_for_severity(severity, truth)) for truth in known])
        for severity in sorted(SEVERITIES)
    }
    best = max(earned, key=earned.__getitem__)
    return Constant(best, earned[best])


def _truth(trajectories: Iterable[Trajectory]) -> str | None:
    """The true severity, which every grade names."""
    for trajectory in trajectories:
        for point in trajectory["grade"]["breakdown"] if "grade" in trajectory else ():
            named = _TRUTH.search(point["reason"])
            if named:
                return named[1]
    return None
