"""Bodies that have arrived whole before an application sees anything of its request."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request

from http_compat.jsontext import parse_json
from http_compat.reading import read_body
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_INITIALIZE_BYTES = 1 << 14
"""Bytes of an `initialize` at most: a session keeps what its client says of itself for as long as it is open."""


MOST_VALUES = 500
"""Entries of all lists and objects of a message of MCP at most. The SDK tells each that is wrong in every way in which
it is wrong, so that 400 kB of empty objects took minutes and gigabytes; a message that is meant has some twenty."""

_SHORT = 2 * MOST_VALUES
"""Bytes of a body that cannot have more values."""


@dataclass(frozen=True, slots=True)
class WholeBodies:
    """Reads the body of each POST before the application is asked, with the limits that every body has.

    The transports of MCP open a session before they read, and wait for a body as long as it takes. With `messages` what
    is no message of JSON-RPC is refused here, because the transport would write it into the log.

    Raises:
        HTTPException: as `read_body` does; 413 if an `initialize` is too large, or a message has too many values;
            400 if there is no message where `messages` are expected.
    """

    app: ASGIApp
    messages: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = await read_body(Request(scope, receive))
        if len(body) > MOST_INITIALIZE_BYTES and is_initialize(body):
            raise HTTPException(413, f"An initialize may have {MOST_INITIALIZE_BYTES} bytes.")
        if len(body) > _SHORT and _has_crowd(body):
            raise HTTPException(413, f"A message may have {MOST_VALUES} values in its lists and objects.")
        if self.messages and not _is_message(body):
            raise HTTPException(400, "The body is no message of JSON-RPC; nothing was done.")
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


def _is_message(body: bytes) -> bool:
    try:
        jsonrpc_message_adapter.validate_json(body, by_name=False)
    except ValidationError:
        return False
    return True


def _has_crowd(body: bytes) -> bool:
    """Whether the lists and objects of a body have too many entries, for whichever parser it is JSON."""
    for parse in (json.loads, from_json):  # the SDK reads some messages with the one and some with the other
        with suppress(ValueError, RecursionError):
            if _count_values(parse(body)) > MOST_VALUES:
                return True
    return False


def _count_values(value: object) -> int:
    """How many entries lists and objects have, within each other; it is not counted on when there are too many."""
    count, found = 0, [value]
    while found and count <= MOST_VALUES:
        looked_at = found.pop()
        if isinstance(looked_at, dict | list):
            count += len(looked_at)
            found.extend(looked_at.values() if isinstance(looked_at, dict) else looked_at)
    return count
