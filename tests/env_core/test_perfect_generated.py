"""Perfect play on generated incidents scores 1.0 within the limits, in every task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from env_core.episode import advance, begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from scenarios.generator.naming import DIFFICULTIES
from scenarios.vocabulary import TASKS
from tests.scenarios.generator.drawn import SAMPLE
from tests.slow import count_examples, mark_slow_after

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue
    from scenarios.vocabulary import TaskId

FURTHER = [(seed, difficulty) for difficulty in DIFFICULTIES for seed in range(100, 100 + count_examples(20, least=4))]
"""`scripts/wide-check` plays many more."""


@pytest.mark.parametrize(("seed", "difficulty"), mark_slow_after(10, [*SAMPLE[:20], *FURTHER]))
@pytest.mark.parametrize("task_id", TASKS)
def test_perfect_play_scores_one(catalogue: Catalogue, task_id: TaskId, seed: int, difficulty: int) -> None:
    scenario = catalogue.get_generated(task_id, seed, difficulty)
    episode = begin("perfect", Reference.to(scenario), scenario)
    for action in play_perfectly(scenario.incident, scenario.task):
        episode = advance(episode, action)
    assert episode.grade is not None
    assert episode.grade.score == 1.0, (scenario.id, episode.grade.breakdown)
    assert episode.step_count <= scenario.task.max_steps - (3 if scenario.task.remediates else 0)
