"""What an evaluation says about its agents: scores with intervals, passes, losses, and what the episodes cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.running import is_measured, read_score
from cloud_incident.evaluation.statistics import constant
from cloud_incident.evaluation.statistics.constant import Constant, find_best_constant
from cloud_incident.evaluation.statistics.grouping import (
    collect_scores,
    find_calm,
    get_scenario,
    group_by_agent,
    group_by_scenario,
    group_by_task,
    sort_trajectories,
)
from cloud_incident.evaluation.statistics.intervals import RESAMPLES, Estimate, estimate_mean, estimate_tasks
from cloud_incident.evaluation.statistics.losses import Loss, find_losses
from cloud_incident.evaluation.statistics.origin import describe_origin
from cloud_incident.evaluation.statistics.passes import THRESHOLD, Passes, measure_passes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_incident.evaluation.running import Trajectory
    from cloud_incident.evaluation.statistics.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What episodes took: `steps`, tokens and `seconds` are means per episode, `cost` is US dollars for all of them."""

    steps: float
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMetrics:
    """One agent on one task. `passed` and `truncated` are shares of its `episodes`, 0.0 to 1.0.

    `failed` counts further episodes that failed.
    """

    task_id: str
    episodes: int
    score: Estimate
    passed: float
    failed: int
    truncated: float
    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioMetrics:
    """One agent on one scenario. `best` and `worst` are its highest and lowest score, `steps` is a mean."""

    task_id: str
    scenario_id: str
    episodes: int
    score: Estimate
    best: float
    worst: float
    steps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMetrics:
    """One agent. `rank` goes by `first`, the mean score of first attempts; an agent without any has None and is last.

    `score` is the mean of all attempts. `above_constant` is the mean score in alert_classification less that of the
    best constant answer, -1.0 to 1.0; None where that is not known. `calm` is what it did in the scenarios of its
    `tasks` in which nothing was to be repaired, if there were any. `truncated` is the share of the `episodes` that ran
    out of steps, 0.0 to 1.0. `failed` counts further episodes: they could not be measured and are in no mean.
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
    failed: int
    truncated: float
    costs: Costs
    calm: TaskMetrics | None = None

    def find_task(self, task_id: str) -> TaskMetrics | None:
        """The metrics of the agent on a task; None if it did not play the task."""
        return next((task for task in self.tasks if task.task_id == task_id), None)

    def find_scenario(self, task_id: str, scenario_id: str) -> ScenarioMetrics | None:
        """The metrics of the agent on a scenario; None if it did not play the scenario."""
        wanted = (task_id, scenario_id)
        return next((found for found in self.scenarios if (found.task_id, found.scenario_id) == wanted), None)


class Failure(NamedTuple):
    """An episode that could not be measured, and why. It is in no mean."""

    key: str
    agent: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An evaluation: its agents, best first, and the task and id of every scenario that was measured.

    An agent of which no episode was measured is not among them, but its `failures` are. `episodes` counts those that
    were measured. `origin` says which release measured them, when, where and on what.
    """

    agents: tuple[AgentMetrics, ...]
    episodes: int
    task_ids: tuple[str, ...]
    scenarios: tuple[tuple[str, str], ...]
    constant: Constant | None
    failures: tuple[Failure, ...]
    origin: Origin


