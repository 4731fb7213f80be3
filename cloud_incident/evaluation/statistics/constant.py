"""The best constant answer to alert_classification: the one severity that earns most if it is given for every alert."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.statistics.grouping import group_items
from graders.severity import share_for_severity
from scenarios.vocabulary import ALERT_CLASSIFICATION, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_incident.evaluation.running import Trajectory

TASK = ALERT_CLASSIFICATION.id
_NAMING_TRUTH = frozenset({"severity_exact", "severity_off"})
"""The codes of reasons whose fact `truth` is the severity of the incident."""


class Constant(NamedTuple):
    """The severity and its mean score over the scenarios, 0.0 to 1.0."""

    severity: str
    score: float


def find_best_constant(trajectories: Iterable[Trajectory]) -> Constant | None:
    """Find the best constant answer over the alert_classification scenarios of these episodes.

    The result is None if there are no such scenarios, or if the true severity of one is unknown because no episode of
    it has a submission.
    """
    scenarios = group_items(
        (trajectory for trajectory in trajectories if trajectory["task_id"] == TASK),
        lambda trajectory: trajectory["scenario_id"],
    )
    truths = [_find_truth(episodes) for episodes in scenarios.values()]
    known = [truth for truth in truths if truth is not None]
    if not known or len(known) < len(truths):
        return None
    earned = {
        severity: fmean(float(share_for_severity(severity, truth)) for truth in known)
        for severity in sorted(SEVERITIES)
    }
    best = max(earned, key=earned.__getitem__)
    return Constant(best, earned[best])


def _find_truth(trajectories: Iterable[Trajectory]) -> str | None:
    """The true severity, which every grade names."""
    for trajectory in trajectories:
        for point in trajectory["grade"]["breakdown"] if "grade" in trajectory else ():
            for reason in point["reasons"]:
                if reason["code"] in _NAMING_TRUTH:
                    return str(reason["facts"]["truth"])
    return None
