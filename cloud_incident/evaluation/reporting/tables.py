"""Summaries and comparisons as plain text for a terminal that is a hundred columns wide."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from cloud_incident.evaluation.reporting import wording
from cloud_incident.evaluation.statistics import LEVEL, get_task_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from cloud_incident.evaluation.statistics import AgentMetrics, Comparison, RunComparison, Summary

WIDTH = 100
"""Of all text, in columns of the terminal."""
_NAME = 28
"""Widest name in a table, in columns of the terminal."""
_CELL = 16
"""Widest name above a column of numbers, in columns of the terminal."""
_GAP = 2
"""Between two columns of a table."""
_LOSSES = 4
_DIFFERENCES = 8
_SCENARIOS = 40
_FAILURES = 20
_INTERVAL = f"{LEVEL:.0%} interval"


def render_summary(summary: Summary) -> str:
    """The tables of a run."""
    parts: list[RenderableType] = [_tabulate_origin(summary), _write(_count_all(summary))]
    if summary.agents:
        parts += [
            _tabulate_ranking(summary),
            _tabulate_passes(summary),
            _tabulate_tasks(summary),
            _tabulate_scenarios(summary),
            *(_tabulate_losses(agent) for agent in summary.agents if agent.losses),
            _tabulate_costs(summary),
        ]
    if summary.failures:
        parts.append(_tabulate_failures(summary))
    return _render(parts)


def render_run_comparison(runs: RunComparison) -> str:
    """The tables of a comparison of two runs, agent by agent."""
    parts = [part for comparison in runs.comparisons for part in _tabulate_comparison(comparison)]
    for which, agents in (("first", runs.only_first), ("second", runs.only_second)):
        if agents:
            parts.append(_write(f"Only in the {which} run: {wording.list_names(agents)}."))
    if runs.unmeasured:
        parts.append(_write(f"All episodes failed in one of the two runs: {wording.list_names(runs.unmeasured)}."))
    return _render(parts)


def _tabulate_comparison(comparison: Comparison) -> Iterator[RenderableType]:
    first, second = _cut(comparison.first, 38), _cut(comparison.second, 38)
    yield _write(f"{second} (second) less {first} (first)")
    yield _write(
        f"{wording.format_count(comparison.pairs, 'pair')}: the second won {comparison.wins}, tied {comparison.ties}, "
        f"lost {comparison.losses}. Mean score {comparison.second_mean:.3f} against {comparison.first_mean:.3f}; "
        f"{wording.format_p_value(comparison)}."
    )
    yield _tabulate(
        None,
        ["task", "difference", _INTERVAL],
        [
            [name, wording.format_difference(estimate.mean), wording.format_difference_interval(estimate)]
            for name, estimate in [
                ("all", comparison.difference),
                *((get_task_title(task_id), estimate) for task_id, estimate in comparison.tasks.items()),
            ]
        ],
    )
    differing = [scenario for scenario in comparison.scenarios if scenario.difference != 0][:_DIFFERENCES]
    if differing:
        yield _tabulate(
            "Scenarios that differ most",
            ["scenario", "first", "second", "difference", "pairs"],
            [
                [
                    scenario.scenario_id,
                    wording.format_score(scenario.first),
                    wording.format_score(scenario.second),
                    wording.format_difference(scenario.difference),
                    f"{scenario.pairs}",
                ]
                for scenario in differing
            ],
        )
    for name, left in ((comparison.first, comparison.only_first), (comparison.second, comparison.only_second)):
        if left:
            yield _write(f"Only in {_cut(name, 60)}, and not compared: {wording.list_names(left)}.")
    for name, failed in ((comparison.first, comparison.failed_first), (comparison.second, comparison.failed_second)):
        if failed:
            count = wording.format_count(len(failed), "episode")
            yield _write(f"{count} of {_cut(name, 60)} failed, and left out: {wording.list_names(failed)}.")
    if comparison.conditions:
        yield _write(f"Measured under different conditions: {'; '.join(comparison.conditions)}.")
    if comparison.changed:
        yield _write(f"Changed between the two, so not the same thing: {wording.list_names(comparison.changed)}.")


def _count_all(summary: Summary) -> str:
    counts = [
        f"{wording.format_count(summary.episodes, 'episode')} measured",
        f"{len(summary.failures):,} failed",
        wording.format_count(len(summary.agents), "agent"),
        wording.format_count(len(summary.scenarios), "scenario"),
    ]
    if not summary.agents:
        return f"{', '.join(counts[:2])}. There is no score to report."
    if summary.constant is None:
        return ", ".join(counts)
    best = f"Best constant answer to alert_classification: {summary.constant.severity}, {summary.constant.score:.3f}."
    return f"{', '.join(counts)}. {best}"


def _tabulate_origin(summary: Summary) -> RenderableType:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    for what, values in summary.origin.items():
        table.add_row(what, _write(wording.list_names(values)))
    return table


def _tabulate_failures(summary: Summary) -> RenderableType:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(min_width=8)
    shown = summary.failures[:_FAILURES]
    for failure in shown:
        table.add_row("", _write(f"{_cut(failure.key, 60)}: {_cut(failure.reason, 2 * (WIDTH - 10) - 60)}"))
    left = len(summary.failures) - len(shown)
    if left:
        table.add_row("", f"… and {left} more.")
    title = f"{wording.format_count(len(summary.failures), 'episode')} failed, without a score and in no mean:"
    return Group(_write(title), table)


def _tabulate_ranking(summary: Summary) -> RenderableType:
    return _tabulate(
        "Ranking by first attempts",
        ["#", "agent", "score", _INTERVAL, "all attempts", "over constant", "failed", "episodes"],
        [
            [
                f"{agent.rank}",
                agent.agent,
                wording.format_score(agent.first.mean if agent.first else None),
                wording.format_interval(agent.first),
                wording.format_score(agent.score.mean),
                wording.format_difference(agent.above_constant),
                f"{agent.failed}",
                f"{agent.episodes}",
            ]
            for agent in summary.agents
        ],
        words=2,
    )


def _tabulate_passes(summary: Summary) -> RenderableType:
    """Of the first few k and of the last."""
    most = max(len(agent.passes.any_of) for agent in summary.agents)
    ks = sorted({k for k in (1, 2, 4, 8, most) if k <= most})[-4:]
    later = [k for k in ks if k > 1]
    threshold = summary.agents[0].passes.threshold
    return _tabulate(
        f"Passes (score of {threshold:g} or more): any of k attempts, all of k attempts",
        ["agent", *(f"pass@{k}" for k in ks), *(f"pass^{k}" for k in later)],
        [
            [agent.agent, *_format_passes(agent.passes.any_of, ks), *_format_passes(agent.passes.all_of, later)]
            for agent in summary.agents
        ],
    )


def _format_passes(values: tuple[float, ...], ks: Iterable[int]) -> Iterator[str]:
    for k in ks:
        yield wording.format_score(values[k - 1] if k <= len(values) else None)


def _tabulate_tasks(summary: Summary) -> RenderableType:
    played = [
        (get_task_title(task_id), agent.agent, task)
        for task_id in summary.task_ids
        for agent in summary.agents
        if (task := agent.find_task(task_id)) is not None
    ]
    played += [(wording.CALM, agent.agent, agent.calm) for agent in summary.agents if agent.calm is not None]
    return _tabulate(
        "By task, all attempts",
        ["task", "agent", "score", _INTERVAL, "passed", "failed", "steps"],
        [
            [
                title,
                agent,
                wording.format_score(task.score.mean),
                wording.format_interval(task.score),
                wording.format_share(task.passed),
                f"{task.failed}",
                wording.format_amount(task.costs.steps),
            ]
            for title, agent, task in played
        ],
        words=2,
    )


def _tabulate_scenarios(summary: Summary) -> RenderableType:
    """As many agents side by side as there is room for."""
    shown = summary.scenarios[:_SCENARIOS]
    widest = max(len("scenario"), *(len(_cut(name)) for _, name in shown))
    abreast = max(1, (WIDTH - widest) // (_CELL + _GAP))
    parts: list[RenderableType] = []
    for start in range(0, len(summary.agents), abreast):
        agents = summary.agents[start : start + abreast]
        title = "" if start else "By scenario, mean score of all attempts"
        headers = ["scenario", *(_cut(agent.agent, _CELL) for agent in agents)]
        rows = [[name, *(_format_mean(agent, task_id, name) for agent in agents)] for task_id, name in shown]
        parts.append(_tabulate(title, headers, rows))
    left = len(summary.scenarios) - len(shown)
    return Group(*parts, *([_write(f"… and {left} more.")] if left else []))


def _format_mean(agent: AgentMetrics, task_id: str, scenario_id: str) -> str:
    found = agent.find_scenario(task_id, scenario_id)
    return wording.format_score(found.score.mean if found else None)


def _tabulate_losses(agent: AgentMetrics) -> RenderableType:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(justify="right", min_width=8)
    table.add_column()
    greatest = sorted(agent.losses, key=lambda loss: -loss.points)[:_LOSSES]
    for loss in greatest:
        where = f"{_cut(get_task_title(loss.task_id))}, {_cut(loss.item)}: {loss.times} of {loss.episodes}"
        reason = f"{loss.reason_times} times: {wording.flatten_text(loss.reason)}"
        table.add_row(f"{loss.points:.2f}", _write(where))
        table.add_row("", _write(wording.shorten_text(reason, 2 * (WIDTH - 10))))
    left = len(agent.losses) - len(greatest)
    if left:
        table.add_row("", f"… and {left} more.")
    return Group(_write(f"Points that {_cut(agent.agent)} lost: sum, where, episodes, why"), table)


def _tabulate_costs(summary: Summary) -> RenderableType:
    return _tabulate(
        "What an episode took on average, and all together in dollars",
        ["agent", "steps", "prompt tokens", "completion tokens", "time", "cost of all"],
        [
            [
                agent.agent,
                wording.format_amount(agent.costs.steps),
                wording.format_tokens(agent.costs.prompt_tokens),
                wording.format_tokens(agent.costs.completion_tokens),
                wording.format_seconds(agent.costs.seconds),
                wording.format_dollars(agent.costs.cost),
            ]
            for agent in summary.agents
        ],
    )


def _tabulate(
    title: str | None, headers: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1
) -> RenderableType:
    """A table; the first `words` columns are flush left, the numbers behind them flush right."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, _GAP - 1))
    for column, header in enumerate(headers):
        prose = column < words
        table.add_column(header, justify="left" if prose else "right", no_wrap=True, max_width=_NAME if prose else None)
    for row in rows:
        table.add_row(*(_write(cell) for cell in row))
    return table if title is None else Group(_write(title), table)


def _cut(name: str, limit: int = _NAME) -> str:
    return wording.shorten_text(wording.flatten_text(name), limit)


def _write(text: str) -> Text:
    """A text in which nothing is markup, and no character steers the terminal."""
    return Text(wording.flatten_text(text))


def _render(parts: Iterable[RenderableType]) -> str:
    """The parts with an empty line between them."""
    file = StringIO()
    console = Console(file=file, width=WIDTH, color_system=None, force_terminal=False, markup=False, emoji=False)
    for part in parts:
        console.print(part, highlight=False)
        console.print()
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip().splitlines()) + "\n"
