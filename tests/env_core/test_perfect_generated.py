"""Perfect play on generated incidents scores 1.0 within the limits, in every task."""

from __future__ import annotations

import pytest

from env_core.episode import Reference, advance, begin
from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from scenarios.vocabulary import TASKS, TaskId

CATALOGUE = Catalogue()


@pytest.mark.parametrize("difficulty", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("task_id", TASKS)
def test_perfect_play_scores_one(task_id: TaskId, difficulty: int) -> None:
    for seed in range(100, 120):
        scenario = CATALOGUE.generated(task_id, seed, difficulty)
        episode = begin("perfect", Reference.to(scenario), scenario)
        for action in play_perfectly(scenario.incident, scenario.task):
            episode = advance(episode, action)
        assert episode.grade is not None
        assert episode.grade.score == 1.0, (scenario.id, episode.grade.breakdown)
        assert episode.step_count <= scenario.task.max_steps - (3 if scenario.task.remediates else 0)
