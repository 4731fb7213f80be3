"""Which episode a call means, and which episodes a caller may know of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from env_core.callers import ANYBODY, acting_as
from env_core.episode import withhold
from env_core.reference import StaleReferenceError
from env_core.request_ids import read_request_id
from env_core.stores import Claim, UnknownEpisodeError
from env_core.transition import EpisodeOverError
from mcp_server.errors import HandleError
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from env_core.transition import Transition
    from scenarios.vocabulary import Action

_SESSION_HEADER = "mcp-session-id"
_MOST_SESSIONS = 10_000
_MOST_EPISODES = 100
"""How many episodes a connection may have listed; those opened earlier are still reached by their handles."""

_MOST_ELSEWHERE = 20
"""How many open episodes of a caller are listed beside those; each may have to be computed again."""


@dataclass(slots=True)
class OpenedEpisode:
    """An episode that a connection has opened. `finished`: it is known to have ended, which nothing can undo."""

    handle: str
    incarnation: str
    finished: bool = False


@dataclass(slots=True)
class Caller:
    """The episodes that one connection has opened, by handle, oldest first.

    `known` is false where calls cannot be told apart by their connection. `advice` is what the caller is told in
    addition while it has opened none.
    """

    known: bool = True
    advice: str = ""
    opened: dict[str, OpenedEpisode] = field(default_factory=dict)

    @property
    def unfinished(self) -> list[OpenedEpisode]:
        """The episodes that are not known to have ended, oldest first."""
        return [opened for opened in self.opened.values() if not opened.finished]

    def advise(self, message: str) -> str:
        """A message on an episode that is missing, with the advice where it applies."""
        return f"{message} {self.advice}" if self.advice and not self.opened else message

    def add(self, episode: Episode) -> None:
        """Remember an episode as the latest that was opened."""
        self.opened.pop(episode.id, None)
        self.opened[episode.id] = OpenedEpisode(episode.id, episode.incarnation, episode.done)
        while len(self.opened) > _MOST_EPISODES:
            del self.opened[next(iter(self.opened))]

    def note(self, episode: Episode) -> None:
        """Remember that an episode has ended, if it has and is one of the caller's."""
        opened = self.opened.get(episode.id)
        if opened is not None and opened.incarnation == episode.incarnation:
            opened.finished |= episode.done  # an answer that is repeated may be of a step before the end

    def forget(self, opened: OpenedEpisode) -> None:
        """Forget an episode, unless its handle has been opened anew."""
        if self.opened.get(opened.handle) is opened:
            del self.opened[opened.handle]


class Callers(Protocol):
    """Tells callers apart; made anew by the server's lifespan."""

    def identify(self, ctx: ServerRequestContext[Any, Any]) -> Caller:
        """Whoever makes a request."""


class OneCaller:
    """A transport whose lifespan is one connection: stdio, SSE. Some `episodes` may be open from the start."""

    def __init__(self, *episodes: Episode, advice: str = "") -> None:
        self._caller = Caller(advice=advice)
        for episode in episodes:
            self._caller.add(episode)

    def identify(self, ctx: ServerRequestContext[Any, Any]) -> Caller:  # noqa: ARG002 - there is only one
        return self._caller


class NobodyKnown:
    """Calls that any process may get: none remembers who made an earlier one."""

    def identify(self, ctx: ServerRequestContext[Any, Any]) -> Caller:  # noqa: ARG002 - nothing in it tells
        return Caller(known=False)


