"""Of every scenario the best and the worst episode, step by step, folded away until they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation import wording
from cloud_incident.evaluation.grouping import by_scenario, task_title
from cloud_incident.evaluation.intervals import mean
from cloud_incident.evaluation.markup import element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.markup import Markup
    from cloud_incident.evaluation.trajectory import StepTaken, Trajectory

MOST_SCENARIOS = 40
_EVIDENCE = 1500
_PROSE = 600


def transcripts(trajectories: Sequence[Trajectory]) -> list[Markup]:
    """A block per scenario; of many scenarios those where scores lie furthest apart."""
    scenarios = by_scenario(trajectories)
    shown = sorted(scenarios, key=lambda pair: -_spread(scenarios[pair]))[:MOST_SCENARIOS]
    return [_scenario(task_id, name, ones) for (task_id, name), ones in scenarios.items() if (task_id, name) in shown]


def _spread(ones: Sequence[Trajectory]) -> float:
    return max(one["score"] for one in ones) - min(one["score"] for one in ones)


def _scenario(task_id: str, name: str, ones: Sequence[Trajectory]) -> Markup:
    best = min(ones, key=lambda one: (-one["score"], len(one["steps"])))
    worst = min(ones, key=lambda one: (one["score"], -len(one["steps"])))
    told = next((one["briefing"]["incident_summary"] for one in ones if "incident_summary" in one["briefing"]), None)
    average = wording.score(mean([one["score"] for one in ones]))
    episodes = [_episode("Best", best), _episode("Worst", worst)] if worst is not best else [_episode("Only", best)]
    return element(
        "details",
        element(
            "summary",
            element("span", name, class_="name"),
            " ",
            element("span", task_title(task_id), class_="quiet"),
            " ",
            element("span", f"mean {average}, {wording.count(len(ones), 'episode')}", class_="quiet"),
        ),
        element("p", told) if told else None,
        element("div", *episodes, class_="episodes"),
        class_="scenario",
    )


def _episode(which: str, one: Trajectory) -> Markup:
    attempt = f"{one['agent']}, seed {one['seed']}, repeat {one['repeat']}"
    return element(
        "article",
        element("h3", f"{which}: {wording.score(one['score'])}"),
        element("p", f"{attempt}; {wording.count(len(one['steps']), 'step')}", class_="quiet"),
        element("p", f"Failed: {wording.shortened(one['failed'], _PROSE)}", class_="error")
        if "failed" in one
        else None,
        element("ol", *(_step(step) for step in one["steps"]), class_="steps"),
        _grade(one),
    )


def _step(step: StepTaken) -> Markup:
    return element(
        "li",
        element("code", wording.shortened(wording.action(step["action"]), _PROSE)),
        " ",
        element("span", wording.signed(step["reward"]), class_="reward"),
        element("p", step["error"] or step["feedback"], class_="error" if step["error"] else "quiet"),
        element("p", f"Note: {wording.shortened(step['note'], _PROSE)}", class_="quiet") if step["note"] else None,
        *(element("p", f"Refused: {wording.shortened(said, _PROSE)}", class_="error") for said in step["refused"]),
        _folded("What it showed", wording.shortened(step["evidence"], _EVIDENCE)) if step["evidence"] else None,
    )


def _folded(label: str, content: str) -> Markup:
    return element("details", element("summary", label), element("pre", content, tabindex=0))


def _grade(one: Trajectory) -> Markup | None:
    if "grade" not in one:
        return None
    items = []
    for point in one["grade"]["breakdown"]:
        most = f" of {point['most']:.2f}" if point["most"] else ""
        items += [
            element("dt", f"{point['name']} {wording.signed(point['points'])}{most}"),
            element("dd", point["reason"]),
        ]
    return element("dl", *items, class_="grade")
