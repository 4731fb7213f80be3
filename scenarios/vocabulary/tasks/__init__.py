"""The tasks, one file each, the easiest first."""

from typing import TYPE_CHECKING, Literal

from scenarios.vocabulary.tasks.alert_classification import ALERT_CLASSIFICATION
from scenarios.vocabulary.tasks.remediation_planning import REMEDIATION_PLANNING
from scenarios.vocabulary.tasks.root_cause_analysis import ROOT_CAUSE_ANALYSIS

TASKS = {
    task.id: task
    for task in (
        ALERT_CLASSIFICATION,
        ROOT_CAUSE_ANALYSIS,
        REMEDIATION_PLANNING,
    )
}
"""Every task by id. A selection that names nothing means the first."""

if TYPE_CHECKING:
    TaskId = str
    """The id of a declared task."""
else:
    TaskId = Literal[tuple(TASKS)]

__all__ = ["ALERT_CLASSIFICATION", "REMEDIATION_PLANNING", "ROOT_CAUSE_ANALYSIS", "TASKS", "TaskId"]
