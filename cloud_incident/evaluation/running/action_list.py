"""Plays a fixed list of actions in process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.episode import Episode, advance, begin
from env_core.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from env_core.reference import RewardMode
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action


def play_actions(scenario: Scenario, actions: Iterable[Action], reward_mode: RewardMode = "dense") -> Episode:
    """Play the actions in order, until they or the episode end, and give the episode."""
    episode = begin("played", Reference.to(scenario, reward_mode), scenario)
    for action in actions:
        if episode.done:
            break
        episode = advance(episode, action)
    return episode


def get_score(episode: Episode) -> float:
    """Get the score of an episode, 0.0 to 1.0; 0.0 if it has not ended."""
    return episode.grade.score if episode.grade is not None else 0.0
