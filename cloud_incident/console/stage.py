"""The stage: the environment in which an agent plays an episode that the service keeps, for others to watch."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.environments import Environment, RefusedError, Reply
from env_core.observation import last_reward, observation, step_info
from env_core.stores import UnknownEpisodeError
from scenarios.parsing import InvalidActionError, parse_action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.episode import Episode
    from env_core.selection import Selection
    from env_core.service import EpisodeService


class Stage(Environment):
    """One episode, open already. Closing the stage closes it: whoever watched has seen it."""

    def __init__(self, service: EpisodeService, episode: Episode) -> None:
        self._service = service
        self.episode = episode

    async def reset(self, _: Selection) -> Reply:
        """The first observation of the episode there is."""
        return self._reply()

    async def step(self, action: Mapping[str, Any]) -> Reply:
        await asyncio.sleep(0)  # a scripted agent waits for nothing; the server's other callers get their turn here
        try:
            parsed = parse_action(action.get("action_type"), action.get("parameters"))
        except InvalidActionError as error:
            raise RefusedError(str(error)) from error
        self.episode = await self._service.step(self.episode.id, parsed, incarnation=self.episode.incarnation)
        return self._reply()

    async def close(self) -> None:
        with suppress(UnknownEpisodeError):
            await self._service.close(self.episode.id, self.episode.incarnation)

    def _reply(self) -> Reply:
        episode = self.episode
        return Reply(observation(episode), last_reward(episode), episode.done, step_info(episode))
