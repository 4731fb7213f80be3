"""Who may speak to the server: the Host and Origin of every request and WebSocket, on every route."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from http_compat.gate import FORWARDED_HOST
from http_compat.problems import build_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods of requests that change nothing."""
_REMEMBERED = 1024
"""Hosts and Origins whose judgement is kept, those used last."""

_LONGEST = 512
"""Bytes of a Host or an Origin at most. A name in DNS has 253, and what is longer must not be kept."""


@dataclass(frozen=True, slots=True)
class Access:
    """Which Host and Origin headers are accepted beside loopback.

    `hosts` are names without a port. `*.example.org` means every name below, and `*` every name. The server's own pages
    may call: those of the host and port that is called, or, where a proxy calls by another name, of an accepted host on
    the usual port. `origins` are other sites whose pages may call from a browser (`https://app.example`, or `*`).
    """

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def accepts_host(self, name: str) -> bool:
        """Whether a host name is accepted."""
        return any(
            accepted in {"*", name} or (accepted.startswith("*.") and name.endswith(accepted[1:]))
            for accepted in (*LOOPBACK, *(host.casefold() for host in self.hosts))
        )

    def accepts_origin(self, origin: str, called: str = "") -> bool:
        """Whether pages of an origin may call a host, whose port is given with its name unless it is the usual one."""
        if "*" in self.origins or origin in self.origins:
            return True
        scheme, separator, _ = origin.partition("://")
        authority = _read_authority(origin) if separator else ""
        name, usual = _read_name(authority), _DEFAULT_PORTS.get(scheme.casefold(), "")
        port = _read_port(authority) or usual
        if name == "" or name == _read_name(called):
            return name != "" and port == (_read_port(called) or usual)
        named = Access(tuple(host for host in self.hosts if host != "*"))
        return port == usual and name not in LOOPBACK and named.accepts_host(name)

    def list_called(self, host: bytes, forwarded: bytes | None) -> list[str]:
        """The hosts that a request calls: its own, and the one that a proxy forwards, if that is accepted."""
        called = [host.decode("latin-1")]
        if forwarded and self.accepts_host(_read_name(forwarded.decode("latin-1"))):
            called.append(forwarded.decode("latin-1"))
        return called


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses requests that name a foreign host or come from a foreign page.

    Without it a foreign page in a browser could reach a server on the same machine, for example by DNS rebinding. So
    the Host that a proxy forwards never replaces the Host of the request, which has to be accepted in any case; but
    pages of the forwarded Host may call, if that is accepted too.
    """

    app: ASGIApp
    access: Access = Access()
    _refusal: Callable[[bytes | None, bytes | None, bytes | None], tuple[int, str] | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_refusal", lru_cache(_REMEMBERED)(self._judge))

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
        forwarded = scope.get(FORWARDED_HOST)
        if (host and len(host) > _LONGEST) or (origin and len(origin) > _LONGEST) or len(forwarded or b"") > _LONGEST:
            refusal: tuple[int, str] | None = (431, f"Host and Origin may have {_LONGEST} bytes.")
        else:
            refusal = self._refusal(host, origin, forwarded)
        if refusal is None and origin is not None:
            refusal = _check_body(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1][:120]})
        else:
            await build_problem(*refusal)(scope, receive, send)

    def _judge(self, host: bytes | None, origin: bytes | None, forwarded: bytes | None) -> tuple[int, str] | None:
        """The status and the message of a refusal, or None where the request is accepted."""
        if not host:
            return 421, "A Host header is needed."
        named = _read_name(host.decode("latin-1"))
        if not self.access.accepts_host(named):
            return 421, f"Host {named[:80]!r} is not served here; --allow-host {named[:80]} accepts it."
        said = (origin or b"").decode("latin-1")
        called = self.access.list_called(host, forwarded)
        if said and not any(self.access.accepts_origin(said, place) for place in called):
            return 403, f"Pages of {said[:80]!r} may not call this server; --allow-origin accepts them."
        return None


def _check_body(scope: Scope) -> tuple[int, str] | None:
    """The refusal of a page's body that is no JSON: a browser sends plain text and forms without asking first."""
    if scope["type"] == "websocket" or scope["method"] in _SAFE:
        return None
    headers = dict(scope["headers"])
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return None
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media.startswith(b"application/") and (media.endswith((b"json", b"+json")) or media == b"application/x-ndjson"):
        return None
    return 415, "Pages send JSON: give the header `Content-Type: application/json`."


def _read_authority(origin: str) -> str:
    """The host and port of an origin. `urlsplit` would raise where brackets hold no address."""
    return re.split(r"[/?#]", origin.partition("://")[2], maxsplit=1)[0]


def _read_port(authority: str) -> str:
    """The port in a Host header or an origin; "" where none is given."""
    return (
        authority.rpartition("@")[2].strip().rpartition("]")[2].rpartition(":")[2]
        if ":" in authority.rpartition("]")[2]
        else ""
    )


def _read_name(host: str) -> str:
    """The name in a Host header or an origin, without port and brackets."""
    host = host.rpartition("@")[2].strip().casefold()
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        return name if bracket and port[:1] in {"", ":"} else host
    return host.partition(":")[0]
