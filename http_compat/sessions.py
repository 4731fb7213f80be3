"""Sessions: each holds one episode at a time. A WebSocket has one, and OpenEnv's plain JSON-RPC opens them by id."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from env_core.callers import ANYBODY, OPERATE, Caller, CallerError, acting_as
from env_core.quotas import find_crowding
from env_core.selection import Handle, Selection
from env_core.stores import CapacityError, Claim, EpisodeExistsError, UnknownEpisodeError
from http_compat.problems import NoEpisodeError
from scenarios.errors import CloudIncidentError
from scenarios.given import Given

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from env_core.transition import Transition
    from scenarios.vocabulary import Action

_ID_BYTES = 16
_SIGNED = "."
"""Stands between the handle and the signature in the id of a session."""


class Resumption(Given):
    """An episode to be taken up as it stands, after the connection that had it broke off."""

    episode_id: Handle = Field(min_length=1, description="Handle of the episode.")


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

    `caller` opened the session, and it is nobody else's. `attached`: a WebSocket has it, and `hang_up` closes that.
    `closing`: the session is closed when that WebSocket ends. `used` is when it was last used, in seconds of the clock
    of its `Sessions`. `named`: its id names the handle of its episode, which it keeps.
    """

    __slots__ = (
        "_incarnation",
        "_service",
        "attached",
        "caller",
        "closing",
        "handle",
        "hang_up",
        "id",
        "named",
        "used",
    )

    def __init__(self, service: EpisodeService, handle: str = "", incarnation: str = "", session_id: str = "") -> None:
        self._service = service
        self.caller = service.caller
        self._incarnation = incarnation
        self.handle = handle
        self.id = session_id
        self.attached = False
        self.closing = False
        self.hang_up: Callable[[], Awaitable[None]] | None = None
        self.used = 0.0
        self.named = False

    @property
    def can_end(self) -> bool:
        """Whether the session can be ended now: its WebSocket, if it has one, can be hung up."""
        return self.hang_up is not None or not self.attached

    async def reset(self, selection: Selection) -> Episode:
        """Start an episode in the place of the one there is.

        Raises:
            SelectionError, UnknownScenarioError, CapacityError, EpisodeExistsError: as the service does.
        """
        episode = await self._service.create(selection, Claim(self.handle, self._incarnation) if self.handle else None)
        self.handle, self._incarnation = episode.id, episode.incarnation
        return episode

    async def take_up(self, handle: str) -> Episode:
        """Go on with an episode that is open, in the place of the one there is.

        Raises:
            UnknownEpisodeError, StaleReferenceError: as the service does.
        """
        episode = await self._service.get(handle)
        if self.handle != episode.id:
            await self._close_episode()  # as far as whoever asks now may, who need not be the caller
        self.handle, self._incarnation = episode.id, episode.incarnation
        return episode

    def let_go(self) -> Claim:
        """Have no episode any more, without closing it. It is given."""
        claim = Claim(self.handle, self._incarnation)
        self.handle = self._incarnation = ""
        return claim

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

    async def step_to_tell(self, action: Action, request_id: str = "") -> Transition:
        """Take a step of which the text is told; that has the debrief in it, if the episode ends by it.

        Raises:
            NoEpisodeError, UnknownEpisodeError, StaleReferenceError, EpisodeOverError, RequestIdError,
                AppendConflictError: as for a step.
        """
        transition = await self.step(action, request_id)
        await self._service.recount(transition.episode, curves=False)
        return transition

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
        """Close the episode, if there is one. That of a caller who may close none stays."""
        with acting_as(self.caller):
            await self._close_episode()

    async def _close_episode(self) -> None:
        if self.handle:
            with suppress(UnknownEpisodeError, CallerError):
                await self._service.close(self.handle, self._incarnation)
        self.handle = ""


class _Left(NamedTuple):
    """An episode that a WebSocket left when it broke off, and the account of its caller."""

    claim: Claim
    account: str


