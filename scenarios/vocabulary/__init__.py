"""Actions and tasks, each declared once, in a file of its own.

REST and WebSocket messages, MCP tools, schemas and descriptions are derived from these objects. What a package adds to
them, such as a renderer or a grader, it attaches with `Attachments`.
"""

from __future__ import annotations

from scenarios.vocabulary.action import Action, ActionDeclaration, Diagnostic, Kind, Remediation, Submission
from scenarios.vocabulary.attachments import AttachmentError, Attachments
from scenarios.vocabulary.diagnostics import (
    CHECK_DEPENDENCIES,
    CHECK_METRICS,
    CHECK_RECENT_DEPLOYS,
    CHECK_SERVICE_STATUS,
    DIAGNOSTICS,
    QUERY_LOGS,
    CallPath,
    Change,
    ChangeKind,
    Dependencies,
    Deploys,
    Health,
    Logs,
    MetricName,
    Metrics,
    Samples,
    Series,
    Status,
)
from scenarios.vocabulary.parameters import (
    FAILURE_MODE_LIMIT,
    NAME_LIMIT,
    REPLICAS_LIMIT,
    SUMMARY_LIMIT,
    Name,
    OnService,
    Parameters,
)
from scenarios.vocabulary.remediations import (
    CLEAR_CACHE,
    DISABLE_FEATURE_FLAG,
    EXECUTE_RUNBOOK_STEP,
    REMEDIATIONS,
    RESTART_SERVICE,
    ROLLBACK_DEPLOY,
    SCALE_SERVICE,
    acts_on,
)
from scenarios.vocabulary.severity import SEVERITIES, SEVERITY_MATRIX, Severity, SeverityRow, list_severities
from scenarios.vocabulary.submissions import (
    SUBMISSIONS,
    SUBMIT_RESOLUTION,
    SUBMIT_ROOT_CAUSE,
    SUBMIT_SEVERITY,
    ResolutionAnswer,
    RootCauseAnswer,
    SeverityAnswer,
)
from scenarios.vocabulary.target import ASK_FOR_LIST, FLAG, RUNBOOK_STEP, SERVICE, Target
from scenarios.vocabulary.task import POINT, RewardTable, Task, to_reward
from scenarios.vocabulary.tasks import ALERT_CLASSIFICATION, REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS, TASKS, TaskId

ACTIONS: dict[str, ActionDeclaration] = {**DIAGNOSTICS, **REMEDIATIONS, **SUBMISSIONS}
"""Every action by name, in the order in which surfaces list them."""

__all__ = [
    "ACTIONS",
    "ALERT_CLASSIFICATION",
    "ASK_FOR_LIST",
    "CHECK_DEPENDENCIES",
    "CHECK_METRICS",
    "CHECK_RECENT_DEPLOYS",
    "CHECK_SERVICE_STATUS",
    "CLEAR_CACHE",
    "DIAGNOSTICS",
    "DISABLE_FEATURE_FLAG",
    "EXECUTE_RUNBOOK_STEP",
    "FAILURE_MODE_LIMIT",
    "FLAG",
    "NAME_LIMIT",
    "POINT",
    "QUERY_LOGS",
    "REMEDIATIONS",
    "REMEDIATION_PLANNING",
    "REPLICAS_LIMIT",
    "RESTART_SERVICE",
    "ROLLBACK_DEPLOY",
    "ROOT_CAUSE_ANALYSIS",
    "RUNBOOK_STEP",
    "SCALE_SERVICE",
    "SERVICE",
    "SEVERITIES",
    "SEVERITY_MATRIX",
    "SUBMISSIONS",
    "SUBMIT_RESOLUTION",
    "SUBMIT_ROOT_CAUSE",
    "SUBMIT_SEVERITY",
    "SUMMARY_LIMIT",
    "TASKS",
    "Action",
    "ActionDeclaration",
    "AttachmentError",
    "Attachments",
    "CallPath",
    "Change",
    "ChangeKind",
    "Dependencies",
    "Deploys",
    "Diagnostic",
    "Health",
    "Kind",
    "Logs",
    "MetricName",
    "Metrics",
    "Name",
    "OnService",
    "Parameters",
    "Remediation",
    "ResolutionAnswer",
    "RewardTable",
    "RootCauseAnswer",
    "Samples",
    "Series",
    "Severity",
    "SeverityAnswer",
    "SeverityRow",
    "Status",
    "Submission",
    "Target",
    "Task",
    "TaskId",
    "acts_on",
    "list_severities",
    "to_reward",
]
