"""The environment in which an agent plays an episode that the service keeps, so that others can watch it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.running import Environment, EnvironmentReply, RefusedError, reply_with
from env_core.stores import UnknownEpisodeError
from env_core.transition import Transition
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.episode import Episode
    from env_core.selection import Selection
    from env_core.service import EpisodeService


class ServiceEnvironment(Environment):
    """One episode that is open already. Closing the environment closes the episode."""

    def __init__(self, service: EpisodeService, episode: Episode) -> None:
        self._service = service
        self.episode = episode

    async def reset(self, _: Selection) -> EnvironmentReply:
        """Give the first observation of the episode there is; nothing is started."""
        return reply_with(Transition(self.episode))

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        await asyncio.sleep(0)  # a scripted agent never waits, so that other callers would not be served
        try:
            transition = await self._service.step(self.episode.id, action, incarnation=self.episode.incarnation)
        except InvalidActionError as error:
            raise RefusedError(str(error)) from error
        self.episode = transition.episode
        await self._service.recount(self.episode)  # who watches is shown the debrief
        return reply_with(transition)

    async def close(self) -> None:
        with suppress(UnknownEpisodeError):
            await self._service.close(self.episode.id, self.episode.incarnation)
