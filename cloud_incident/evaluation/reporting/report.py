"""An evaluation as one HTML file that loads nothing: no script, no font, no image, no request.

The templates have the words and tables; this module chooses what the plots show.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cloud_incident.evaluation.reporting import wording
from cloud_incident.evaluation.reporting.markup import render_template
from cloud_incident.evaluation.reporting.plots import (
    COLOURS,
    Bar,
    BarPlot,
    Curve,
    CurvePlot,
    HistogramPlot,
    IntervalMark,
    IntervalPlot,
    Legend,
)
from cloud_incident.evaluation.reporting.transcripts import MOST_SCENARIOS, choose_transcripts
from cloud_incident.evaluation.running import is_measured, read_score
from cloud_incident.evaluation.statistics import (
    average_rewards,
    count_scores,
    get_task_title,
    group_by_agent,
    group_by_task,
    group_items,
    sort_trajectories,
    summarise,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cloud_incident.evaluation.running import Trajectory
    from cloud_incident.evaluation.statistics import AgentMetrics, Comparison, Estimate, Summary

_STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page may load: nothing."""

_LIMITS = {"scenarios": 200, "differences": 12, "failures": 200, "reason": 300, "transcripts": MOST_SCENARIOS}
"""Of the page: rows of the tables of scenarios, of differences and of failures, characters of a reason, transcripts."""


def render_report(
    trajectories: Iterable[Trajectory],
    *,
    title: str = "Evaluation",
    summary: Summary | None = None,
    comparisons: Sequence[Comparison] = (),
) -> str:
    """Render the page, to be written as UTF-8. The same trajectories always give the same page.

    Args:
        summary: the metrics of these trajectories, if they are there already.
        comparisons: shown after the scores.

    Raises:
        ValueError: if there are no trajectories.
        MissingExtraError: if Jinja2 is not installed.
    """
    everything = sort_trajectories(trajectories)
    found = summarise(everything) if summary is None else summary
    episodes = [episode for episode in everything if is_measured(episode)]
    return render_template(
        "report.html.j2",
        title=title,
        policy=POLICY,
        style=_STYLE.read_text("utf-8"),
        limits=_LIMITS,
        summary=found,
        drawn=_choose_drawn(found),
        cost=sum(agent.costs.cost for agent in found.agents),
        titles={task_id: get_task_title(task_id) for task_id in found.task_ids},
        calm=wording.CALM,
        scenarios=group_items(found.scenarios[: _LIMITS["scenarios"]], lambda pair: pair[0]),
        comparisons=[(comparison, _plot_comparison(comparison)) for comparison in comparisons],
        passes=_collect_passes(found) if found.agents else {},
        ranking=_plot_ranking(found),
        tasks=list(_plot_tasks(found)),
        spread=list(_plot_spread(found, episodes)),
        lost=list(_plot_losses(found)),
        rewards=list(_plot_rewards(found, episodes)),
        effort=list(_plot_effort(found)) if found.agents else [],
        transcripts=choose_transcripts(episodes),
    )


def _choose_drawn(found: Summary) -> tuple[AgentMetrics, ...]:
    """The agents that plots show; the place of each is the number of its colour."""
    return found.agents[:COLOURS]


def _collect_passes(found: Summary) -> dict[str, dict[str, float | None]]:
    """By the name of a column and by agent, how often one of k attempts passes, and all of them."""
    most = max(len(agent.passes.any_of) for agent in found.agents)
    columns: dict[str, dict[str, float | None]] = {}
    for k in sorted({1, most}):
        columns[f"pass@{k}"] = {agent.agent: _get_pass(agent.passes.any_of, k) for agent in found.agents}
    if most > 1:
        columns[f"pass^{most}"] = {agent.agent: _get_pass(agent.passes.all_of, most) for agent in found.agents}
    return columns


def _get_pass(values: tuple[float, ...], k: int) -> float | None:
    return values[k - 1] if k <= len(values) else None


def _mark(label: str, estimate: Estimate, colour: int = 0) -> IntervalMark:
    return IntervalMark(label, estimate, colour, wording.format_score(estimate.mean))


def _plot_ranking(found: Summary) -> list[IntervalPlot]:
    marks = [
        _mark(agent.agent, agent.first, colour)
        for colour, agent in enumerate(_choose_drawn(found))
        if agent.first is not None
    ]
    description = f"Mean scores of first attempts with 95 % intervals of {_list_agents(found)}."
    return [IntervalPlot(Legend("ranking", "First attempts, all tasks", description), marks)] if marks else []


