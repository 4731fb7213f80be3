"""What a client accepts, by its `Accept` header (RFC 9110, 12.5.1), and answers in the form that it accepts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON, EVENTS = "application/json", "text/event-stream"

_BOTH = f"{JSON}, {EVENTS}".encode()
"""What MCP clients have to send, and what the SDK insists on."""

_REMEMBERED = 256
"""Accept headers whose meaning is kept, those used last."""

_LONGEST_REMEMBERED = 1024
"""Bytes of an Accept header whose meaning is kept; browsers send 200."""


class Accepted(NamedTuple):
    """Which forms of answers a client takes. `names_events`: it asks for a stream of events by name."""

    json: bool
    events: bool
    names_events: bool


def read_accept(header: bytes | None) -> Accepted:
    """What an `Accept` header accepts. Without one, or with an empty one, everything is accepted."""
    return _remember(header) if len(header or b"") <= _LONGEST_REMEMBERED else _read(header)


def _read(header: bytes | None) -> Accepted:
    ranges = dict(_read_range(part) for part in (header or b"").decode("latin-1").split(",") if part.strip(" \t;"))
    if not ranges:
        return Accepted(json=True, events=True, names_events=False)
    return Accepted(_is_accepted(JSON, ranges), _is_accepted(EVENTS, ranges), ranges.get(EVENTS, 0.0) > 0)


_remember = lru_cache(_REMEMBERED)(_read)


def find_header(scope: Scope, wanted: bytes) -> bytes | None:
    """The value of a header of a request; several of that name count as one list. None if there is none."""
    values = [value for name, value in scope["headers"] if name == wanted]
    return b",".join(values) if values else None


class AnswersAsAccepted:
    """Answers every client whose `Accept` allows for JSON or for a stream of events, wildcards and none included.

    The application answers with JSON and refuses who does not name it. A client that takes events alone gets the answer
    as a stream of one event.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = find_header(scope, b"accept")
        accepted = read_accept(header)
        if header != _BOTH and (accepted.json or accepted.events):
            others = [(name, value) for name, value in scope["headers"] if name != b"accept"]
            scope = {**scope, "headers": [*others, (b"accept", _BOTH)]}
        if not accepted.json and accepted.events and scope["method"] == "POST":
            send = _EventSender(send)
        await self._app(scope, receive, send)


class _EventSender:
    """Sends an answer of JSON as one event. What is no answer to a request stays as it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _has_json(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_event(self._start)

    async def _send_event(self, start: Message) -> None:
        body = b"event: message\r\ndata: " + self._body + b"\r\n\r\n"
        headers = [header for header in start["headers"] if header[0] not in {b"content-type", b"content-length"}]
        headers += [(b"content-type", EVENTS.encode()), (b"content-length", str(len(body)).encode())]
        await self._send({**start, "headers": [*headers, (b"cache-control", b"no-cache, no-transform")]})
        await self._send({"type": "http.response.body", "body": body})


def _has_json(start: Message) -> bool:
    return start["status"] == 200 and any(
        name == b"content-type" and value.startswith(JSON.encode()) for name, value in start["headers"]
    )


def _read_range(part: str) -> tuple[str, float]:
    """A range of media types and its weight. Parameters that are no weight are not looked at."""
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [text[2:] for text in parameters if text.startswith("q=")]
    try:
        return media, float(weights[0]) if weights else 1.0
    except ValueError:
        return media, 1.0


def _is_accepted(media: str, ranges: dict[str, float]) -> bool:
    """Whether a media type is accepted: the most specific range that it is in decides."""
    for range_ in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if range_ in ranges:
            return ranges[range_] > 0
    return False
