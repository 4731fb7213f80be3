"""The last evaluations: what each found, as a table, and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from typing_extensions import TypedDict

from cloud_incident.console.refusals import UnreadableError
from cloud_incident.console.stored import read_whole, stored_file, stored_files
from cloud_incident.evaluation.grouping import task_title
from cloud_incident.evaluation.metrics import summarise
from cloud_incident.evaluation.report import report

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_incident.console.stored import StoredFile
    from cloud_incident.evaluation.intervals import Estimate
    from cloud_incident.evaluation.metrics import AgentMetrics, Summary, TaskMetrics
    from cloud_incident.evaluation.trajectory import Trajectory

_SUMMARIES_KEPT = 32
_REPORTS_KEPT = 4


class EstimateReport(TypedDict):
    """A mean and the ends of its interval of 95 %, which are null where one draw says nothing of the spread.

    `draws` counts the scenarios, or of a single one the episodes, that it rests on.
    """

    mean: float
    low: float | None
    high: float | None
    draws: int


class TaskReport(TypedDict):
    """An agent on a task. `passed`, `failed` and `truncated` are shares of its episodes; `steps` is a mean."""

    task_id: str
    title: str
    episodes: int
    score: EstimateReport
    passed: float
    failed: float
    truncated: float
    steps: float


class AgentReport(TypedDict):
    """An agent. `rank` goes by `first`, the mean score of first attempts; `score` is of all attempts."""

    agent: str
    rank: int
    episodes: int
    first: EstimateReport | None
    score: EstimateReport
    tasks: list[TaskReport]


class EvaluationReport(TypedDict):
    """A stored evaluation: its agents, best first; or the `problem` for which it cannot be read.

    `modified` is when it was last written, in UTC, as ISO 8601 has it.
    """

    name: str
    modified: str
    episodes: int
    scenarios: int
    agents: list[AgentReport]
    problem: str | None


class EvaluationsAnswer(TypedDict):
    """The last evaluations, newest first."""

    evaluations: list[EvaluationReport]


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of a directory. What they come to is worked out once for every state of a file."""

    directory: Path
    _working: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def latest(self) -> EvaluationsAnswer:
        """The last ones, newest first."""
        return await to_thread.run_sync(self._latest, limiter=self._working)

    async def page(self, name: str) -> bytes:
        """The report of one, as HTML.

        Raises:
            UnknownStoredError: if there is none of that name.
            UnreadableError: if its file cannot be read.
        """
        return await to_thread.run_sync(self._page, name, limiter=self._working)

    def _latest(self) -> EvaluationsAnswer:
        return {"evaluations": [_evaluation(file) for file in stored_files(self.directory)]}

    def _page(self, name: str) -> bytes:
        return _report(stored_file(self.directory, name))


def _evaluation(file: StoredFile) -> EvaluationReport:
    known: EvaluationReport = {
        "name": file.name,
        "modified": datetime.fromtimestamp(file.modified // 1_000_000_000, UTC).isoformat(),
        "episodes": 0,
        "scenarios": 0,
        "agents": [],
        "problem": None,
    }
    try:
        found = _summary(file)
    except (UnreadableError, OSError) as error:
        return {**known, "problem": str(error)}
    return {
        **known,
        "episodes": found.episodes,
        "scenarios": len(found.scenarios),
        "agents": [_agent(agent) for agent in found.agents],
    }


def _agent(agent: AgentMetrics) -> AgentReport:
    return {
        "agent": agent.agent,
        "rank": agent.rank,
        "episodes": agent.episodes,
        "first": _estimate(agent.first) if agent.first is not None else None,
        "score": _estimate(agent.score),
        "tasks": [_task(task) for task in agent.tasks],
    }


def _task(task: TaskMetrics) -> TaskReport:
    return {
        "task_id": task.task_id,
        "title": task_title(task.task_id),
        "episodes": task.episodes,
        "score": _estimate(task.score),
        "passed": task.passed,
        "failed": task.failed,
        "truncated": task.truncated,
        "steps": task.costs.steps,
    }


def _estimate(estimate: Estimate) -> EstimateReport:
    known = estimate.spread_known
    return {
        "mean": estimate.mean,
        "low": estimate.low if known else None,
        "high": estimate.high if known else None,
        "draws": estimate.draws,
    }


@lru_cache(_SUMMARIES_KEPT)
def _summary(file: StoredFile) -> Summary:
    return summarise(_trajectories(file))


@lru_cache(_REPORTS_KEPT)
def _report(file: StoredFile) -> bytes:
    page = report(_trajectories(file), title=f"Evaluation {file.name}", summary=_summary(file))
    return page.encode()


def _trajectories(file: StoredFile) -> list[Trajectory]:
    found = list(read_whole(file))
    if not found:
        raise UnreadableError(f"{file.name} holds no whole episode yet.")
    return found
