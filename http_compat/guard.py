"""Who may speak to the server: the Host and Origin of every request and WebSocket, on every route."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from http_compat.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Access:
    """Which Host and Origin headers are accepted beside loopback.

    `hosts` are names without a port; `*.example.org` means every name below, `*` every name. Pages of an accepted host
    may call, where `*` means those of the host that is called alone; `origins` are those of other sites that may call
    from a browser too (`https://app.example`, or `*`).
    """

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def host(self, name: str) -> bool:
        """Whether a host name is accepted."""
        return any(
            accepted in {"*", name} or (accepted.startswith("*.") and name.endswith(accepted[1:]))
            for accepted in (*LOOPBACK, *(host.casefold() for host in self.hosts))
        )

    def origin(self, origin: str, called: str = "") -> bool:
        """Whether pages of an origin may call the host of a name."""
        if "*" in self.origins or origin in self.origins:
            return True
        name = _name(_authority(origin)) if "://" in origin else ""
        named = Access(tuple(host for host in self.hosts if host != "*"))
        return name != "" and (name == called or named.host(name))


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses requests that name a foreign host or come from a foreign page: a page that a browser was lured to must
    not reach a server on this machine, through DNS rebinding or otherwise."""

    app: ASGIApp
    access: Access = Access()
    _refusal: Callable[[bytes | None, bytes | None], tuple[int, str] | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_refusal", lru_cache(_REMEMBERED)(self._judged))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        host = origin = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
        refusal = self._refusal(host, origin)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1][:120]})
        else:
            await problem(*refusal)(scope, receive, send)

    def _judged(self, host: bytes | None, origin: bytes | None) -> tuple[int, str] | None:
        """The status and the words of a refusal, if there is one."""
        if not host:
            return 421, "A Host header is needed."
        named = _name(host.decode("latin-1"))
        if not self.access.host(named):
            return 421, f"Host {named[:80]!r} is not served here; --allow-host {named[:80]} accepts it."
        said = (origin or b"").decode("latin-1")
        if said and not self.access.origin(said, named):
            return 403, f"Pages of {said[:80]!r} may not call this server; --allow-origin accepts them."
        return None


def _authority(origin: str) -> str:
    """The host and port of an origin. Not `urlsplit`, which raises on what is no address in brackets."""
    return re.split(r"[/?#]", origin.partition("://")[2], maxsplit=1)[0]


def _name(host: str) -> str:
    """The name in a Host header or an origin, without port and brackets."""
    host = host.rpartition("@")[2].strip().casefold()
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        return name if bracket and port[:1] in {"", ":"} else host
    return host.partition(":")[0]
