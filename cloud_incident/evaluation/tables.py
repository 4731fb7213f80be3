"""Summaries as plain text for a terminal of a hundred columns."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from cloud_incident.evaluation import wording
from cloud_incident.evaluation.grouping import task_title
from cloud_incident.evaluation.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.comparison import Comparison, RunComparison
    from cloud_incident.evaluation.metrics import AgentMetrics, Summary

WIDTH = 100
_NAME = 28
_CELL = 16
_LOSSES = 4
_DIFFERENCES = 8
_SCENARIOS = 40


def summary_text(summary: Summary) -> str:
    """One run."""
    parts = [_headline(summary), _ranking(summary), _passes(summary), _by_task(summary), _by_scenario(summary)]
    parts += [_losses(agent) for agent in summary.agents if agent.losses]
    return "\n\n".join([*parts, _costs(summary)]) + "\n"


def comparison_text(comparison: Comparison) -> str:
    """Two agents, or one agent in two runs."""
    one = comparison
    rows = [["all", wording.signed(one.difference.mean), wording.signed_interval(one.difference)]]
    rows += [
        [_task(task_id), wording.signed(found.mean), wording.signed_interval(found)]
        for task_id, found in one.tasks.items()
    ]
    differing = [found for found in one.scenarios if found.difference != 0][:_DIFFERENCES]
    parts = [
        f"{_label(one.second, 38)} (second) less {_label(one.first, 38)} (first)",
        _wrapped(
            f"{wording.count(one.pairs, 'pair')}: the second won {one.wins}, tied {one.ties}, lost {one.losses}. "
            f"Mean score {one.second_mean:.3f} against {one.first_mean:.3f}; {wording.p_value(one)}."
        ),
        _aligned(["task", "difference", _level()], rows),
    ]
    if differing:
        parts.append(
            "Scenarios that differ most\n"
            + _aligned(
                ["scenario", "first", "second", "difference", "pairs"],
                [
                    [
                        _label(found.scenario_id),
                        wording.score(found.first),
                        wording.score(found.second),
                        wording.signed(found.difference),
                        f"{found.pairs}",
                    ]
                    for found in differing
                ],
            )
        )
    return "\n\n".join([*parts, *_caveats(one)]) + "\n"


def run_comparison_text(runs: RunComparison) -> str:
    """Two runs, agent by agent."""
    parts = [comparison_text(one) for one in runs.comparisons]
    for which, agents in (("first", runs.only_first), ("second", runs.only_second)):
        if agents:
            parts.append(_wrapped(f"Only in the {which} run: {wording.listed(agents)}.") + "\n")
    return "\n".join(parts)


def _headline(summary: Summary) -> str:
    text = ", ".join(
        [
            wording.count(summary.episodes, "episode"),
            wording.count(len(summary.agents), "agent"),
            wording.count(len(summary.scenarios), "scenario"),
        ]
    )
    if summary.constant is None:
        return text
    best = summary.constant
    return f"{text}. Best constant answer to alert_classification: {best.severity}, {best.score:.3f}."


def _ranking(summary: Summary) -> str:
    return "Ranking by first attempts\n" + _aligned(
        ["#", "agent", "score", _level(), "all attempts", "over constant", "failed", "episodes"],
        [
            [
                f"{agent.rank}",
                _label(agent.agent),
                wording.score(agent.first.mean if agent.first else None),
                wording.interval(agent.first),
                wording.score(agent.score.mean),
                wording.signed(agent.above_constant),
                wording.share(agent.failed),
                f"{agent.episodes}",
            ]
            for agent in summary.agents
        ],
        words=2,
    )


def _passes(summary: Summary) -> str:
    """The first few k and the last."""
    most = max(len(agent.passes.any_of) for agent in summary.agents)
    ks = sorted({k for k in (1, 2, 4, 8, most) if k <= most})[-4:]
    headers = ["agent", *(f"pass@{k}" for k in ks), *(f"pass^{k}" for k in ks if k > 1)]
    rows = []
    for agent in summary.agents:
        found = agent.passes
        rows.append(
            [
                _label(agent.agent),
                *(_at(found.any_of, k) for k in ks),
                *(_at(found.all_of, k) for k in ks if k > 1),
            ]
        )
    threshold = summary.agents[0].passes.threshold
    return f"Passes (score of {threshold:g} or more): any of k attempts, all of k attempts\n" + _aligned(headers, rows)


def _at(values: tuple[float, ...], k: int) -> str:
    return wording.score(values[k - 1]) if k <= len(values) else "–"


def _by_task(summary: Summary) -> str:
    rows = []
    for task_id in summary.task_ids:
        for agent in summary.agents:
            found = agent.task(task_id)
            if found is not None:
                score = found.score
                rows.append(
                    [
                        _task(task_id),
                        _label(agent.agent),
                        wording.score(score.mean),
                        wording.interval(score),
                        wording.share(found.passed),
                        wording.amount(found.costs.steps),
                    ]
                )
    return "By task, all attempts\n" + _aligned(["task", "agent", "score", _level(), "passed", "steps"], rows, words=2)


def _by_scenario(summary: Summary) -> str:
    """As many agents side by side as fit."""
    shown = summary.scenarios[:_SCENARIOS]
    width = max(len(_label(name)) for _, name in shown)
    abreast = max(1, (WIDTH - max(width, len("scenario"))) // (_CELL + 2))
    blocks = []
    for start in range(0, len(summary.agents), abreast):
        agents = summary.agents[start : start + abreast]
        rows = [[_label(name), *(_mean_on(agent, task_id, name) for agent in agents)] for task_id, name in shown]
        blocks.append(_aligned(["scenario", *(_label(agent.agent, _CELL) for agent in agents)], rows))
    left = len(summary.scenarios) - len(shown)
    more = [f"… and {left} more."] if left else []
    return "\n".join(["By scenario, mean score of all attempts", "\n\n".join(blocks), *more])


def _mean_on(agent: AgentMetrics, task_id: str, scenario_id: str) -> str:
    found = agent.scenario(task_id, scenario_id)
    return wording.score(found.score.mean if found else None)


def _losses(agent: AgentMetrics) -> str:
    lines = []
    greatest = sorted(agent.losses, key=lambda loss: -loss.points)[:_LOSSES]
    for loss in greatest:
        lines.append(f"{loss.points:8.2f}  {_task(loss.task_id)}, {_label(loss.item)}: {loss.times} of {loss.episodes}")
        reason = f"{loss.reason_times} times: {wording.plain(loss.reason)}"
        lines += [f"{'':10}{line}" for line in wrap(wording.shortened(reason, 2 * (WIDTH - 10)), WIDTH - 10)]
    left = len(agent.losses) - len(greatest)
    more = [f"{'':10}… and {left} more."] if left else []
    return "\n".join([f"Points that {_label(agent.agent)} lost: sum, where, episodes, why", *lines, *more])


def _costs(summary: Summary) -> str:
    return "What an episode took on average, and all together in dollars\n" + _aligned(
        ["agent", "steps", "prompt tokens", "completion tokens", "time", "cost of all"],
        [
            [
                _label(agent.agent),
                wording.amount(agent.costs.steps),
                wording.tokens(agent.costs.prompt_tokens),
                wording.tokens(agent.costs.completion_tokens),
                wording.seconds(agent.costs.seconds),
                wording.dollars(agent.costs.cost),
            ]
            for agent in summary.agents
        ],
    )


def _caveats(one: Comparison) -> Iterator[str]:
    for name, left in ((one.first, one.only_first), (one.second, one.only_second)):
        if left:
            yield _wrapped(f"Only in {_label(name, 60)}, and not compared: {wording.listed(left)}.")
    if one.changed:
        yield _wrapped(f"Changed between the two, so not the same thing: {wording.listed(one.changed)}.")


def _level() -> str:
    return f"{LEVEL:.0%} interval"


def _task(task_id: str) -> str:
    return _label(task_title(task_id))


def _label(name: str, limit: int = _NAME) -> str:
    return wording.shortened(wording.plain(name), limit)


def _wrapped(text: str) -> str:
    return "\n".join(wrap(wording.plain(text), WIDTH))


def _aligned(headers: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Columns of text; the first `words` of them are flush left, the numbers behind them flush right."""
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    lines = []
    for row in [headers, ["-" * width for width in widths], *rows]:
        cells = [
            cell.ljust(width) if column < words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
