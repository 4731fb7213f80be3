"""Runs agents: where they play, which attempts are made, and the trajectories that are kept."""

from __future__ import annotations

from cloud_incident.evaluation.running.action_list import get_score, play_actions
from cloud_incident.evaluation.running.baseline import Baseline, run_baseline
from cloud_incident.evaluation.running.conditions import ConditionsRecord, describe_conditions
from cloud_incident.evaluation.running.environments import (
    BrokenError,
    Environment,
    EnvironmentReply,
    InProcess,
    RefusedError,
    ReopeningEnvironment,
    reply_with,
)
from cloud_incident.evaluation.running.episode_loop import play_attempt
from cloud_incident.evaluation.running.evaluation import Evaluation, UnreachableError
from cloud_incident.evaluation.running.execution import Outcome, run_evaluation
from cloud_incident.evaluation.running.remote import SURFACES, read_token
from cloud_incident.evaluation.running.replay import (
    compare_replay,
    find_differences,
    render_trajectory,
    replay_trajectory,
)
from cloud_incident.evaluation.running.run_file import RunFile, RunInUseError
from cloud_incident.evaluation.running.runner import Runner
from cloud_incident.evaluation.running.schedule import Attempt, list_attempts
from cloud_incident.evaluation.running.trajectory import (
    LINE_START,
    TRAJECTORY_FORMAT,
    OtherFormatError,
    StepTaken,
    Trajectory,
    dump_trajectory,
    is_measured,
    keep_results,
    parse_trajectory,
    read_results,
    read_score,
    read_trajectories,
)

__all__ = [
    "LINE_START",
    "SURFACES",
    "TRAJECTORY_FORMAT",
    "Attempt",
    "Baseline",
    "BrokenError",
    "ConditionsRecord",
    "Environment",
    "EnvironmentReply",
    "Evaluation",
    "InProcess",
    "OtherFormatError",
    "Outcome",
    "RefusedError",
    "ReopeningEnvironment",
    "RunFile",
    "RunInUseError",
    "Runner",
    "StepTaken",
    "Trajectory",
    "UnreachableError",
    "compare_replay",
    "describe_conditions",
    "dump_trajectory",
    "find_differences",
    "get_score",
    "is_measured",
    "keep_results",
    "list_attempts",
    "parse_trajectory",
    "play_actions",
    "play_attempt",
    "read_results",
    "read_score",
    "read_token",
    "read_trajectories",
    "render_trajectory",
    "replay_trajectory",
    "reply_with",
    "run_baseline",
    "run_evaluation",
]
