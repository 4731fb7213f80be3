"""Who a request comes from: the one place where that is decided, for every route and WebSocket."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from env_core.callers import ANYBODY, CALLER, NOBODY, SCOPE_KEY, Caller, is_loopback, read_network
from http_compat.gate import FORWARDED_HOST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloud_incident.tokens.table import Holder, TokenTable
    from http_compat.guard import Access

COOKIE: Final = "cloud_incident_token"
"""The cookie of a page that has signed in. It holds the token, and scripts cannot read it."""

_BEARER: Final = b"bearer "
SUBPROTOCOL: Final = "cloud-incident"
"""The WebSocket subprotocol that pages of other sites name beside `bearer.TOKEN`, since they can send no header."""
_OFFERED: Final = "bearer."
_REMEMBERED = 4096
"""Addresses whose callers are kept, those that called last."""
_POLICY_VIOLATION = 1008
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PAGES = frozenset({b"same-origin", b"none"})
"""What a browser says of a request that a page of this server makes, or a person by typing the address."""


class CallerFinder:
    """Finds the caller of each request, for whom it is answered from then on.

    With `tokens` a caller is the holder of the token that it sends: in the header `Authorization`, in the cookie of a
    page of this server, or, over WebSockets, as the subprotocol `bearer.TOKEN`. A token in an address is not looked at,
    because logs hold addresses. Without `tokens` everybody may do everything; those from other machines are told apart
    by their addresses. What stands below `apart` has callers of its own kind and is let through as it is. The cookie
    counts for pages that `access` names; any page (`*`) is none of them.
    """

    def __init__(self, app: ASGIApp, tokens: TokenTable | None, apart: str, access: Access) -> None:
        self._app = app
        self._tokens = tokens
        self._apart = apart
        self._pages = replace(access, origins=tuple(origin for origin in access.origins if origin != "*"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_apart(scope):
            await self._app(scope, receive, send)
            return
        if self._tokens is None:
            caller = _find_by_address(scope)
        else:
            holder = self._find_holder(self._tokens, scope)
            caller = NOBODY if holder is None else holder.caller
            if holder is not None:
                scope["user"], scope["auth"] = holder.user, holder.auth
            if holder is None:
                pass
            elif scope["type"] == "websocket":
                receive = _receive_while_valid(self._tokens, holder, receive, send)
                if SUBPROTOCOL in scope.get("subprotocols", ()):
                    send = _name_subprotocol(send)
            elif scope["method"] == "GET":
                send = _send_while_valid(self._tokens, holder, send)
        scope[SCOPE_KEY] = caller
        if caller is ANYBODY:
            await self._app(scope, receive, send)
            return
        before = CALLER.set(caller)
        try:
            await self._app(scope, receive, send)
        finally:
            CALLER.reset(before)

    def _is_apart(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return path.startswith(self._apart, len(scope.get("root_path", "")))

    def _find_holder(self, tokens: TokenTable, scope: Scope) -> Holder | None:
        """The holder of the token of a request. A header that holds no valid token is not made up for by a cookie."""
        headers = dict(scope["headers"])
        sent: bytes | None = headers.get(b"authorization")
        if sent is not None:
            is_bearer = sent[: len(_BEARER)].lower() == _BEARER
            return tokens.find(sent[len(_BEARER) :].strip().decode("latin-1")) if is_bearer else None
        if scope["type"] == "websocket" and (offered := _find_offered(scope.get("subprotocols", ()))):
            return tokens.find(offered)
        if (kept := _read_cookie(headers.get(b"cookie", b""))) and self._is_from_page(scope, headers):
            return tokens.find(kept)
        return None

    def _is_from_page(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """Whether a request with a cookie comes from a page of this server, or of a site that was named.

        Browsers send an Origin with whatever may change something. Cookies know no ports, so a page of another port
        would send the cookie along with what it asks for.
        """
        if (origin := headers.get(b"origin")) is not None:
            called = self._pages.list_called(headers.get(b"host", b""), scope.get(FORWARDED_HOST))
            return any(self._pages.accepts_origin(origin.decode("latin-1"), place) for place in called)
        if scope["type"] == "websocket" or scope["method"] not in _SAFE:
            return False
        return headers.get(b"sec-fetch-site", b"same-origin") in _OWN_PAGES


def _find_by_address(scope: Scope) -> Caller:
    client = scope.get("client")
    return ANYBODY if client is None else _call_from(client[0])


@lru_cache(_REMEMBERED)
def _call_from(address: str) -> Caller:
    if is_loopback(address):
        return ANYBODY
    return ANYBODY._replace(address=address, network=read_network(address))


def _find_offered(subprotocols: Iterable[str]) -> str:
    offered = (name.removeprefix(_OFFERED) for name in subprotocols if name.startswith(_OFFERED))
    return next(offered, "")


def _read_cookie(header: bytes) -> str:
    for part in header.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == COOKIE.encode():
            return value.decode("latin-1")
    return ""


def _receive_while_valid(tokens: TokenTable, holder: Holder, receive: Receive, send: Send) -> Receive:
    """Receives the messages of a WebSocket until the token with which it was opened is changed or has expired."""

    async def receive_valid() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive" or tokens.is_current(holder):
            return message
        reason = "The token of this connection is not valid any more."
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": reason})
        return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": reason}

    return receive_valid


def _send_while_valid(tokens: TokenTable, holder: Holder, send: Send) -> Send:
    """Sends an answer on. One that comes in pieces, as a stream does, ends when the token is changed or has expired."""
    ended = False

    async def send_valid(message: Message) -> None:
        nonlocal ended
        if ended:
            return
        if message.get("more_body", False) and not tokens.is_current(holder):
            ended = True  # the server tells the application then that the client has left
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    return send_valid


def _name_subprotocol(send: Send) -> Send:
    """Sends on, and names the subprotocol that was chosen: browsers hang up where none of those offered is."""

    async def send_named(message: Message) -> None:
        if message["type"] == "websocket.accept":
            message = {**message, "subprotocol": SUBPROTOCOL}
        await send(message)

    return send_named
