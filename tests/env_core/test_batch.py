"""Batches: side by side, each as if it were alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_incident.evaluation.running import play_actions
from env_core.batch import Batch
from env_core.observation import observe
from env_core.perfect import play_perfectly
from env_core.selection import Selection, SelectionError
from scenarios.vocabulary import POINT

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue


def test_each_episode_goes_as_if_it_were_alone(catalogue: Catalogue) -> None:
    scenarios = list(catalogue.scenarios.values()) * 3
    plays = [play_perfectly(scenario.incident, scenario.task) for scenario in scenarios]
    batch = Batch(catalogue)
    first = batch.reset([Selection(scenario_id=scenario.id) for scenario in scenarios])
    assert not any(one.terminated or one.truncated or one.reward for one in first)
    rewards: list[list[float]] = [[] for _ in scenarios]
    for number in range(max(map(len, plays))):
        actions = [actions[number].dump() if number < len(actions) else None for actions in plays]
        shown = batch.step(actions)
        for index, action in enumerate(actions):
            if action is not None:
                rewards[index].append(shown[index].reward)
            else:
                assert shown[index].reward == 0.0
    for scenario, played, earned, last in zip(scenarios, plays, rewards, shown, strict=True):
        alone = play_actions(scenario, played)
        assert earned == [step.reward / POINT for step in alone.steps]
        assert {**last.observation, "episode_id": ""} == {**observe(alone), "episode_id": ""}
        assert (last.terminated, last.truncated) == (True, False)
        assert last.info["grade"]["score"] == 1.0


def test_the_step_limit_truncates(catalogue: Catalogue) -> None:
    batch = Batch(catalogue)
    batch.reset([Selection()])
    look: dict[str, Any] = {"action_type": "query_logs", "parameters": {"service": "nowhere"}}
    ends = [batch.step([look])[0] for _ in range(3)]
    assert [(one.terminated, one.truncated) for one in ends] == [(False, False), (False, False), (False, True)]


def test_a_refused_action_changes_nothing_and_stops_nobody(catalogue: Catalogue) -> None:
    batch = Batch(catalogue)
    batch.reset([Selection(), Selection()])
    fine = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
    refused, taken = batch.step([{"action_type": "guess"}, fine])
    assert "Valid actions" in (refused.refused or "")
    assert (refused.observation["step_count"], taken.observation["step_count"]) == (0, 1)
    assert taken.refused is None


def test_mistakes_step_nothing(catalogue: Catalogue) -> None:
    batch = Batch(catalogue)
    batch.reset([Selection(), Selection()])
    end = {"action_type": "submit_severity", "parameters": {"severity": "P1"}}
    batch.step([end, None])
    with pytest.raises(ValueError, match="are over"):
        batch.step([end, end])
    with pytest.raises(ValueError, match="1 actions were given for 2 episodes"):
        batch.step([end])
    with pytest.raises(SelectionError):
        batch.reset([Selection(), Selection(index=1)])
    assert [episode.step_count for episode in batch.episodes] == [1, 0]


def test_a_fork_is_stepped_apart(catalogue: Catalogue) -> None:
    batch = Batch(catalogue)
    batch.reset([Selection(scenario_id="RCA-001"), Selection(scenario_id="AC-001")])
    look = {"action_type": "query_logs", "parameters": {"service": "postgres-db"}}
    batch.step([look, None])
    assert batch.fork(0, copies=2) == [2, 3]
    batch.step([None, None, look, None])
    assert [episode.step_count for episode in batch.episodes] == [1, 0, 2, 1]
    assert len({episode.id for episode in batch.episodes}) == 4
