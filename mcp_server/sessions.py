"""The sessions of MCP over streamable HTTP: how many there are, whose they are, and when they end."""

from __future__ import annotations

import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from anyio import create_task_group

from env_core.callers import SCOPE_KEY, Caller
from env_core.quotas import find_crowding
from mcp_server.accepting import find_header
from mcp_server.binding import BOUND, BoundEpisode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Message, Receive, Scope, Send

SESSION_HEADER = b"mcp-session-id"
_LOOKS = 60
"""How many times within the idle time it is looked which sessions are idle."""


@dataclass(slots=True)
class _Session:
    """A session of a `user` of the SDK's, None if anybody's, and of the `account` of its caller.

    `held` are its open requests, the stream of a GET among them, and `answering` those of POST alone. `used` is when a
    request last ended, in seconds of a clock. `ending`: it ends with the last answer.
    """

    episode_id: str
    user: Any
    account: str
    used: float
    held: int = 0
    answering: int = 0
    ending: bool = False


class HTTPSessions:
    """Serves the requests of a session manager, and decides which sessions end.

    At most `most` sessions are open: beyond that the caller that has most of them loses the one that was used longest
    ago. A session ends too when
    it had no open request for `idle_seconds`, and with the episode in whose path it was opened. `manager` is to have
    no limits of its own.
    """

    def __init__(
        self,
        manager: StreamableHTTPSessionManager,
        most: int,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._manager = manager
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._open: OrderedDict[str, _Session] = OrderedDict()  # the one used longest ago first
        self._by_episode: dict[str, set[str]] = {}
        self._tasks: TaskGroup | None = None

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._open

    def is_of(self, session_id: str, episode_id: str) -> bool:
        """Whether a session is one of an episode; whoever names none is not bound to any."""
        session = self._open.get(session_id)
        return session is None or session.episode_id == episode_id

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Serve while this is entered."""
        async with self._manager.run(), create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self._end_idle_ones)
            try:
                yield
                await self.end_all()
            finally:
                self._tasks = None
                tasks.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id = read_session_id(scope)
        session = self._open.get(session_id)
        if session is None:
            await self._manager.handle_request(scope, receive, self._note_opening(scope, send))
            return
        posted = scope["method"] == "POST"
        session.held += 1
        session.answering += posted
        try:
            await self._manager.handle_request(scope, receive, send)
        finally:
            session.held -= 1
            session.answering -= posted
            session.used = self._clock()
            if scope["method"] == "DELETE" and _get_name(scope.get("user")) == _get_name(session.user):
                self._forget(session_id)
            elif session_id in self._open:
                self._open.move_to_end(session_id)
                if session.ending:
                    self._end_when_answered(session_id)

    def end_episode(self, episode_id: str) -> None:
        """End the sessions of an episode, each as soon as what it was asked is answered."""
        for session_id in list(self._by_episode.get(episode_id, ())):
            self._open[session_id].ending = True
            self._end_when_answered(session_id)

    async def end_all(self) -> None:
        """End every session at once. To cancel them instead, as the manager does, takes four times as long."""
        for session_id in list(self._open):
            await self._end(session_id, self._forget(session_id))

    def _note_opening(self, scope: Scope, send: Send) -> Send:
        """Sends an answer on, and notes the session that it opens, if it opens one."""

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                opened = next((value for name, value in message["headers"] if name == SESSION_HEADER), None)
                if opened is not None:
                    self._add(opened.decode("latin-1"), scope)
            await send(message)

        return note

    def _add(self, session_id: str, scope: Scope) -> None:
        bound: BoundEpisode | None = scope.get(BOUND)
        episode_id = "" if bound is None else bound.claim.episode_id
        self._open[session_id] = _Session(episode_id, scope.get("user"), read_account(scope), self._clock())
        if episode_id:
            self._by_episode.setdefault(episode_id, set()).add(session_id)
        if len(self._open) > self._most:
            self._end_soon(self._choose_for_room())

    def _choose_for_room(self) -> str:
        """The session to give up, of the caller that has most or else of the one that opened the last: one without an
        open request, or one without an unanswered one, or the oldest."""
        *others, (_, last) = self._open.items()
        crowding = find_crowding((session.account for _, session in others), last.account)
        account = last.account if crowding is None else crowding
        sessions = [item for item in others if item[1].account == account] or others
        free = next((session_id for session_id, session in sessions if not session.held), None)
        silent = next((session_id for session_id, session in sessions if not session.answering), None)
        return free or silent or sessions[0][0]

    def _forget(self, session_id: str) -> Any:
        """Forget a session; its user is given."""
        session = self._open.pop(session_id, None)
        if session is not None and session.episode_id:
            others = self._by_episode[session.episode_id]
            others.discard(session_id)
            if not others:
                del self._by_episode[session.episode_id]
        return None if session is None else session.user

    def _end_when_answered(self, session_id: str) -> None:
        if not self._open[session_id].answering:
            self._end_soon(session_id)

    def _end_soon(self, session_id: str) -> None:
        user = self._forget(session_id)
        if self._tasks is not None:
            self._tasks.start_soon(self._end, session_id, user)

    async def _end(self, session_id: str, user: Any) -> None:
        """End a session as its client would: the manager has no other way that is public."""
        scope = {"type": "http", "method": "DELETE", "path": "/", "query_string": b"", "user": user}
        await self._manager.handle_request(
            {**scope, "headers": [(SESSION_HEADER, session_id.encode())]}, _receive_nothing, _send_nowhere
        )

    async def _end_idle_ones(self) -> None:
        while True:
            await anyio.sleep(self._idle_seconds / _LOOKS)
            limit = self._clock() - self._idle_seconds
            for session_id, session in list(self._open.items()):
                if session.used > limit:
                    break
                if not session.held:
                    self._end_soon(session_id)


def read_session_id(scope: Scope) -> str:
    """The session that a request names, or "" if it names none."""
    return (find_header(scope, SESSION_HEADER) or b"").decode("latin-1")


def read_account(scope: Scope) -> str:
    """The account of the caller of a request; "" if it has none, as agents have none."""
    caller: Caller | None = scope.get(SCOPE_KEY)
    return "" if caller is None else caller.account


def _get_name(user: Any) -> str:
    return getattr(user, "username", "")


async def _receive_nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send_nowhere(_: Message) -> None:
    """Nobody waits for the answer."""
