"""Where agents play: in process, or on a server over REST, WebSocket or MCP. All of them show the same."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from env_core.episode import begin
from env_core.transition import Transition, step
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

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


def reply_with(transition: Transition) -> Reply:
    """A reply that shows what came of a reset or a step."""
    return Reply(transition.observation(), transition.reward, transition.done, transition.info())


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
        return reply_with(Transition(self._episode))

    async def step(self, action: Mapping[str, Any]) -> Reply:
        if self._episode is None:
            raise RuntimeError("reset first")
        try:
            transition = step(self._episode, action)
        except InvalidActionError as error:
            raise RefusedError(str(error)) from error
        self._episode = transition.episode
        return reply_with(transition)


class BrokenError(RuntimeError):
    """An environment that could not be played in, through no fault of the agent."""


class Reopened(Environment):
    """An environment that is made anew after it broke; `broken` says how it broke since the last reset."""

    def __init__(self, make: Callable[[], Environment]) -> None:
        self._make = make
        self._inner: Environment | None = None
        self.broken = ""

    async def reset(self, selection: Selection) -> Reply:
        self.broken = ""
        return await self._tried(lambda inner: inner.reset(selection))

    async def step(self, action: Mapping[str, Any]) -> Reply:
        return await self._tried(lambda inner: inner.step(action))

    async def close(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(Exception):  # what has been played is whole without
                await inner.close()

    async def _tried(self, ask: Callable[[Environment], Awaitable[Reply]]) -> Reply:
        if self._inner is None:
            self._inner = self._make()
        try:
            return await ask(self._inner)
        except RefusedError:
            raise
        except asyncio.CancelledError:
            await self._cancelled()
            raise
        except Exception as error:
            self.broken = _said(error)
            await self.close()
            raise

    async def _cancelled(self) -> None:
        """Tell a client whose connection failed, which cancels its caller, from a caller who is to stop."""
        inner, self._inner = self._inner, None
        try:
            if inner is not None:
                await inner.close()
        except Exception as error:
            self.broken = _said(error)
            raise BrokenError(self.broken) from error


def _said(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