class Sessions:
    """The open sessions, at most `most`.

    When room is needed, sessions are closed that have been idle for `idle_seconds`, with their WebSockets. If none has,
    the caller that has most sessions gives one to another that has fewer. The episode of a WebSocket that broke off
    stays without a session, to be taken up again; at most `most` such episodes are kept, and beyond that the caller
    that has left most loses the one that it left longest ago. `clock` gives seconds.

    Unless they are `alone`, other processes on the same store serve the same clients. Then a session that JSON-RPC
    opens is not kept: its id names its episode, and any process finds it. What a WebSocket left is kept until it
    expires, because a client may go on with it at another process.
    """

    def __init__(
        self,
        service: EpisodeService,
        most: int = 1_000,
        idle_seconds: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        alone: bool = True,
    ) -> None:
        self._service = service
        self._alone = alone
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._ending: set[asyncio.Future[None]] = set()
        self._left: OrderedDict[str, _Left] = OrderedDict()  # by handle, the one that was left longest ago first

    @property
    def caller(self) -> Caller:
        """For whom sessions are opened and found now."""
        return self._service.caller

    async def open(self, *, attached: bool = False) -> Session:
        """Open a session; with `attached` it is the session of a WebSocket.

        Raises:
            SessionsFullError: if there is no room.
        """
        if len(self._open) >= self._most:
            await self._expire()
        if len(self._open) >= self._most:
            await self._make_room()
        if len(self._open) >= self._most:
            raise SessionsFullError(self._most)
        session = Session(self._service, session_id=secrets.token_hex(_ID_BYTES))
        session.attached = attached
        session.used = self._clock()
        self._open[session.id] = session
        return session

    async def open_on(self, start: Selection | Resumption | None) -> Session:
        """Open a session for calls that name it by its id, with the episode that `start` asks for, if it does.

        Raises:
            SessionsFullError: if there is no room.
            SelectionError, UnknownScenarioError, CapacityError, EpisodeExistsError, UnknownEpisodeError,
            StaleReferenceError: as `start` does.
        """
        if not self._alone:
            session = Session(self._service)
            episode = await self.start(session, start or Selection())
            session.id, session.named = await self._sign(episode.id), True
            return session
        session = await self.open()
        if start is not None:
            try:
                await self.start(session, start)
            except CloudIncidentError:
                await self.close(session)
                raise
        return session

    async def start(self, session: Session, start: Selection | Resumption) -> Episode:
        """Give a session the episode that a reset asks for: a new one, or one that is open already.

        An episode that is taken up is no longer that of the session that had it. A new one takes the room of an episode
        that was left, if there is no other room: of the caller's own, or of a caller that has left more.

        Raises:
            SessionInUseError: if the session is named by an episode, and another handle is asked for.
            SelectionError, UnknownScenarioError, CapacityError, EpisodeExistsError, UnknownEpisodeError,
            StaleReferenceError: as the service does.
        """
        if session.named:
            start = _keep_handle(session.handle, start)
        if isinstance(start, Resumption):
            return await self._take_up(session, start.episode_id)
        try:
            return await session.reset(start)
        except CapacityError:
            if not await self._close_left(self.caller.account):
                raise
            return await session.reset(start)
        except EpisodeExistsError as error:
            raise EpisodeExistsError(error.episode_id, "With resume true it is taken up as it stands.") from error

    async def _take_up(self, session: Session, handle: str) -> Episode:
        episode = await session.take_up(handle)
        for other in self._open.values():
            if other is not session and other.handle == handle:
                other.let_go()
        self._left.pop(handle, None)
        return episode

    async def find(self, session_id: object) -> Session:
        """The session of an id.

        Raises:
            UnknownSessionError: if there is none.
            StaleReferenceError: as the service does.
        """
        session = self._open.get(session_id) if isinstance(session_id, str) else None
        if session is None and isinstance(session_id, str) and not self._alone:
            session = await self._find_named(session_id)
        if session is None or not self._service.caller.may_see(session.caller.name):
            raise UnknownSessionError(
                f"Unknown session_id {str(session_id)[:80]!r}; openenv/session/create opens a session."
            )
        self.note_use(session)
        return session

    def note_use(self, session: Session) -> None:
        """Remember that a session is in use, so that it is not taken for idle."""
        session.used = self._clock()

    async def _find_named(self, session_id: str) -> Session | None:
        handle = session_id.rpartition(_SIGNED)[0]
        if not hmac.compare_digest(session_id.encode(), (await self._sign(handle)).encode()):
            return None
        try:
            episode = await self._service.get(handle)
        except UnknownEpisodeError:
            return None
        session = Session(self._service, handle, episode.incarnation, session_id)
        session.named = True
        return session

    async def _sign(self, handle: str) -> str:
        """The id of the session that an episode names. Nobody makes it who only knows the handle."""
        secret = await self._service.read_secret()
        return f"{handle}{_SIGNED}{hmac.new(secret, f'session {handle}'.encode(), 'sha256').hexdigest()}"

    async def attach(self, session_id: str) -> Session:
        """Give a WebSocket the session of an id.

        Raises:
            UnknownSessionError: if there is none.
            SessionInUseError: if another WebSocket has it.
        """
        session = await self.find(session_id)
        if session.attached:
            raise SessionInUseError(f"Session {session.id} already has a WebSocket.")
        session.attached = True
        return session

    async def leave(self, session: Session, *, own: bool, clean: bool = True) -> None:
        """End a WebSocket's use of a session. The WebSocket's `own` session is closed; one that it joined stays.

        Of an own session that did not end `clean`, the episode stays, to be taken up again by its handle. It makes room
        for others if its caller may close it.
        """
        session.attached = False
        session.hang_up = None
        self.note_use(session)
        if own and not clean and session.handle and session.id in self._open:
            del self._open[session.id]
            await self._leave_episode(session)
        elif own or session.closing:
            await self.close(session)

    def count_detached(self) -> int:
        """How many sessions no WebSocket has."""
        return sum(not session.attached for session in self._open.values())

    async def close(self, session: Session) -> None:
        """Close a session and its episode."""
        self._open.pop(session.id, None)
        await session.close()

    async def _leave_episode(self, session: Session) -> None:
        """Leave the episode of a session that ends for itself, until somebody takes it up or needs its room."""
        claim = session.let_go()
        if not (claim.episode_id and self._alone and OPERATE in session.caller.scopes):
            return
        account = session.caller.account
        self._left[claim.episode_id] = _Left(claim, account)
        if len(self._left) > self._most:
            await self._close_left(account)

    async def _close_left(self, account: str) -> bool:
        """Close an episode that was left, unless it is closed already: the first of who has left most, or of the
        account's own. Whether there was one."""
        crowding = find_crowding((left.account for left in self._left.values()), account)
        giving = account if crowding is None else crowding
        handle = next((handle for handle, left in self._left.items() if left.account == giving), None)
        if handle is None:
            return False
        with suppress(UnknownEpisodeError), acting_as(ANYBODY):
            await self._service.close(*self._left.pop(handle).claim)
        return True

    async def _make_room(self) -> None:
        """End a session of who has most, if that is to make room for the caller: the one that was used longest ago, of
        those without an episode if there are any. Its episode stays, as that of a WebSocket that broke off."""
        crowding = find_crowding((session.caller.account for session in self._open.values()), self.caller.account)
        ending = min(
            (session for session in self._open.values() if session.caller.account == crowding and session.can_end),
            key=lambda session: (session.handle != "", session.used),
            default=None,
        )
        if ending is None:
            return
        del self._open[ending.id]
        hang_up = ending.hang_up
        await self._leave_episode(ending)
        if hang_up is not None:
            self._hang_up_soon(hang_up)

    def _hang_up_soon(self, hang_up: Callable[[], Awaitable[None]]) -> None:
        """Hang up a WebSocket without waiting for its client, which may not read what it is sent."""
        ending = asyncio.ensure_future(hang_up())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _expire(self) -> None:
        limit = self._clock() - self._idle_seconds
        idle = [session for session in self._open.values() if session.used <= limit]
        for session in idle:
            if not session.can_end:
                continue
            await self.close(session)
            if session.hang_up is not None:
                self._hang_up_soon(session.hang_up)


def _keep_handle(handle: str, start: Selection | Resumption) -> Selection:
    if isinstance(start, Resumption) or start.episode_id not in {"", handle}:
        raise SessionInUseError(
            f"The id of this session names its episode, {handle}; leave out `episode_id`, or open another session."
        )
    return start.model_copy(update={"episode_id": handle})
