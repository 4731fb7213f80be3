"""Where agents play: in process, or on a server over REST, WebSocket or MCP. All of them show the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from env_core.episode import advance, begin
from env_core.observation import last_reward, observation, step_info
from scenarios.parsing import InvalidActionError, parse_action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.episode import Episode
    from env_core.observation import Observation, StepInfo
    from env_core.selection import Selection
    from scenarios.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Reply:
    """What an environment answers to a reset or a step."""

    observation: Observation
    reward: float
    done: bool
    info: StepInfo


class RefusedError(ValueError):
    """An action that was no step at all. Nothing has changed; the message says what is valid."""


class Environment(ABC):
    """One episode at a time."""

    @abstractmethod
    async def reset(self, selection: Selection) -> Reply:
        """Start an episode."""

    @abstractmethod
    async def step(self, action: Mapping[str, Any]) -> Reply:
        """Take a step.

        Raises:
            RefusedError: if the action is none.
        """

    async def close(self) -> None:
        """Let go of what the environment holds."""
        return


class InProcess(Environment):
    """The episode itself, without a server."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._episode: Episode | None = None

    async def reset(self, selection: Selection) -> Reply:
        scenario, reference = selection.resolve(self._catalogue)
        self._episode = begin(selection.episode_id or "evaluated", reference, scenario)
        return Reply(observation(self._episode), 0.0, False, step_info(self._episode, stepped=False))

    async def step(self, action: Mapping[str, Any]) -> Reply:
        if self._episode is None:
            raise RuntimeError("reset first")
        try:
            parsed = parse_action(action.get("action_type"), action.get("parameters"))
        except InvalidActionError as error:
            raise RefusedError(str(error)) from error
        episode = self._episode = advance(self._episode, parsed)
        return Reply(observation(episode), last_reward(episode), episode.done, step_info(episode))
