"""An evaluation as one HTML file that needs nothing else: no script, no font, no request to anyone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cloud_incident.evaluation import wording
from cloud_incident.evaluation.curves import histogram, reward_curve
from cloud_incident.evaluation.grouping import by_agent, by_task, grouped, ordered, task_title
from cloud_incident.evaluation.markup import Markup, element, joined
from cloud_incident.evaluation.metrics import summarise
from cloud_incident.evaluation.plots import (
    COLOURS,
    Bar,
    Interval,
    Legend,
    Line,
    bar_plot,
    histogram_plot,
    interval_plot,
    key,
    line_plot,
)
from cloud_incident.evaluation.transcripts import MOST_SCENARIOS, transcripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_incident.evaluation.comparison import Comparison
    from cloud_incident.evaluation.metrics import AgentMetrics, ScenarioMetrics, Summary
    from cloud_incident.evaluation.trajectory import Trajectory

_STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page may load: nothing."""

_ROWS = 200
_DIFFERENCES = 12
_REASON = 300


def report(
    trajectories: Iterable[Trajectory],
    *,
    title: str = "Evaluation",
    summary: Summary | None = None,
    comparisons: Sequence[Comparison] = (),
) -> str:
    """The page, to be written as UTF-8. Nothing in it depends on when or where it is made.

    Args:
        summary: the metrics of these trajectories, if they are there already.
        comparisons: shown after the scores.

    Raises:
        ValueError: if there are no trajectories.
    """
    everything = ordered(trajectories)
    found = summarise(everything) if summary is None else summary
    sections = [
        ("ranking", "Ranking", _ranking(found)),
        ("tasks", "Scores by task", _tasks(found)),
        *([("comparison", "Comparison", joined(_comparison(one) for one in comparisons))] if comparisons else []),
        ("scenarios", "Scores by scenario", _scenarios(found)),
        ("spread", "Spread of scores", _spread(found, everything)),
        ("lost", "Where points were lost", _lost(found)),
        ("reward", "Reward along the steps", _reward(found, everything)),
        ("effort", "Effort", _effort(found)),
        ("episodes", "Best and worst episodes", _episodes(found, everything)),
    ]
    links = [element("li", element("a", name, href=f"#{place}")) for place, name, _ in sections]
    body = [
        element("header", element("h1", title), element("p", _lead(found), class_="lead"), _figures(found)),
        element("nav", element("ul", *links), aria_label="Sections"),
        element(
            "main", *(element("section", element("h2", name), content, id=place) for place, name, content in sections)
        ),
        element("footer", element("p", _method(found))),
    ]
    return _page(title, joined(body))


