"""What each route needs of its caller: declared with the route, checked before it, refused in one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from env_core.callers import ANYBODY, SCOPE_KEY, CallerError, Need, ScopeError, check_need
from http_compat.problems import build_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

FORWARDED_HOST = "forwarded_host"
"""The key of a request's scope under which is, as bytes, what a trusted proxy says that the Host was."""

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
"""Where RFC 9728 has the metadata of protected resources."""


class Gate:
    """Lets callers through to a route that have what it `needs`."""

    def __init__(self, needs: Need, app: ASGIApp) -> None:
        self.needs = needs
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_need(self.needs, scope.get(SCOPE_KEY, ANYBODY))
        except CallerError as error:
            await build_challenge(error, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def build_challenge(error: CallerError, scope: Scope) -> Response:
    """The answer to a request whose caller lacks what is needed. It says how to get a token (RFC 6750 and 9728)."""
    needed = f', scope="{error.needed}"' if isinstance(error, ScopeError) else ""
    challenge = (
        f'Bearer error="{error.challenge}", error_description="{error.summary}"{needed}, '
        f'resource_metadata="{read_origin(scope)}{WELL_KNOWN}{quote(scope["path"])}"'  # a header holds no others
    )
    return build_problem(error.kind.status, str(error), {"WWW-Authenticate": challenge})


def read_origin(scope: Scope) -> str:
    """The scheme, host and port by which a request reached the server, such as `https://incidents.example`."""
    secure = scope.get("scheme") in {"https", "wss"}
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    host: bytes = scope.get(FORWARDED_HOST) or (hosts[-1] if hosts else b"localhost")
    return f"http{'s' if secure else ''}://{quote(host, safe=':[]')}"


def list_needs(routes: Iterable[BaseRoute]) -> list[tuple[str, Need]]:
    """The path of each route and what it needs.

    Raises:
        TypeError: if one declares nothing.
    """
    needs = []
    for route in routes:
        app: Any = getattr(route, "app", None)
        path: str = getattr(route, "path", "")
        declared = getattr(app, "needs", None)
        if declared is None:
            raise TypeError(f"the route {path} does not declare what it needs of its caller; put it behind a Gate")
        needs.append((path, declared))
    return needs
