"""A call that is watched: a request, a message on a WebSocket or a message of MCP, and what came of it."""

from __future__ import annotations

import random
import re
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal

from env_core.callers import SCOPE_KEY
from env_core.calls import CurrentCall
from env_core.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["request", "message", "call"]
"""A request of HTTP, a message on a WebSocket, or a message of MCP."""

REQUEST_ID_KEY: Final = "cloud_incident.request_id"
"""Where an ASGI scope holds the id of a request."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ID_BITS = 64
_LONGEST_NAME = 128

NOWHERE: Final = "inside"
"""The surface of what no call has asked for, such as an agent that the console plays."""


class WatchedCall(CurrentCall):
    """A call and what came of it.

    `seconds` is how long the answer took, `size` how many bytes it has, and `status` its HTTP status; 0 if it has none
    or if the client left before it. `streamed`: the answer went on for as long as the client listened. `held` is for
    whoever watches, until the call has been answered.
    """

    __slots__ = (
        "episode_id",
        "held",
        "kind",
        "method",
        "request_id",
        "scope",
        "seconds",
        "size",
        "started",
        "status",
        "streamed",
    )

    def __init__(self, kind: Kind, request_id: str, scope: Mapping[str, Any], surface: str = "") -> None:
        super().__init__(surface)
        self.kind = kind
        self.request_id = request_id
        self.scope = scope
        self.method = ""
        self.episode_id = ""
        self.status = 0
        self.size = 0
        self.seconds = 0.0
        self.streamed = False
        self.held: Any = None
        self.started = perf_counter()

    @property
    def caller(self) -> str:
        """The name of whoever calls; "" where nobody is known by name."""
        caller = self.scope.get(SCOPE_KEY)
        return "" if caller is None else clean(caller.name)

    @property
    def way(self) -> str:
        """The surface by which the call came."""
        return self.surface or _find_surface(self.route)

    @property
    def route(self) -> str:
        """The template of the path, such as `/agent/{key}/mcp`; "" where no route has it."""
        route = self.scope.get("route")
        return "" if route is None else str(route.path)

    @property
    def name(self) -> str:
        """What was asked for, as one of a fixed set of names: route and message, or MCP's method and tool."""
        place = self.method if self.kind == "call" else self.route
        return f"{place} {self.operation}" if self.operation else place or "none"

    def finish(self) -> None:
        """Take the time, and name the refusal by its status where nothing else names it."""
        self.seconds = perf_counter() - self.started
        if self.status >= 400 and not self.refusal:
            self.refusal = f"http_{self.status}"


class Sink(Witness):
    """Is told of calls, of the store and of connections too, beside what a witness is told."""

    def note_begin(self, call: WatchedCall) -> None:
        """A call has arrived."""

    def note_end(self, call: WatchedCall) -> None:
        """A call was answered."""

    def note_store_call(self, operation: str, seconds: float, *, failed: bool) -> None:
        """The store was asked. `failed`: it did not answer, which is not a refusal."""

    def note_connection(self, kind: str, change: Literal[1, -1]) -> None:
        """A connection that lasts was opened or has ended."""


def clean(text: str) -> str:
    """A name that somebody else chose, as one line of a bounded length that shows what cannot be printed."""
    short = text[:_LONGEST_NAME]
    return short if short.isprintable() else ascii(short)[1:-1]


def read_request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The id of a request: what its `X-Request-ID` says, if that is 1 to 64 letters, digits and `._-`; or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode("ascii")
    return mint_request_id()


def mint_request_id() -> str:
    """An id that no other request is likely to have. It opens nothing, so that it may be guessed."""
    return f"{random.getrandbits(_ID_BITS):016x}"


@cache
def _find_surface(route: str) -> str:
    if route == "/ws":
        return "websocket"
    if route == "/" or route.startswith("/console"):
        return "console"
    return next((surface for prefix, surface in _PREFIXES if route.startswith(prefix)), "rest")


_PREFIXES = (("/agent/", "agent"), ("/mcp", "mcp"), ("/sse", "sse"), ("/messages", "sse"))
