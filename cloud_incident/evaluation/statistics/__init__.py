"""Figures computed from trajectories: means with intervals, passes, losses, comparisons."""

from __future__ import annotations

from cloud_incident.evaluation.statistics.comparison import Comparison, RunComparison, compare_episodes, compare_runs
from cloud_incident.evaluation.statistics.curves import average_rewards, count_scores
from cloud_incident.evaluation.statistics.grouping import (
    get_task_title,
    group_by_agent,
    group_by_scenario,
    group_by_task,
    group_items,
    sort_trajectories,
)
from cloud_incident.evaluation.statistics.intervals import LEVEL, Estimate, estimate_mean
from cloud_incident.evaluation.statistics.metrics import AgentMetrics, Failure, Summary, TaskMetrics, summarise

__all__ = [
    "LEVEL",
    "AgentMetrics",
    "Comparison",
    "Estimate",
    "Failure",
    "RunComparison",
    "Summary",
    "TaskMetrics",
    "average_rewards",
    "compare_episodes",
    "compare_runs",
    "count_scores",
    "estimate_mean",
    "get_task_title",
    "group_by_agent",
    "group_by_scenario",
    "group_by_task",
    "group_items",
    "sort_trajectories",
    "summarise",
]
