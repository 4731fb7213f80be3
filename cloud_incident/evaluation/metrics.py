"""What an evaluation says of its agents: scores with intervals, passes, losses, and what the playing cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloud_incident.evaluation import constant
from cloud_incident.evaluation.constant import Constant, best_constant
from cloud_incident.evaluation.grouping import by_agent, by_scenario, by_task, ordered, scores
from cloud_incident.evaluation.intervals import RESAMPLES, Estimate, estimate, estimates, mean
from cloud_incident.evaluation.losses import Loss, losses
from cloud_incident.evaluation.passes import THRESHOLD, Passes, passes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_incident.evaluation.trajectory import Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What playing took: `steps`, tokens and `seconds` are means per episode, `cost` is US dollars for all of them."""

    steps: float
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMetrics:
    """One agent on one task. `passed`, `failed` and `truncated` are shares of its episodes, 0.0 to 1.0."""

    task_id: str
    episodes: int
    score: Estimate
    passed: float
    failed: float
    truncated: float
    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioMetrics:
    """One agent on one scenario."""

    task_id: str
    scenario_id: str
    episodes: int
    score: Estimate
    best: float
    worst: float
    steps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMetrics:
    """One agent. `rank` goes by `first`, the mean score of first attempts; None, and ranked last, if it made none.

    `score` is of all attempts. `above_constant` is the mean score in alert_classification less that of the best
    constant answer, -1.0 to 1.0; None where that is not known. `failed` (could not be played to the end) and
    `truncated` (ran out of steps) are shares of the episodes.
    """

    agent: str
    rank: int
    episodes: int
    first: Estimate | None
    score: Estimate
    passes: Passes
    tasks: tuple[TaskMetrics, ...]
    scenarios: tuple[ScenarioMetrics, ...]
    losses: tuple[Loss, ...]
    above_constant: float | None
    failed: float
    truncated: float
    costs: Costs

    def task(self, task_id: str) -> TaskMetrics | None:
        """Its metrics on a task, if it played it."""
        return next((task for task in self.tasks if task.task_id == task_id), None)

    def scenario(self, task_id: str, scenario_id: str) -> ScenarioMetrics | None:
        """Its metrics on a scenario, if it played it."""
        wanted = (task_id, scenario_id)
        return next((one for one in self.scenarios if (one.task_id, one.scenario_id) == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An evaluation: its agents, best first, and the task and id of every scenario that was played."""

    agents: tuple[AgentMetrics, ...]
    episodes: int
    task_ids: tuple[str, ...]
    scenarios: tuple[tuple[str, str], ...]
    constant: Constant | None


def summarise(
    trajectories: Iterable[Trajectory],
    *,
    threshold: float = THRESHOLD,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Summary:
    """The metrics of all agents; the same episodes in any order give the same summary.

    Args:
        threshold: the score from which an episode passes.
        seed: of the bootstrap.
        resamples: of the bootstrap, 1 or more.

    Raises:
        ValueError: if there are no trajectories.
    """
    everything = ordered(trajectories)
    if not everything:
        raise ValueError("There are no trajectories to summarise.")
    best = best_constant(everything)
    agents = [_agent(agent, ones, best, threshold, seed, resamples) for agent, ones in by_agent(everything).items()]
    return Summary(
        agents=_ranked(agents),
        episodes=len(everything),
        task_ids=tuple(by_task(everything)),
        scenarios=tuple(by_scenario(everything)),
        constant=best,
    )


def _agent(
    agent: str, ones: Sequence[Trajectory], best: Constant | None, threshold: float, seed: int, resamples: int
) -> AgentMetrics:
    overall = estimates(scores(ones), seed, resamples)
    first = [one for one in ones if one["repeat"] == 0]
    first_only = len(first) == len(ones)
    classified = overall.tasks.get(constant.TASK)
    return AgentMetrics(
        agent=agent,
        rank=0,
        episodes=len(ones),
        first=overall.overall if first_only else estimates(scores(first), seed, resamples).overall if first else None,
        score=overall.overall,
        passes=passes(ones, threshold),
        tasks=tuple(
            _task(task_id, of_task, overall.tasks[task_id], threshold) for task_id, of_task in by_task(ones).items()
        ),
        scenarios=tuple(
            _scenario(task_id, scenario_id, of_scenario, seed, resamples)
            for (task_id, scenario_id), of_scenario in by_scenario(ones).items()
        ),
        losses=losses(ones),
        above_constant=None if best is None or classified is None else classified.mean - best.score,
        failed=_share(ones, "failed"),
        truncated=_truncated(ones),
        costs=_costs(ones),
    )


def _ranked(agents: Sequence[AgentMetrics]) -> tuple[AgentMetrics, ...]:
    """Agents with the same mean share a rank."""
    means = {one.agent: -1.0 if one.first is None else one.first.mean for one in agents}
    ahead = sorted(agents, key=lambda one: (-means[one.agent], one.agent))
    return tuple(replace(one, rank=1 + sum(other > means[one.agent] for other in means.values())) for one in ahead)


def _task(task_id: str, ones: Sequence[Trajectory], score: Estimate, threshold: float) -> TaskMetrics:
    return TaskMetrics(
        task_id=task_id,
        episodes=len(ones),
        score=score,
        passed=sum(one["score"] >= threshold for one in ones) / len(ones),
        failed=_share(ones, "failed"),
        truncated=_truncated(ones),
        costs=_costs(ones),
    )


def _scenario(task_id: str, scenario_id: str, ones: Sequence[Trajectory], seed: int, resamples: int) -> ScenarioMetrics:
    values = [one["score"] for one in ones]
    return ScenarioMetrics(
        task_id=task_id,
        scenario_id=scenario_id,
        episodes=len(ones),
        score=estimate(values, seed, resamples),
        best=max(values),
        worst=min(values),
        steps=mean([len(one["steps"]) for one in ones]),
    )


def _costs(ones: Sequence[Trajectory]) -> Costs:
    return Costs(
        steps=mean([len(one["steps"]) for one in ones]),
        prompt_tokens=mean([one["usage"]["prompt_tokens"] for one in ones]),
        completion_tokens=mean([one["usage"]["completion_tokens"] for one in ones]),
        seconds=mean([one["seconds"] for one in ones]),
        cost=mean([one["usage"]["cost"] for one in ones]) * len(ones),
    )


def _share(ones: Sequence[Trajectory], key: str) -> float:
    return sum(key in one for one in ones) / len(ones)


def _truncated(ones: Sequence[Trajectory]) -> float:
    return sum(one["truncated"] for one in ones) / len(ones)
