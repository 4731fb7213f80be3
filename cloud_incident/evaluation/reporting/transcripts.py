"""The episodes that the report shows step by step: the best and the worst of each scenario."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.running import read_score
from cloud_incident.evaluation.statistics import get_task_title, group_by_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.running import Trajectory

MOST_SCENARIOS = 40
"""With more scenarios than this, the others have no transcript."""


class Transcript(NamedTuple):
    """A scenario, the mean score of its episodes, what the agent was told first, and the episodes to show by name."""

    scenario_id: str
    task_title: str
    mean: float
    episodes: int
    summary: str | None
    shown: dict[str, Trajectory]


def choose_transcripts(trajectories: Sequence[Trajectory]) -> list[Transcript]:
    """Choose a transcript for each scenario of measured episodes.

    Of more than `MOST_SCENARIOS` those are chosen where scores lie furthest apart.
    """
    scenarios = group_by_scenario(trajectories)
    shown = sorted(scenarios, key=lambda pair: -_measure_spread(scenarios[pair]))[:MOST_SCENARIOS]
    return [_build_transcript(*pair, episodes) for pair, episodes in scenarios.items() if pair in shown]


def _measure_spread(episodes: Sequence[Trajectory]) -> float:
    scores = [read_score(episode) for episode in episodes]
    return max(scores) - min(scores)


def _build_transcript(task_id: str, scenario_id: str, episodes: Sequence[Trajectory]) -> Transcript:
    best = min(episodes, key=lambda episode: (-read_score(episode), len(episode["steps"])))
    worst = min(episodes, key=lambda episode: (read_score(episode), -len(episode["steps"])))
    briefings = [episode["briefing"] for episode in episodes]
    return Transcript(
        scenario_id=scenario_id,
        task_title=get_task_title(task_id),
        mean=fmean(read_score(episode) for episode in episodes),
        episodes=len(episodes),
        summary=next((briefing["incident_summary"] for briefing in briefings if "incident_summary" in briefing), None),
        shown={"Only": best} if worst is best else {"Best": best, "Worst": worst},
    )
