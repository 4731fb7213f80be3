"""Sessions: each holds one episode at a time. A WebSocket has one, and OpenEnv's plain JSON-RPC opens them by id."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from env_core.selection import Selection
from env_core.stores import CapacityError, Claim, UnknownEpisodeError
from http_compat.problems import NoEpisodeError
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from env_core.transition import Transition
    from scenarios.vocabulary import Action

_ID_BYTES = 16


class SessionsFullError(CloudIncidentError):
    """No further session can be opened until one is closed: `most` are."""

    code = "no_capacity"

    def __init__(self, most: int) -> None:
        super().__init__(f"All {most} sessions are in use; close one and try again.")
        self.most = most


class UnknownSessionError(CloudIncidentError):
    """A session that was never opened, or was closed."""

    code = "unknown_session"


class SessionInUseError(CloudIncidentError):
    """A session that has a WebSocket already, or a WebSocket whose session has an episode already."""

    code = "session_in_use"


def report_capacity(error: CloudIncidentError) -> dict[str, int] | None:
    """The counts by which OpenEnv says that there is no room; None for an error that says something else."""
    if isinstance(error, CapacityError | SessionsFullError):
        return {"active_sessions": error.most, "max_sessions": error.most}
    return None


class Session:
    """One episode at a time, or none yet.

    `attached`: a WebSocket has the session. `closing`: it is closed when that WebSocket ends. `used` is when it was
    last used, in seconds of the clock of its `Sessions`.
    """

    __slots__ = ("_incarnation", "_service", "attached", "closing", "handle", "id", "used")

    def __init__(self, service: EpisodeService, handle: str = "", incarnation: str = "", session_id: str = "") -> None:
        self._service = service
        self._incarnation = incarnation
        self.handle = handle
        self.id = session_id
        self.attached = False
        self.closing = False
        self.used = 0.0

    async def reset(self, selection: Selection) -> Episode:
        """Start an episode in the place of the one there is.

        Raises:
            SelectionError, UnknownScenarioError, CapacityError, EpisodeExistsError: as the service does.
        """
        episode = await self._service.create(selection, Claim(self.handle, self._incarnation) if self.handle else None)
        self.handle, self._incarnation = episode.id, episode.incarnation
        return episode

    async def step(self, action: Action, request_id: str = "") -> Transition:
        """Take a step.

        Raises:
            NoEpisodeError: if no episode has been started.
            UnknownEpisodeError, StaleReferenceError, EpisodeOverError, RequestIdError, AppendConflictError: as the
                service does.
        """
        if not self.handle:
            raise NoEpisodeError("No episode has been started here; reset first.")
        return await self._service.step(self.handle, action, request_id, self._incarnation)

    async def ensure_episode(self) -> None:
        """Start the default episode where none has been started.

        Raises:
            CapacityError: if there is no room for it.
        """
        if not self.handle:
            await self.reset(Selection())

    async def load_episode(self) -> Episode | None:
        """The episode as it stands; None where none has been started.

        Raises:
            UnknownEpisodeError, StaleReferenceError: as the service does.
        """
        return await self._service.get(self.handle, self._incarnation) if self.handle else None

    async def close(self) -> None:
        """Close the episode, if there is one."""
        if self.handle:
            with suppress(UnknownEpisodeError):
                await self._service.close(self.handle, self._incarnation)
        self.handle = ""


class Sessions:
    """The open sessions, at most `most`.

    When room is needed, sessions are closed that no WebSocket has and that have been idle for `idle_seconds`. `clock`
    gives seconds.
    """

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
        """Open a session; with `attached` it is the session of a WebSocket.

        Raises:
            SessionsFullError: if there is no room.
        """
        if len(self._open) >= self._most:
            await self._expire()
        if len(self._open) >= self._most:
            raise SessionsFullError(self._most)
        session = Session(self._service, session_id=secrets.token_hex(_ID_BYTES))
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
            UnknownSessionError: if there is none.
            SessionInUseError: if another WebSocket has it.
        """
        session = self.find(session_id)
        if session.attached:
            raise SessionInUseError(f"Session {session.id} already has a WebSocket.")
        session.attached = True
        return session

    async def leave(self, session: Session, *, own: bool) -> None:
        """End a WebSocket's use of a session. The WebSocket's `own` session is closed; one that it joined stays."""
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