class CallersBySession:
    """Streamable HTTP: callers with a session are told apart by it; those without one are not known."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, Caller] = OrderedDict()

    def identify(self, ctx: ServerRequestContext[Any, Any]) -> Caller:
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
    """Finds the episode that a call means, and steps it."""

    after_the_end: ClassVar[str]
    """What an agent is told to do once its incident is over."""

    def __init__(self, service: EpisodeService) -> None:
        self._service = service

    @abstractmethod
    async def find(self, ctx: ServerRequestContext[Any, Any], handle: str) -> Episode:
        """The episode of the handle that a call names, or the one that is meant where `handle` is empty.

        Raises:
            HandleError: if none is meant, or more than one could be.
            UnknownEpisodeError: if there is no open episode of that handle.
            StaleReferenceError: if its incident or the rules have changed since it began.
        """

    @abstractmethod
    async def list_open(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        """The episodes that the caller may know of, finished ones too, oldest first."""

    @abstractmethod
    async def find_own(self, ctx: ServerRequestContext[Any, Any]) -> Episode | None:
        """The episode whose actions alone are offered to the caller; None where the caller may start any.

        Raises:
            UnknownEpisodeError, StaleReferenceError: as `find` does.
        """

    @abstractmethod
    def _describe_missing(self, handle: str) -> str:
        """What to say of a handle that means no open episode."""

    @abstractmethod
    def _note(self, ctx: ServerRequestContext[Any, Any], episode: Episode) -> None:
        """Remember whether the episode has ended, so that later calls need not load it."""

    async def step(self, ctx: ServerRequestContext[Any, Any], episode: Episode, action: Action) -> Transition:
        """Take a step on an episode that `find` gave for this call; it is loaded again only after a conflict.

        A call with a request id that has been used on the episode repeats its answer and takes no step.

        Raises:
            InvalidActionError: if the request id is not valid.
            RequestIdError: if it was used for another action.
            UnknownEpisodeError: if the episode has been closed meanwhile.
            EpisodeOverError: if it has ended.
            AppendConflictError: if others kept stepping first. Nothing was changed.
        """
        request_id = read_request_id(ctx.meta)
        try:
            transition = await self._service.step(episode, action, request_id, episode.incarnation)
        except UnknownEpisodeError as error:
            raise UnknownEpisodeError(self._describe_missing(episode.id)) from error
        self._note(ctx, transition.episode)
        await self._service.recount(transition.episode, curves=False)
        return transition

    async def _load(self, handle: str, incarnation: str = "") -> Episode:
        try:
            episode = await self._service.get(handle, incarnation)
        except UnknownEpisodeError as error:
            raise UnknownEpisodeError(self._describe_missing(handle)) from error
        await self._service.recount(episode, curves=False)
        return episode

    async def prepare_frames(self, episode: Episode) -> None:
        """Make what frames of an episode tell at its end, if it is not at hand; others are served meanwhile."""
        await self._service.recount(episode)


class OperatorBinding(Binding):
    """Every tool takes a handle; where the connection has exactly one unfinished episode it may be left out."""

    after_the_end = "grade_drill explains its score, and start_drill starts another."

    def remember(self, ctx: ServerRequestContext[Any, Any], episode: Episode) -> None:
        """Remember that the caller opened an episode."""
        self._identify(ctx).add(episode)

    def knows_drills(self, ctx: ServerRequestContext[Any, Any]) -> bool:
        """Whether it can be told which drills are the caller's: by its session, or by its name."""
        return self._identify(ctx).known or self._service.caller.name != ""

    async def list_known(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        """The episodes that the connection has opened, and before them those that the caller has open elsewhere."""
        here = await self.list_open(ctx)
        known = {episode.id for episode in here}
        elsewhere = [
            await self._look_elsewhere(handle)
            for handle in reversed(await self._service.list_own(_MOST_ELSEWHERE))
            if handle not in known
        ]
        return [*filter(None, elsewhere), *here]

    async def find(self, ctx: ServerRequestContext[Any, Any], handle: str) -> Episode:
        caller = self._identify(ctx)
        if not handle:
            return await self._find_meant(caller)
        try:
            episode = await self._load(handle)
        except UnknownEpisodeError as error:
            raise UnknownEpisodeError(caller.advise(str(error))) from error
        caller.note(episode)
        return episode

    async def close(self, episode: Episode) -> None:
        """Close an episode that `find` gave for this call.

        Raises:
            UnknownEpisodeError: if it has been closed meanwhile.
        """
        try:
            await self._service.close(episode.id, episode.incarnation)
        except UnknownEpisodeError as error:
            raise UnknownEpisodeError(self._describe_missing(episode.id)) from error

    async def list_open(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        caller = self._identify(ctx)
        looks = [await self._look_at(caller, opened, touch=False) for opened in list(caller.opened.values())]
        return [episode for episode in looks if episode is not None]

    async def find_own(self, ctx: ServerRequestContext[Any, Any]) -> Episode | None:  # noqa: ARG002 - any can be started
        return None

    def _describe_missing(self, handle: str) -> str:
        return (
            f"There is no drill with episode_id {handle[:80]!r}: it was never started, or it was closed. list_drills "
            "lists yours; start_drill starts one and returns its episode_id."
        )

    def _note(self, ctx: ServerRequestContext[Any, Any], episode: Episode) -> None:
        self._identify(ctx).note(episode)

    def _identify(self, ctx: ServerRequestContext[Any, Any]) -> Caller:
        callers: Callers = ctx.lifespan_context
        return callers.identify(ctx)

    async def _look_at(self, caller: Caller, opened: OpenedEpisode, *, touch: bool) -> Episode | None:
        """The episode that a caller opened, unless it has been closed since, or another has its handle."""
        try:
            episode = await self._service.get(opened.handle, opened.incarnation, touch=touch)
        except (UnknownEpisodeError, StaleReferenceError):
            caller.forget(opened)
            return None
        opened.finished = episode.done
        return episode

    async def _look_elsewhere(self, handle: str) -> Episode | None:
        with suppress(UnknownEpisodeError, StaleReferenceError):
            return await self._service.get(handle, touch=False)
        return None

    async def _find_meant(self, caller: Caller) -> Episode:
        """The one unfinished episode of a caller, or the latest that it opened if all have ended.

        Episodes that are known to have ended are loaded only if no unfinished one is left.
        """
        if not caller.known:
            raise HandleError(
                "Which drill? Pass the episode_id that start_drill returned: this connection has no session to tell by."
            )
        if len(caller.unfinished) > 1:
            await self._refuse_several(caller)
        for opened in caller.unfinished:
            episode = await self._look_at(caller, opened, touch=True)
            if episode is not None and not episode.done:
                return episode
        for opened in reversed(list(caller.opened.values())):
            episode = await self._look_at(caller, opened, touch=True)
            if episode is not None:
                return episode
        raise HandleError(caller.advise("No drill is open here. Call start_drill first."))

    async def _refuse_several(self, caller: Caller) -> None:
        """Look at every episode that may be unfinished, and refuse the call if more than one is."""
        looks = [await self._look_at(caller, opened, touch=False) for opened in caller.unfinished]
        unfinished = [episode for episode in looks if episode is not None and not episode.done]
        if len(unfinished) > 1:
            names = ", ".join(f"{episode.id} ({episode.reference.scenario_id})" for episode in unfinished)
            raise HandleError(f"Several drills are open; pass the episode_id of the one you mean: {names}.")


BOUND = "cloud_incident.bound"
"""Where an ASGI scope holds the `BoundEpisode` of a request to an agent's endpoint."""


@dataclass(slots=True)
class BoundEpisode:
    """The episode of an agent's endpoint; as it was `loaded` for the request, until that has been used."""

    claim: Claim
    loaded: Episode | None = None

    def take(self) -> Episode | None:
        """The episode as it was loaded, once: later looks are to see what has been done meanwhile."""
        loaded, self.loaded = self.loaded, None
        return loaded


def find_bound(ctx: Any) -> BoundEpisode:
    """The episode of the agent's endpoint that a request over HTTP was sent to."""
    bound: BoundEpisode = ctx.request.scope[BOUND]
    return bound


def bind_to(episode: Episode) -> Callable[[object], BoundEpisode]:
    """What finds the same episode for every request, where an agent has a server of its own."""
    return lambda _: BoundEpisode(Claim(episode.id, episode.incarnation))


class AgentBinding(Binding):
    """The harness has opened the episode; the agent never names one.

    An agent from which the debrief is kept sees the end of its episode without it.
    """

    after_the_end = "There is nothing more to do."

    def __init__(
        self, service: EpisodeService, bound: Callable[[ServerRequestContext[Any, Any]], BoundEpisode]
    ) -> None:
        super().__init__(service)
        self._bound = bound

    async def find(self, ctx: ServerRequestContext[Any, Any], handle: str) -> Episode:  # noqa: ARG002 - never named
        bound = self._bound(ctx)
        with acting_as(ANYBODY):  # whoever let the agent in has decided which episode it works
            return withhold(bound.take() or await self._load(*bound.claim))

    async def step(self, ctx: ServerRequestContext[Any, Any], episode: Episode, action: Action) -> Transition:
        try:
            with acting_as(ANYBODY):
                transition = await super().step(ctx, episode, action)
        except EpisodeOverError as error:
            raise EpisodeOverError(withhold(error.episode)) from error
        return transition._replace(episode=withhold(transition.episode))

    async def list_open(self, ctx: ServerRequestContext[Any, Any]) -> list[Episode]:
        try:
            return [await self.find(ctx, "")]
        except CloudIncidentError:
            return []

    async def find_own(self, ctx: ServerRequestContext[Any, Any]) -> Episode | None:
        return await self.find(ctx, "")

    def _describe_missing(self, handle: str) -> str:  # noqa: ARG002 - the agent does not know it
        return "The incident of this connection has been closed. Ask whoever started it to open another."

    def _note(self, ctx: ServerRequestContext[Any, Any], episode: Episode) -> None:
        """Nothing needs to be remembered: the agent's episode is loaded on each call."""
