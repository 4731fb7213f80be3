"""Bodies that have arrived whole before an application sees anything of its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request

from http_compat.jsontext import parse_json
from http_compat.reading import read_body
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_INITIALIZE_BYTES = 1 << 14
"""Bytes of an `initialize` at most: a session keeps what its client says of itself for as long as it is open."""


@dataclass(frozen=True, slots=True)
class WholeBodies:
    """Reads the body of each POST before the application is asked, with the limits that every body has.

    The transports of MCP open a session before they read, and wait for a body as long as it takes.

    Raises:
        HTTPException: as `read_body` does; 413 if an `initialize` is too large.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = await read_body(Request(scope, receive))
        if len(body) > MOST_INITIALIZE_BYTES and is_initialize(body):
            raise HTTPException(413, f"An initialize may have {MOST_INITIALIZE_BYTES} bytes.")
        await self.app(scope, Replay(body, receive), send)


class Replay:
    """Receives a body again that has been read already, and then what comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._message: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return message or await self._receive()


def is_initialize(body: bytes) -> bool:
    """Whether a body is the message with which a client of MCP opens a session."""
    try:
        message = parse_json(body)
    except CloudIncidentError:
        return False
    return isinstance(message, dict) and message.get("method") == "initialize"
