"""Which episode a call means, and which episodes a caller may know of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from env_core.episode import StaleReferenceError
from env_core.stores import UnknownEpisodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from env_core.service import EpisodeService

_SESSION_HEADER = "mcp-session-id"
_MOST_SESSIONS = 10_000
_MOST_EPISODES = 100
"""How many episodes a connection may have listed; those opened earlier are still reached by their handles."""
_FINISHED_KEPT = 3


class HandleError(LookupError):
    """A call that means no open episode. The message says why and what to do next."""


@dataclass(slots=True)
class Caller:
    """The episodes that one connection has opened, by handle and incarnation, oldest first.

    `known` is false where calls cannot be told apart by their connection.
    """

    known: bool = True
    opened: dict[str, str] = field(default_factory=dict)

    def add(self, episode: Episode) -> None:
        self.opened.pop(episode.id, None)
        self.opened[episode.id] = episode.incarnation
        while len(self.opened) > _MOST_EPISODES:
            del self.opened[next(iter(self.opened))]


class Callers(Protocol):
    """Tells callers apart; made anew by the server's lifespan."""

    def of(self, ctx: ServerRequestContext[Any, Any]) -> Caller: ...


class OneCaller:
    """A transport whose lifespan is one connection: stdio, SSE."""

    def __init__(self, *episodes: Episode) -> None:
        self._caller = Caller()
        for episode in episodes:
            self._caller.add(episode)

    def of(self, ctx: ServerRequestContext[Any, Any]) -> Caller:  # noqa: ARG002 - there is only one
        return self._caller


class CallersBySession:
    """Streamable HTTP: callers with a session are told apart by it; those without one are not known."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, Caller] = OrderedDict()

    def of(self, ctx: ServerRequestContext[Any, Any]) -> Caller:
        # Only the handshake era has sessions; a header of that name on a later request is the client's own invention.
        modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        session = None if modern or ctx.request is None else ctx.request.headers.get(_SESSION_HEADER)
        if session is None:
            return Caller(known=False)
        caller = self._callers.setdefault(session, Caller())
        self._callers.move_to_end(session)
        while len(self._callers) > _MOST_SESSIONS:
            self._callers.popitem(last=False)
        return caller


class Binding(ABC):
    """Finds the episode that a call means."""

    def __init__(self, service: EpisodeService) -> None:
        self._service = service

    @abstractmethod
    async def handle(self, ctx: ServerRequestContext[Any, Any], named: str) -> str:
        """The handle that a call names, or that is meant where it names none.

        Raises:
            HandleError: if none is meant, or more than one could be.
        """

    @abstractmethod
    def gone(self, handle: str) -> HandleError:
        """What to say of a handle that means no open episode."""

    @abstractmethod
    async def own(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        """The open episodes that the caller may know of, oldest first."""

    async def episode(self, ctx: ServerRequestContext[Any, Any], named: str) -> Episode:
        """The episode that a call means.

        Raises:
            HandleError: if there is none.
        """
        handle = await self.handle(ctx, named)
        try:
            return await self._service.get(handle)
        except UnknownEpisodeError as error:
            raise self.gone(handle) from error
        except StaleReferenceError as error:
            raise HandleError(f"{error} Close this incident and start another.") from error


class OperatorBinding(Binding):
    """Every tool takes a handle; where the connection has exactly one unfinished episode it may be left out."""

    def opened(self, ctx: ServerRequestContext[Any, Any], episode: Episode) -> None:
        """Remember that the caller opened an episode."""
        callers: Callers = ctx.lifespan_context
        callers.of(ctx).add(episode)

    def knows(self, ctx: ServerRequestContext[Any, Any]) -> bool:
        """Whether calls on this connection can be told from others'."""
        callers: Callers = ctx.lifespan_context
        return callers.of(ctx).known

    async def handle(self, ctx: ServerRequestContext[Any, Any], named: str) -> str:
        return named or (await self._meant(ctx)).id

    def gone(self, handle: str) -> HandleError:
        return HandleError(
            f"There is no open incident with episode_id {handle[:80]!r}: it was never started, or it was closed. "
            "Call start_incident to start one and use the episode_id it returns."
        )

    async def own(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        callers: Callers = ctx.lifespan_context
        caller = callers.of(ctx)
        episodes = []
        for handle, incarnation in list(caller.opened.items()):
            episode = await self._still_open(handle, incarnation)
            if episode is None:
                caller.opened.pop(handle, None)
            else:
                episodes.append(episode)
        for episode in [episode for episode in episodes if episode.done][:-_FINISHED_KEPT]:
            caller.opened.pop(episode.id, None)
            episodes.remove(episode)
        return episodes

    async def _still_open(self, handle: str, incarnation: str) -> Episode | None:
        """The episode that was opened under a handle, unless it has been closed since, or another has its handle."""
        try:
            episode = await self._service.get(handle, touch=False)
        except (UnknownEpisodeError, StaleReferenceError):
            return None
        return episode if episode.incarnation == incarnation else None

    async def _meant(self, ctx: ServerRequestContext[Any, Any]) -> Episode:
        if not self.knows(ctx):
            raise HandleError("This connection has no session: pass the episode_id that start_incident returned.")
        episodes = await self.own(ctx)
        unfinished = [episode for episode in episodes if not episode.done]
        if len(unfinished) > 1:
            names = ", ".join(f"{episode.id} ({episode.reference.scenario_id})" for episode in unfinished)
            raise HandleError(f"Several incidents are open; pass the episode_id of the one you mean: {names}.")
        if unfinished:
            return unfinished[0]
        if episodes:
            return episodes[-1]
        raise HandleError("No incident is open. Call start_incident first.")


class AgentBinding(Binding):
    """The harness has opened the episode; the agent never names one."""

    def __init__(self, service: EpisodeService, bound: Callable[[ServerRequestContext[Any, Any]], str]) -> None:
        super().__init__(service)
        self._bound = bound

    async def handle(self, ctx: ServerRequestContext[Any, Any], named: str) -> str:  # noqa: ARG002 - never named
        return self._bound(ctx)

    def gone(self, handle: str) -> HandleError:  # noqa: ARG002 - the agent does not know it
        return HandleError("The incident of this connection has been closed. Ask whoever started it to open another.")

    async def own(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        try:
            return [await self.episode(ctx, "")]
        except HandleError:
            return []
