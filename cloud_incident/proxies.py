"""Behind proxies: which of their headers count, under which path prefix the server stands, and what a path means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from starlette.responses import RedirectResponse
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from cloud_incident.settings.server import read_prefix
from http_compat.gate import FORWARDED_HOST

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send


class BehindProxies:
    """Takes from proxies that are trusted what they say of a request, and finds out which path is meant.

    `trusted` are the addresses and networks of proxies, separated by commas; `*` means every address. Their
    X-Forwarded-Prefix goes before `root_path`. A proxy may take the prefix off the path or leave it on; where the
    prefix is called like one of the server's `own_names`, it has to take it off. A slash at the end of a path means
    nothing: the path is served without it, but browsers are redirected, because pages have relative links.
    """

    def __init__(self, app: ASGIApp, trusted: str, root_path: str = "", own_names: Collection[str] = ()) -> None:
        self._app = app
        self._proxies: Any = ProxyHeadersMiddleware(cast("Any", app), trusted)
        self._root_path = root_path
        self._own_names = frozenset(own_names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        forwarded = self._read_forwarded(scope)
        prefix = _read_prefixes(forwarded) or self._root_path if forwarded else self._root_path
        if prefix:
            self._put_under(scope, prefix)
        if forwarded and (host := _find(forwarded, b"x-forwarded-host")):
            scope[FORWARDED_HOST] = host[-1]
        if scope["path"][-1:] == "/" and (shorter := _drop_slash(scope)):
            if _is_for_browsers(scope) and not shorter.startswith("//"):  # a browser takes that for another host
                await RedirectResponse(shorter)(scope, receive, send)
                return
            scope["path"] = shorter
        await (self._proxies if forwarded else self._app)(scope, receive, send)

    def _read_forwarded(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The headers with which a proxy that is trusted forwarded a request. Every request comes by here."""
        forwarded = [header for header in scope["headers"] if header[0].startswith(b"x-forwarded-")]
        client = scope.get("client")
        trusted = forwarded and client is not None and client[0] in self._proxies.trusted_hosts
        return forwarded if trusted else []

    def _put_under(self, scope: Scope, prefix: str) -> None:
        """Give a request its prefix, as ASGI has it: the path has the prefix too."""
        path = scope["path"]
        left_on = path.startswith(f"{prefix}/") and prefix.split("/")[1] not in self._own_names
        scope["root_path"] = prefix
        scope["path"] = path if left_on else f"{prefix}{path}"


def _find(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _read_prefixes(forwarded: list[tuple[bytes, bytes]]) -> str:
    """The prefix that several proxies make together, the outermost first; "" where one of them says nonsense."""
    values = _find(forwarded, b"x-forwarded-prefix")
    try:
        return "".join(read_prefix(part) for value in values for part in value.decode("latin-1").split(","))
    except ValueError:
        return ""


def _drop_slash(scope: Scope) -> str:
    """The path without slashes at its end; "" where nothing else would be left of it."""
    shorter: str = scope["path"].rstrip("/")
    return "" if shorter == scope.get("root_path", "") else shorter


def _is_for_browsers(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] in {"GET", "HEAD"}
        and any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
    )
