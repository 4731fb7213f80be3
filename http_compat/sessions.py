"""Sessions: one episode at a time each. A WebSocket is one; OpenEnv's plain JSON-RPC opens them by name."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from env_core.selection import Selection
from env_core.stores import Claim, UnknownEpisodeError
from http_compat.problems import NoEpisodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from env_core.transition import Transition
    from scenarios.vocabulary import Action

_ID_BYTES = 16


class SessionsFullError(RuntimeError):
    """As many sessions are open as may be."""

    def __init__(self, active: int, most: int) -> None:
        super().__init__(f"All {most} sessions are in use; close one and try again.")
        self.active, self.most = active, most


class UnknownSessionError(LookupError):
    """A session that was never opened, was closed, or cannot be joined."""


class Session:
    """One episode at a time."""

    __slots__ = ("_incarnation", "_service", "attached", "closing", "handle", "id", "used")

    def __init__(self, service: EpisodeService, handle: str = "", incarnation: str = "", id: str = "") -> None:  # noqa: A002 - its name
        self._service = service
        self._incarnation = incarnation
        self.handle = handle
        self.id = id
        self.attached = False
        self.closing = False
        self.used = 0.0

    async def reset(self, selection: Selection) -> Episode:
        """Start an episode in the place of the one there is."""
        episode = await self._service.create(selection, Claim(self.handle, self._incarnation) if self.handle else None)
        self.handle, self._incarnation = episode.id, episode.incarnation
        return episode

    async def step(self, action: Action, request_id: str = "") -> Transition:
        """Take a step.

        Raises:
            NoEpisodeError: if no episode has been started.
            UnknownEpisodeError, EpisodeOverError, RequestIdError, AppendConflictError: as the service does.
        """
        if not self.handle:
            raise NoEpisodeError("No episode has been started here; reset first.")
        return await self._service.step(self.handle, action, request_id, self._incarnation)

    async def opened(self) -> Episode:
        """The episode there is; the default one is started where none has been."""
        return await self.episode() or await self.reset(Selection())

    async def episode(self) -> Episode | None:
        """The episode there is, if any."""
        return await self._service.get(self.handle, self._incarnation) if self.handle else None

    async def close(self) -> None:
        """Close the episode there is."""
        if self.handle:
            with suppress(UnknownEpisodeError):
                await self._service.close(self.handle, self._incarnation)
        self.handle = ""


class Sessions:
    """The open sessions, no more than `most`; idle ones that no WebSocket holds are closed when room is needed."""

    def __init__(
        self,
        service: EpisodeService,
        most: int = 1_000,
        idle_seconds: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._open: OrderedDict[str, Session] = OrderedDict()

    async def open(self, *, attached: bool = False) -> Session:
        """Open a session.

        Raises:
            SessionsFullError: if there is no room.
        """
        if len(self._open) >= self._most:
            await self._expire()
        if len(self._open) >= self._most:
            raise SessionsFullError(len(self._open), self._most)
        session = Session(self._service, id=secrets.token_hex(_ID_BYTES))
        session.attached = attached
        session.used = self._clock()
        self._open[session.id] = session
        return session

    def find(self, session_id: object) -> Session:
        """The session of an id.

        Raises:
            UnknownSessionError: if there is none.
        """
        session = self._open.get(session_id) if isinstance(session_id, str) else None
        if session is None:
            raise UnknownSessionError(
                f"Unknown session_id {str(session_id)[:80]!r}; openenv/session/create opens a session."
            )
        session.used = self._clock()
        self._open.move_to_end(session.id)
        return session

    def attach(self, session_id: str) -> Session:
        """Give a WebSocket the session of an id.

        Raises:
            UnknownSessionError: if there is none, or another WebSocket has it.
        """
        session = self.find(session_id)
        if session.attached:
            raise UnknownSessionError(f"Session {session.id} already has a WebSocket.")
        session.attached = True
        return session

    async def leave(self, session: Session, *, own: bool) -> None:
        """End a WebSocket's use of a session: its `own` ends with it, another stays until it is closed."""
        session.attached = False
        session.used = self._clock()
        if own or session.closing:
            await self.close(session)

    async def close(self, session: Session) -> None:
        """Close a session and its episode."""
        self._open.pop(session.id, None)
        await session.close()

    async def _expire(self) -> None:
        limit = self._clock() - self._idle_seconds
        idle = [session for session in self._open.values() if not session.attached and session.used <= limit]
        for session in idle:
            await self.close(session)
