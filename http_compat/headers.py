"""The headers that every answer has for the browser that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
_NOT_KEPT: Final = (b"cache-control", b"no-store")
_MARKED: Final = frozenset({b"cache-control", b"etag"})
"""What an answer has that may be kept."""
_TLS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")

SECURITY_HEADERS: Final = {name.decode(): value.decode() for name, value in (*_ALWAYS, _NOT_KEPT)}
"""What an answer has that is made outside of `SecurityHeaders`."""


class SecurityHeaders:
    """Adds the headers that an answer does not have yet.

    The browser takes an answer for what it is said to be, tells no other site the address, keeps nothing that is not
    marked as lasting, and, where TLS is, comes back over TLS alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        secure = scope.get("scheme") in {"https", "wss"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                message["headers"] = _complete(message.get("headers", ()), secure=secure)
            await send(message)

        await self._app(scope, receive, send_with_headers)


_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


def _complete(headers: list[tuple[bytes, bytes]], *, secure: bool) -> list[tuple[bytes, bytes]]:
    given = {name for name, _ in headers}
    added = [header for header in _ALWAYS if header[0] not in given]
    if given.isdisjoint(_MARKED):
        added.append(_NOT_KEPT)
    if secure and _TLS_ONLY[0] not in given:
        added.append(_TLS_ONLY)
    return [*headers, *added]
