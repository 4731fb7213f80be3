"""Who a request comes from: the one place where that is decided, for every route and WebSocket."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from env_core.callers import ANYBODY, CALLER, NOBODY, SCOPE_KEY, Caller, is_loopback, read_network

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloud_incident.tokens.table import Holder, TokenTable

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
    by their addresses. What stands below `apart` has callers of its own kind and is let through as it is.
    """

    def __init__(self, app: ASGIApp, tokens: TokenTable | None, apart: str) -> None:
        self._app = app
        self._tokens = tokens
        self._apart = apart

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
            if scope["type"] == "websocket" and holder is not None:
                receive = _receive_while_valid(self._tokens, holder, receive, send)
                if SUBPROTOCOL in scope.get("subprotocols", ()):
                    send = _name_subprotocol(send)
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
        if (kept := _read_cookie(headers.get(b"cookie", b""))) and _is_own_page(scope, headers):
            return tokens.find(kept)
        return None


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


def _is_own_page(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether a request with a cookie comes from a page of this server, or of one that may call (`Guard` checks that).

    Browsers send an Origin with whatever may change something. Cookies know no ports, so a page of another port would
    send the cookie along with what it asks for.
    """
    if scope["type"] == "websocket" or scope["method"] not in _SAFE:
        return b"origin" in headers
    return headers.get(b"sec-fetch-site", b"same-origin") in _OWN_PAGES or b"origin" in headers


def _receive_while_valid(tokens: TokenTable, holder: Holder, receive: Receive, send: Send) -> Receive:
    """Receives the messages of a WebSocket until the token with which it was opened is removed or has expired."""

    async def receive_valid() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive" or tokens.is_current(holder):
            return message
        reason = "The token of this connection is not valid any more."
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": reason})
        return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": reason}

    return receive_valid


def _name_subprotocol(send: Send) -> Send:
    """Sends on, and names the subprotocol that was chosen: browsers hang up where none of those offered is."""

    async def send_named(message: Message) -> None:
        if message["type"] == "websocket.accept":
            message = {**message, "subprotocol": SUBPROTOCOL}
        await send(message)

    return send_named
