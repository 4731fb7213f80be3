"""The environment that an agent plays in: its interface, the one in this process, and one that reopens a broken one."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from env_core.episode import begin
from env_core.review import report_curves
from env_core.transition import Transition, step
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from env_core.episode import Episode
    from env_core.observation import Observation, StepInfo
    from env_core.review import CurvesReport
    from env_core.selection import Selection
    from scenarios.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class EnvironmentReply:
    """The answer of an environment to a reset or a step. `reward` is that of the step, −1.0 to 1.0."""

    observation: Observation
    reward: float
    done: bool
    info: StepInfo


def reply_with(transition: Transition) -> EnvironmentReply:
    """A reply that shows what came of a reset or a step."""
    return EnvironmentReply(transition.observation(), transition.reward, transition.done, transition.info())


class RefusedError(ValueError):
    """The environment refused an action: the episode has not changed. The message says what is valid."""


class Environment(ABC):
    """An environment that plays one episode at a time."""

    @abstractmethod
    async def reset(self, selection: Selection) -> EnvironmentReply:
        """Start an episode, and give its first observation."""

    @abstractmethod
    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        """Take a step.

        Raises:
            RefusedError: if the action is not valid.
        """

    async def tell_curves(self) -> CurvesReport | None:
        """Tell what users lost in the episode that has ended; None where no system ran, or nobody can say."""
        return None

    async def close(self) -> None:
        """Release what the environment holds."""
        return


class InProcess(Environment):
    """Plays the episode in this process, without a server."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._episode: Episode | None = None

    async def reset(self, selection: Selection) -> EnvironmentReply:
        scenario, reference = selection.resolve(self._catalogue)
        self._episode = begin(selection.episode_id or "evaluated", reference, scenario)
        return reply_with(Transition(self._episode))

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        if self._episode is None:
            raise RuntimeError("reset first")
        try:
            transition = step(self._episode, action)
        except InvalidActionError as error:
            raise RefusedError(str(error)) from error
        self._episode = transition.episode
        return reply_with(transition)

    async def tell_curves(self) -> CurvesReport | None:
        return None if self._episode is None else await asyncio.to_thread(report_curves, self._episode)


class BrokenError(RuntimeError):
    """The environment failed, through no fault of the agent."""


class ReopeningEnvironment(Environment):
    """Makes a new environment after one failed. `broken` is the last failure since the last reset began, or empty."""

    def __init__(self, make: Callable[[], Environment]) -> None:
        self._make = make
        self._inner: Environment | None = None
        self.broken = ""

    async def reset(self, selection: Selection) -> EnvironmentReply:
        self.broken = ""
        return await self._delegate(lambda inner: inner.reset(selection))

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        return await self._delegate(lambda inner: inner.step(action))

    async def tell_curves(self) -> CurvesReport | None:
        return None if self._inner is None else await self._inner.tell_curves()

    async def close(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(Exception):  # the trajectory is complete without a clean close
                await inner.close()

    async def _delegate(self, ask: Callable[[Environment], Awaitable[EnvironmentReply]]) -> EnvironmentReply:
        if self._inner is None:
            self._inner = self._make()
        try:
            return await ask(self._inner)
        except RefusedError:
            raise
        except asyncio.CancelledError:
            await self._raise_if_connection_broke()
            raise
        except Exception as error:
            self.broken = describe_error(error)
            await self.close()
            raise

    async def _raise_if_connection_broke(self) -> None:
        """Close the environment after a cancellation.

        Some clients cancel the caller when their connection fails, and raise the failure when they are closed.

        Raises:
            BrokenError: if the connection failed.
        """
        inner, self._inner = self._inner, None
        try:
            if inner is not None:
                await inner.close()
        except Exception as error:
            self.broken = describe_error(error)
            raise BrokenError(self.broken) from error


def describe_error(error: BaseException) -> str:
    """Describe an error by its kind and message; of a group, the first one in it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
