"""Perfect play: it scores 1.0, its transcripts are held by golden files, and no other play earns a greater sum."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_incident.evaluation.audit import draw_random_play
from cloud_incident.evaluation.running import get_score, play_actions
from env_core.observation import read_state
from env_core.perfect import play_perfectly
from scenarios.incident import count_fewest_steps
from scenarios.vocabulary import POINT
from tests.slow import count_examples

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.catalogue import Catalogue, Scenario

GOLDEN = Path(__file__).parent.parent / "golden"
TRANSCRIBE = """
import json, sys
from env_core.episode import replay
from env_core.observation import read_state
from env_core.reference import Reference
from scenarios.catalogue import Catalogue
catalogue = Catalogue()
for stored in json.load(sys.stdin):
    *_, episode = replay("played", Reference(**stored["reference"]), stored["actions"], catalogue)
    sys.stdout.write(json.dumps({**read_state(episode), "score": episode.grade.score}) + "\\n")
"""


def transcript(episode: Episode) -> str:
    """Everything an agent saw of an episode, and its score."""
    grade = episode.grade.score if episode.grade else None
    return json.dumps({**read_state(episode), "score": grade}, indent=1, ensure_ascii=False) + "\n"


def test_perfect_play_scores_one_in_the_fewest_steps(scenario: Scenario) -> None:
    actions = play_perfectly(scenario.incident, scenario.task)
    assert get_score(play_actions(scenario, actions)) == 1.0
    assert len(actions) == count_fewest_steps(scenario.incident, scenario.task)


def test_golden_transcripts(scenario: Scenario) -> None:
    """`scripts/golden` writes these files anew after a deliberate change."""
    episode = play_actions(scenario, play_perfectly(scenario.incident, scenario.task))
    assert transcript(episode) == (GOLDEN / f"{scenario.id}.json").read_text("utf-8")


@pytest.mark.slow
def test_a_fresh_process_replays_the_same_bytes(catalogue: Catalogue) -> None:
    episodes = [
        play_actions(scenario, play_perfectly(scenario.incident, scenario.task))
        for scenario in catalogue.scenarios.values()
    ]
    stored = [
        {
            "reference": {name: getattr(episode.reference, name) for name in episode.reference.__slots__},
            "actions": [step.action.dump() for step in episode.steps],
        }
        for episode in episodes
    ]
    fresh = subprocess.run(
        [sys.executable, "-c", TRANSCRIBE],
        input=json.dumps(stored),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77"},
        cwd=Path(__file__).parents[2],
    )
    assert fresh.stdout.splitlines() == [json.dumps({**json.loads(transcript(episode))}) for episode in episodes]
    assert len(episodes) == 9


def test_the_greatest_sum_of_rewards_is_perfect_play(scenario: Scenario) -> None:
    """Whatever the numbers of queries and of effective remediations, no play earns more than perfect play.

    The sum of a play is bounded by the best that its counts could earn and the best score that they leave possible.
    A play that reaches perfect play's sum must therefore score 1.0 itself.
    """
    best = play_actions(scenario, play_perfectly(scenario.incident, scenario.task)).cumulative
    plan = len(scenario.incident.plan.steps) if scenario.task.remediates else 0
    for queries, remedies in itertools.product(range(scenario.task.max_steps), range(plan + 1)):
        if queries + remedies < scenario.task.max_steps:
            top = _best_score(scenario, queries, remedies)
            most = _most_dense(scenario, queries, remedies) + top
            assert most <= best, (queries, remedies)
            assert top == POINT or most < best, (queries, remedies)


def _most_dense(scenario: Scenario, queries: int, remedies: int) -> int:
    """The most that queries and effective remediations can earn by the table, in units of 1/10,000."""
    task, table = scenario.task, scenario.task.rewards
    fresh = min(queries, len(scenario.incident.services))
    late = sum(2 * number > task.max_steps for number in range(1, queries + remedies + 1))
    return (
        fresh * table.new_service
        + (queries - fresh) * table.new_query
        + remedies * table.effective_remediation
        + late * table.past_halfway
    )


def _best_score(scenario: Scenario, queries: int, remedies: int) -> int:
    """A bound on the score that counts allow, in units of 1/10,000."""
    if scenario.task.id == "alert_classification":
        return POINT
    over = queries + remedies + 1 - count_fewest_steps(scenario.incident, scenario.task)
    efficiency = max(0.0, 1 - max(0, over) / 5)
    evidence = min(1.0, queries / len(scenario.incident.certificates(scenario.task.id)[0]))
    if scenario.task.id == "root_cause_analysis":
        return round(POINT * (0.6 * (1 + evidence) / 2 + (0.4 * efficiency if evidence == 1 else 0)))
    done = remedies / len(scenario.incident.plan.steps)
    verified = 0.1 if done == 1 and queries else 0.0
    return round(POINT * (0.1 + (0.4 + 0.3 * efficiency) * evidence * done + verified + 0.1))


def test_no_random_play_beats_perfect_play(scenario: Scenario) -> None:
    best = play_actions(scenario, play_perfectly(scenario.incident, scenario.task)).cumulative
    for seed in range(count_examples(300)):
        episode = play_actions(scenario, draw_random_play(scenario, seed))
        assert episode.cumulative <= best or get_score(episode) == 1.0
