"""The last evaluations: what each found, as a table, and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from typing_extensions import TypedDict

from cloud_incident.console.refusals import UnreadableFileError
from cloud_incident.console.stored import find_file, list_files, read_results
from cloud_incident.evaluation.reporting import render_report
from cloud_incident.evaluation.statistics import get_task_title, summarise
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_incident.console.stored import StoredFile
    from cloud_incident.evaluation.running import Trajectory
    from cloud_incident.evaluation.statistics import AgentMetrics, Estimate, Summary, TaskMetrics

_SUMMARIES_KEPT = 32
"""Evaluations whose summary is remembered: those that were asked for last."""
_REPORTS_KEPT = 4
"""Evaluations whose report is remembered: those that were asked for last."""


class EstimateReport(TypedDict):
    """A mean and the bounds of its interval of 95 %, which are null if there is only one draw.

    `draws` is the number of scenarios that the mean is taken over, or of episodes if there is only one scenario.
    """

    mean: float
    low: float | None
    high: float | None
    draws: int


class TaskReport(TypedDict):
    """An agent on a task. `passed` and `truncated` are shares of its `episodes`; `steps` is a mean.

    `failed` counts further episodes, which could not be measured and are in no mean.
    """

    task_id: str
    title: str
    episodes: int
    score: EstimateReport
    passed: float
    failed: int
    truncated: float
    steps: float


class AgentReport(TypedDict):
    """An agent. `rank` goes by `first`, the mean score of first attempts; `score` is of all attempts.

    `failed` counts further episodes, which could not be measured and are in no mean.
    """

    agent: str
    rank: int
    episodes: int
    failed: int
    first: EstimateReport | None
    score: EstimateReport
    tasks: list[TaskReport]


class FailureReport(TypedDict):
    """An episode that could not be measured, and why."""

    key: str
    agent: str
    reason: str


class EvaluationReport(TypedDict):
    """A stored evaluation: its agents, best first; or the `problem` for which it cannot be read.

    `modified` is when it was last written, in UTC, as ISO 8601 has it. `episodes` and `scenarios` count those that were
    measured, `failures` are the others. `origin` says which release measured, when, where and on what.
    """

    name: str
    modified: str
    episodes: int
    scenarios: int
    failures: list[FailureReport]
    origin: dict[str, list[str]]
    agents: list[AgentReport]
    problem: str | None


class EvaluationsAnswer(TypedDict):
    """The last evaluations, newest first."""

    evaluations: list[EvaluationReport]


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of a directory. The last summaries and reports are remembered until their files change."""

    directory: Path
    _working: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def list_latest(self) -> EvaluationsAnswer:
        """The last evaluations, newest first."""
        return await to_thread.run_sync(self._list_latest, limiter=self._working)

    async def render_page(self, name: str) -> bytes:
        """The report of an evaluation, as HTML in UTF-8.

        Raises:
            UnknownStoredError: if there is none of that name.
            UnreadableFileError: if its file cannot be read.
            UnreplayableError: if another release wrote it.
            MissingExtraError: if the packages that draw the report are not installed.
        """
        return await to_thread.run_sync(self._render_page, name, limiter=self._working)

    def _list_latest(self) -> EvaluationsAnswer:
        return {"evaluations": [_report_evaluation(file) for file in list_files(self.directory)]}

    def _render_page(self, name: str) -> bytes:
        return _render_report(find_file(self.directory, name))


def _report_evaluation(file: StoredFile) -> EvaluationReport:
    known: EvaluationReport = {
        "name": file.name,
        "modified": datetime.fromtimestamp(file.modified // 1_000_000_000, UTC).isoformat(),
        "episodes": 0,
        "scenarios": 0,
        "failures": [],
        "origin": {},
        "agents": [],
        "problem": None,
    }
    try:
        found = _summarise(file)
    except CloudIncidentError as error:
        return {**known, "problem": str(error)}
    return {
        **known,
        "episodes": found.episodes,
        "scenarios": len(found.scenarios),
        "failures": [
            {"key": failure.key, "agent": failure.agent, "reason": failure.reason} for failure in found.failures
        ],
        "origin": {what: list(values) for what, values in found.origin.items()},
        "agents": [_report_agent(agent) for agent in found.agents],
    }


def _report_agent(agent: AgentMetrics) -> AgentReport:
    return {
        "agent": agent.agent,
        "rank": agent.rank,
        "episodes": agent.episodes,
        "failed": agent.failed,
        "first": _report_estimate(agent.first) if agent.first is not None else None,
        "score": _report_estimate(agent.score),
        "tasks": [_report_task(task) for task in agent.tasks],
    }


def _report_task(task: TaskMetrics) -> TaskReport:
    return {
        "task_id": task.task_id,
        "title": get_task_title(task.task_id),
        "episodes": task.episodes,
        "score": _report_estimate(task.score),
        "passed": task.passed,
        "failed": task.failed,
        "truncated": task.truncated,
        "steps": task.costs.steps,
    }


def _report_estimate(estimate: Estimate) -> EstimateReport:
    known = estimate.spread_known
    return {
        "mean": estimate.mean,
        "low": estimate.low if known else None,
        "high": estimate.high if known else None,
        "draws": estimate.draws,
    }


@lru_cache(_SUMMARIES_KEPT)
def _summarise(file: StoredFile) -> Summary:
    return summarise(_read_episodes(file))


@lru_cache(_REPORTS_KEPT)
def _render_report(file: StoredFile) -> bytes:
    page = render_report(_read_episodes(file), title=f"Evaluation {file.name}", summary=_summarise(file))
    return page.encode()


def _read_episodes(file: StoredFile) -> list[Trajectory]:
    found = read_results(file)
    if not found:
        raise UnreadableFileError(f"{file.name} holds no whole episode yet.")
    return found