def summarise(
    trajectories: Iterable[Trajectory],
    *,
    threshold: float = THRESHOLD,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Summary:
    """Compute the metrics of all agents; the same episodes in any order give the same summary.

    Args:
        threshold: the score from which on an episode passes.
        seed: of the bootstrap.
        resamples: of the bootstrap, 1 or more.

    Raises:
        ValueError: if there are no trajectories.
    """
    everything = sort_trajectories(trajectories)
    if not everything:
        raise ValueError("There are no trajectories to summarise.")
    measured = [episode for episode in everything if is_measured(episode)]
    failed = [episode for episode in everything if not is_measured(episode)]
    best = find_best_constant(measured)
    calm = find_calm(measured)
    agents = [
        replace(
            _measure_agent(agent, episodes, failed, best, threshold, seed, resamples),
            calm=_measure_calm([each for each in episodes if get_scenario(each) in calm], threshold, seed, resamples),
        )
        for agent, episodes in group_by_agent(measured).items()
    ]
    return Summary(
        agents=_rank(agents),
        episodes=len(measured),
        task_ids=tuple(group_by_task(measured)),
        scenarios=tuple(group_by_scenario(measured)),
        constant=best,
        failures=tuple(Failure(episode["key"], episode["agent"], episode.get("failed", "")) for episode in failed),
        origin=describe_origin(measured or failed),
    )


def _measure_agent(
    agent: str,
    episodes: Sequence[Trajectory],
    failed: Sequence[Trajectory],
    best: Constant | None,
    threshold: float,
    seed: int,
    resamples: int,
) -> AgentMetrics:
    failures = Counter(episode["task_id"] for episode in failed if episode["agent"] == agent)
    found = estimate_tasks(collect_scores(episodes), seed, resamples)
    classified = found.tasks.get(constant.TASK)
    return AgentMetrics(
        agent=agent,
        rank=0,
        episodes=len(episodes),
        first=_estimate_first(episodes, found.overall, seed, resamples),
        score=found.overall,
        passes=measure_passes(episodes, threshold),
        tasks=tuple(
            _measure_task(task_id, of_task, failures[task_id], found.tasks[task_id], threshold)
            for task_id, of_task in group_by_task(episodes).items()
        ),
        scenarios=tuple(
            _measure_scenario(task_id, scenario_id, of_scenario, seed, resamples)
            for (task_id, scenario_id), of_scenario in group_by_scenario(episodes).items()
        ),
        losses=find_losses(episodes),
        above_constant=None if best is None or classified is None else classified.mean - best.score,
        failed=failures.total(),
        truncated=_measure_truncated(episodes),
        costs=_measure_costs(episodes),
    )


def _estimate_first(
    episodes: Sequence[Trajectory], all_of_them: Estimate, seed: int, resamples: int
) -> Estimate | None:
    """The estimate of first attempts; None if there are none."""
    first = [episode for episode in episodes if episode["repeat"] == 0]
    if len(first) == len(episodes):
        return all_of_them
    return estimate_tasks(collect_scores(first), seed, resamples).overall if first else None


def _rank(agents: Sequence[AgentMetrics]) -> tuple[AgentMetrics, ...]:
    """Give agents their ranks, best first. Agents with the same mean share a rank."""
    means = {agent.agent: -1.0 if agent.first is None else agent.first.mean for agent in agents}
    ahead = sorted(agents, key=lambda agent: (-means[agent.agent], agent.agent))
    return tuple(
        replace(agent, rank=1 + sum(other > means[agent.agent] for other in means.values())) for agent in ahead
    )


def _measure_task(
    task_id: str, episodes: Sequence[Trajectory], failed: int, score: Estimate, threshold: float
) -> TaskMetrics:
    return TaskMetrics(
        task_id=task_id,
        episodes=len(episodes),
        score=score,
        passed=sum(read_score(episode) >= threshold for episode in episodes) / len(episodes),
        failed=failed,
        truncated=_measure_truncated(episodes),
        costs=_measure_costs(episodes),
    )


def _measure_calm(episodes: Sequence[Trajectory], threshold: float, seed: int, resamples: int) -> TaskMetrics | None:
    if not episodes:
        return None
    score = estimate_tasks(collect_scores(episodes), seed, resamples).overall
    return _measure_task(episodes[0]["task_id"], episodes, 0, score, threshold)


def _measure_scenario(
    task_id: str, scenario_id: str, episodes: Sequence[Trajectory], seed: int, resamples: int
) -> ScenarioMetrics:
    values = [read_score(episode) for episode in episodes]
    return ScenarioMetrics(
        task_id=task_id,
        scenario_id=scenario_id,
        episodes=len(episodes),
        score=estimate_mean(values, seed, resamples),
        best=max(values),
        worst=min(values),
        steps=fmean(len(episode["steps"]) for episode in episodes),
    )


def _measure_costs(episodes: Sequence[Trajectory]) -> Costs:
    return Costs(
        steps=fmean(len(episode["steps"]) for episode in episodes),
        prompt_tokens=fmean(episode["usage"]["prompt_tokens"] for episode in episodes),
        completion_tokens=fmean(episode["usage"]["completion_tokens"] for episode in episodes),
        seconds=fmean(episode["seconds"] for episode in episodes),
        cost=fmean(episode["usage"]["cost"] for episode in episodes) * len(episodes),
    )


def _measure_truncated(episodes: Sequence[Trajectory]) -> float:
    return sum(episode["truncated"] for episode in episodes) / len(episodes)