def _page(title: str, body: Markup) -> str:
    head = [
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        element("title", title),
        element("style", Markup(_STYLE.read_text("utf-8"))),
    ]
    page = element("html", element("head", *head), element("body", body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _lead(found: Summary) -> str:
    leader = found.agents[0]
    if leader.first is None:
        return "No agent made a first attempt, so that none is ranked."
    leaders = [agent.agent for agent in found.agents if agent.rank == 1]
    who = f"{leaders[0]} leads" if len(leaders) == 1 else f"{wording.listed(tuple(leaders))} lead"
    return f"{who} with a mean score of {leader.first.mean:.3f} on first attempts."


def _figures(found: Summary) -> Markup:
    figures = [
        ("episodes", f"{found.episodes:,}"),
        ("agents", f"{len(found.agents)}"),
        ("scenarios", f"{len(found.scenarios):,}"),
    ]
    cost = sum(agent.costs.cost for agent in found.agents)
    if cost:
        figures.append(("spent", wording.dollars(cost)))
    return element("dl", *(element("div", element("dt", name), element("dd", value)) for name, value in figures))


def _ranking(found: Summary) -> Markup:
    most = max(len(agent.passes.any_of) for agent in found.agents)
    ks = sorted({1, most})
    headers = ["Rank", "Agent", "Score", "95 % interval", "All attempts"]
    headers += [f"pass@{k}" for k in ks] + [f"pass^{k}" for k in ks if k > 1]
    headers += ["Over constant", "Failed", "Out of steps", "Episodes"]
    rows = []
    for agent in found.agents:
        passes = agent.passes
        rows.append(
            [
                f"{agent.rank}",
                agent.agent,
                wording.score(agent.first.mean if agent.first else None),
                wording.interval(agent.first),
                wording.score(agent.score.mean),
                *(_at(passes.any_of, k) for k in ks),
                *(_at(passes.all_of, k) for k in ks if k > 1),
                wording.signed(agent.above_constant),
                wording.share(agent.failed),
                wording.share(agent.truncated),
                f"{agent.episodes:,}",
            ]
        )
    note = (
        "Ranked by first attempts alone. pass@k: at least one of k attempts passes; pass^k: all of them do. "
        f"An episode passes with a score of {found.agents[0].passes.threshold:g} or more."
    )
    if found.constant is not None:
        note += (
            f" Answering {found.constant.severity} to every alert would earn {found.constant.score:.3f} in alert "
            "classification; “over constant” is what an agent earns there beyond that."
        )
    marks = [
        Interval(agent.agent, agent.first, colour, wording.score(agent.first.mean))
        for colour, agent in _drawn(found)
        if agent.first is not None
    ]
    told = f"Mean scores of first attempts with 95 % intervals of {_names(found)}."
    plot = interval_plot(Legend("ranking", "First attempts, all tasks", told), marks) if marks else None
    table = _table("Agents, best first", headers, rows, head=1)
    return joined([element("p", note), _cut(found), _panels([plot]), table])


def _at(values: tuple[float, ...], k: int) -> str:
    return wording.score(values[k - 1]) if k <= len(values) else "–"


def _tasks(found: Summary) -> Markup:
    plots = []
    rows = []
    for task_id in found.task_ids:
        name = task_title(task_id)
        played = [(colour, agent, agent.task(task_id)) for colour, agent in enumerate(found.agents)]
        marks = [
            Interval(agent.agent, task.score, colour, wording.score(task.score.mean))
            for colour, agent, task in played[:COLOURS]
            if task is not None
        ]
        if marks:
            told = f"Mean scores in {name} with 95 % intervals of {_names(found)}."
            plots.append(interval_plot(Legend(f"task-{task_id}", name, told), marks))
        rows += [
            [
                f"{name}, {agent.agent}",
                wording.score(task.score.mean),
                wording.interval(task.score),
                wording.share(task.passed),
                wording.share(task.failed),
                wording.share(task.truncated),
                wording.amount(task.costs.steps),
                f"{task.episodes:,}",
            ]
            for _, agent, task in played
            if task is not None
        ]
    headers = ["Task, agent", "Score", "95 % interval", "Passed", "Failed", "Out of steps", "Steps", "Episodes"]
    table = _table("All attempts, by task and agent", headers, rows, head=0)
    return joined([_panels(plots), element("details", element("summary", "As a table"), table)])


def _scenarios(found: Summary) -> Markup:
    """A table whose cells are the darker the higher the score is."""
    shown = found.scenarios[:_ROWS]
    bodies = []
    for task_id, pairs in grouped(shown, lambda pair: pair[0]).items():
        rows = [
            element("tr", element("th", task_title(task_id), scope="rowgroup", colspan=len(found.agents) + 1)),
            *(
                element(
                    "tr",
                    element("th", name, scope="row"),
                    *(_heat(agent.scenario(task_id, name)) for agent in found.agents),
                )
                for _, name in pairs
            ),
        ]
        bodies.append(element("tbody", *rows))
    head = element(
        "tr",
        element("th", "Scenario", scope="col"),
        *(element("th", agent.agent, scope="col") for agent in found.agents),
    )
    caption = "Mean score of all attempts, and the lowest and the highest where they differ"
    table = element("table", element("caption", caption), element("thead", head), *bodies, class_="heat")
    left = len(found.scenarios) - len(shown)
    return joined(
        [_scrolled(caption, table), element("p", f"{left:,} more scenarios are not shown.") if left else None]
    )


def _heat(one: ScenarioMetrics | None) -> Markup:
    if one is None:
        return element("td", "–")
    ends = element("small", f"{one.worst:.2f}–{one.best:.2f}") if one.worst != one.best else None
    return element("td", wording.score(one.score.mean), ends, style=f"--score:{round(100 * one.score.mean)}%")


def _spread(found: Summary, everything: Sequence[Trajectory]) -> Markup:
    agents = by_agent(everything)
    plots = []
    for colour, agent in _drawn(found):
        counts = histogram([one["score"] for one in agents[agent.agent]])
        told = f"Scores of {wording.count(agent.episodes, 'episode')} in tenths; {counts[-1]} reached the full score."
        plots.append(histogram_plot(Legend(f"spread-{colour}", agent.agent, told), counts, colour))
    note = "How many episodes ended with which score, in tenths; the last column is of full scores alone."
    return joined([element("p", note), _panels(plots)])


def _lost(found: Summary) -> Markup:
    shown = _drawn(found)
    plots = []
    for task_id in found.task_ids:
        bars = _loss_bars(task_id, shown)
        if bars:
            name = task_title(task_id)
            told = f"Mean points withheld per episode of {name}, by item of the grade."
            plots.append(bar_plot(Legend(f"lost-{task_id}", name, told), bars))
    if not plots:
        return element("p", "No points were lost.")
    rows = [
        [
            f"{task_title(loss.task_id)}, {loss.item}",
            agent.agent,
            f"{loss.points:.2f}",
            f"{loss.times} of {loss.episodes}",
            f"{wording.shortened(loss.reason, _REASON)} ({loss.reason_times} times)",
        ]
        for agent in found.agents
        for loss in agent.losses
    ]
    table = _table(
        "Points withheld, summed, and the reason given most often (reasons that differ in numbers only are one)",
        ["Item", "Agent", "Points", "Episodes", "Most frequent reason"],
        rows,
        head=0,
        words={1, 4},
    )
    note = "Points withheld or deducted per episode, by item of the grade."
    why = element("details", element("summary", "Why: the most frequent reasons"), table)
    return joined([element("p", note), _key(found), _panels(plots), why])


def _loss_bars(task_id: str, shown: Sequence[tuple[int, AgentMetrics]]) -> list[Bar]:
    lost = {
        colour: {loss.item: loss.mean for loss in agent.losses if loss.task_id == task_id} for colour, agent in shown
    }
    items = dict.fromkeys(item for of_agent in lost.values() for item in of_agent)
    totals = {item: sum(of_agent.get(item, 0.0) for of_agent in lost.values()) for item in items}
    bars = []
    for item in sorted(items, key=lambda item: (-totals[item], item)):
        losers = [(colour, of_agent[item]) for colour, of_agent in lost.items() if item in of_agent]
        bars += [
            Bar(item if number == 0 else None, value, colour, f"{value:.3f}")
            for number, (colour, value) in enumerate(losers)
        ]
    return bars


def _reward(found: Summary, everything: Sequence[Trajectory]) -> Markup:
    agents = by_agent(everything)
    tasks = {agent: by_task(ones) for agent, ones in agents.items()}
    plots = []
    for task_id in found.task_ids:
        lines = [
            Line(agent.agent, reward_curve(tasks[agent.agent][task_id]), colour)
            for colour, agent in _drawn(found)
            if task_id in tasks[agent.agent]
        ]
        if lines:
            ends = ", ".join(f"{line.label} {line.values[-1]:+.2f}" for line in lines)
            legend = Legend(
                f"reward-{task_id}", task_title(task_id), f"Mean sum of rewards by step; at the end: {ends}."
            )
            plots.append(line_plot(legend, lines, "steps"))
    note = (
        "Mean sum of rewards so far. An episode that has ended stays where it ended; the submission earns the score. "
        "Sums of rewards do not rank agents: a long episode may collect more of them than a better one."
    )
    return joined([element("p", note), _key(found), _panels(plots)])


def _effort(found: Summary) -> Markup:
    shown = _drawn(found)
    plots = [
        bar_plot(
            Legend("steps", "Steps per episode", "Mean number of steps of each agent."),
            [Bar(a.agent, a.costs.steps, colour, wording.amount(a.costs.steps)) for colour, a in shown],
        ),
        bar_plot(
            Legend("time", "Time per episode", "Mean duration of an episode of each agent."),
            [Bar(a.agent, a.costs.seconds, colour, wording.seconds(a.costs.seconds)) for colour, a in shown],
        ),
    ]
    if any(_tokens(agent) for agent in found.agents):
        told = "Mean number of prompt and completion tokens of each agent."
        bars = [Bar(agent.agent, _tokens(agent), colour, wording.tokens(_tokens(agent))) for colour, agent in shown]
        plots.append(bar_plot(Legend("tokens", "Tokens per episode", told), bars))
    rows = [
        [
            agent.agent,
            wording.amount(agent.costs.steps),
            wording.tokens(agent.costs.prompt_tokens),
            wording.tokens(agent.costs.completion_tokens),
            wording.seconds(agent.costs.seconds),
            wording.dollars(agent.costs.cost),
            wording.dollars(agent.costs.cost / agent.episodes),
        ]
        for agent in found.agents
    ]
    headers = ["Agent", "Steps", "Prompt tokens", "Completion tokens", "Time", "Cost of all", "Cost of one"]
    return joined([_panels(plots), _table("Means per episode", headers, rows, head=0)])


def _tokens(agent: AgentMetrics) -> float:
    return agent.costs.prompt_tokens + agent.costs.completion_tokens


def _episodes(found: Summary, everything: Sequence[Trajectory]) -> Markup:
    left = len(found.scenarios) - MOST_SCENARIOS
    note = f"The {MOST_SCENARIOS} scenarios whose scores lie furthest apart, of {len(found.scenarios):,}."
    return joined([element("p", note) if left > 0 else None, *transcripts(everything)])


def _comparison(one: Comparison) -> Markup:
    told = (
        f"{wording.count(one.pairs, 'pair')} of episodes on the same task, scenario, seed and repeat: {one.second} won "
        f"{one.wins}, tied {one.ties} and lost {one.losses}. Its mean score is {one.second_mean:.3f} against "
        f"{one.first_mean:.3f}; {wording.p_value(one)}."
    )
    marks = [Interval("All tasks", one.difference, 0, wording.signed(one.difference.mean))]
    marks += [
        Interval(task_title(task_id), found, 0, wording.signed(found.mean)) for task_id, found in one.tasks.items()
    ]
    plot = interval_plot(
        Legend(
            f"comparison-{one.first}-{one.second}",
            "Difference in mean score",
            f"{one.second} less {one.first}, with 95 % intervals; in all {wording.signed(one.difference.mean)}.",
        ),
        marks,
        low=-1.0,
    )
    differing = [found for found in one.scenarios if found.difference != 0][:_DIFFERENCES]
    table = _table(
        "Scenarios that differ most",
        ["Scenario", one.first, one.second, "Difference", "Pairs"],
        [
            [
                found.scenario_id,
                wording.score(found.first),
                wording.score(found.second),
                wording.signed(found.difference),
                f"{found.pairs}",
            ]
            for found in differing
        ],
        head=0,
    )
    return joined(
        [
            element("h3", f"{one.second} less {one.first}"),
            element("p", told),
            *(element("p", caveat) for caveat in _caveats(one)),
            _panels([plot, table if differing else None]),
        ]
    )


def _caveats(one: Comparison) -> list[str]:
    said = [
        f"Only in {name}, and not compared: {wording.listed(left)}."
        for name, left in ((one.first, one.only_first), (one.second, one.only_second))
        if left
    ]
    if one.changed:
        said.append(
            f"Changed between the two, so that scores are not of the same thing: {wording.listed(one.changed)}."
        )
    return said


def _method(found: Summary) -> str:
    return (
        "Means count every scenario alike. Intervals are of 95 %, from bootstrap resamples of whole scenarios within "
        "each task (of episodes, where there is one scenario); a dash stands where a single draw says nothing of the "
        "spread. They tell how far other scenarios could have moved a mean, not how a scenario was made. "
        f"{wording.count(found.episodes, 'episode')} in all; the same episodes always give this same page."
    )


def _drawn(found: Summary) -> list[tuple[int, AgentMetrics]]:
    """The agents that plots show, with their colours."""
    return list(enumerate(found.agents[:COLOURS]))


def _cut(found: Summary) -> Markup | None:
    left = len(found.agents) - COLOURS
    return element("p", f"Plots show the {COLOURS} best of {len(found.agents)} agents.") if left > 0 else None


def _names(found: Summary) -> str:
    return wording.listed(tuple(agent.agent for agent in found.agents))


def _key(found: Summary) -> Markup:
    return key([(agent.agent, colour) for colour, agent in _drawn(found)])


def _panels(parts: Iterable[Markup | None]) -> Markup:
    return element("div", *parts, class_="panels")


def _table(
    caption: str, headers: Sequence[str], rows: Sequence[Sequence[str]], *, head: int, words: Iterable[int] = ()
) -> Markup:
    """A table whose column `head` names its rows; columns in `words` are prose, all others numbers."""
    prose = {head, *words}
    lines = []
    for row in rows:
        cells = [
            element("th", cell, scope="row")
            if column == head
            else element("td", cell, class_="words" if column in prose else None)
            for column, cell in enumerate(row)
        ]
        lines.append(element("tr", *cells))
    top = [
        element("th", name, scope="col", class_="words" if column in prose else None)
        for column, name in enumerate(headers)
    ]
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *top)),
        element("tbody", *lines),
    )
    return _scrolled(caption, table)


def _scrolled(caption: str, table: Markup) -> Markup:
    """A region of its own that scrolls sideways, by keyboard too, so that the page does not."""
    return element("div", table, class_="scroll", role="region", tabindex=0, aria_label=caption)
