"""Playing a list of actions in process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.episode import Episode, Reference, advance, begin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from env_core.episode import RewardMode
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action


def play(scenario: Scenario, actions: Iterable[Action], reward_mode: RewardMode = "dense") -> Episode:
    """The episode after the actions, or after as many as it takes to end it."""
    episode = begin("played", Reference.to(scenario, reward_mode), scenario)
    for action in actions:
        if episode.done:
            break
        episode = advance(episode, action)
    return episode


def score(episode: Episode) -> float:
    """The score of an episode; 0.0 if it has not ended."""
    return episode.grade.score if episode.grade is not None else 0.0