def _plot_tasks(found: Summary) -> Iterator[IntervalPlot]:
    for task_id in found.task_ids:
        played = [(colour, agent.agent, agent.find_task(task_id)) for colour, agent in enumerate(_choose_drawn(found))]
        marks = [_mark(name, task.score, colour) for colour, name, task in played if task is not None]
        if marks:
            title = get_task_title(task_id)
            description = f"Mean scores in {title} with 95 % intervals of {_list_agents(found)}."
            yield IntervalPlot(Legend(f"task-{task_id}", title, description), marks)


def _plot_comparison(comparison: Comparison) -> IntervalPlot:
    estimates = {"All tasks": comparison.difference}
    estimates |= {get_task_title(task_id): estimate for task_id, estimate in comparison.tasks.items()}
    overall = wording.format_difference(comparison.difference.mean)
    description = f"{comparison.second} less {comparison.first}, with 95 % intervals; in all {overall}."
    return IntervalPlot(
        Legend(f"comparison-{comparison.first}-{comparison.second}", "Difference in mean score", description),
        [
            IntervalMark(label, estimate, 0, wording.format_difference(estimate.mean))
            for label, estimate in estimates.items()
        ],
        low=-1.0,
    )


def _plot_spread(found: Summary, episodes: Sequence[Trajectory]) -> Iterator[HistogramPlot]:
    agents = group_by_agent(episodes)
    for colour, agent in enumerate(_choose_drawn(found)):
        counts = count_scores([read_score(episode) for episode in agents[agent.agent]])
        played = wording.format_count(agent.episodes, "episode")
        description = f"Scores of {played} in tenths; {counts[-1]} reached the full score."
        yield HistogramPlot(Legend(f"spread-{colour}", agent.agent, description), counts, colour)


def _plot_losses(found: Summary) -> Iterator[BarPlot]:
    for task_id in found.task_ids:
        bars = _choose_loss_bars(task_id, _choose_drawn(found))
        if bars:
            title = get_task_title(task_id)
            description = f"Mean points withheld per episode of {title}, by item of the grade."
            yield BarPlot(Legend(f"lost-{task_id}", title, description), bars)


def _choose_loss_bars(task_id: str, agents: Sequence[AgentMetrics]) -> list[Bar]:
    """A bar for each item and agent; items that cost most come first."""
    lost = [{loss.item: loss.mean for loss in agent.losses if loss.task_id == task_id} for agent in agents]
    items = {item for of_agent in lost for item in of_agent}
    totals = {item: sum(of_agent.get(item, 0.0) for of_agent in lost) for item in items}
    bars = []
    for item in sorted(items, key=lambda item: (-totals[item], item)):
        losers = [(colour, of_agent[item]) for colour, of_agent in enumerate(lost) if item in of_agent]
        bars += [
            Bar(item if number == 0 else None, value, colour, wording.format_score(value))
            for number, (colour, value) in enumerate(losers)
        ]
    return bars


def _plot_rewards(found: Summary, episodes: Sequence[Trajectory]) -> Iterator[CurvePlot]:
    tasks = {name: group_by_task(of_agent) for name, of_agent in group_by_agent(episodes).items()}
    for task_id in found.task_ids:
        curves = [
            Curve(agent.agent, average_rewards(tasks[agent.agent][task_id]), colour)
            for colour, agent in enumerate(_choose_drawn(found))
            if task_id in tasks[agent.agent]
        ]
        if curves:
            ends = ", ".join(f"{curve.label} {curve.values[-1]:+.2f}" for curve in curves)
            description = f"Mean sum of rewards by step; at the end: {ends}."
            yield CurvePlot(Legend(f"reward-{task_id}", get_task_title(task_id), description), curves, "steps")


def _plot_effort(found: Summary) -> Iterator[BarPlot]:
    def plot(name: str, thing: str, value: Callable[[AgentMetrics], float], write: Callable[[float], str]) -> BarPlot:
        bars = [
            Bar(agent.agent, value(agent), colour, write(value(agent)))
            for colour, agent in enumerate(_choose_drawn(found))
        ]
        return BarPlot(Legend(name, f"{name.capitalize()} per episode", f"Mean {thing} of each agent."), bars)

    yield plot("steps", "number of steps", lambda agent: agent.costs.steps, wording.format_amount)
    yield plot("time", "duration of an episode", lambda agent: agent.costs.seconds, wording.format_seconds)
    if any(_count_tokens(agent) for agent in found.agents):
        yield plot("tokens", "number of prompt and completion tokens", _count_tokens, wording.format_tokens)


def _count_tokens(agent: AgentMetrics) -> float:
    return agent.costs.prompt_tokens + agent.costs.completion_tokens


def _list_agents(found: Summary) -> str:
    return wording.list_names(tuple(agent.agent for agent in found.agents))
