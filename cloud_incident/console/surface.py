"""The routes of the console's page, and of the modules and libraries that it loads."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, request_response
from starlette.staticfiles import StaticFiles

from env_core.callers import PUBLIC
from http_compat.gate import Gate

if TYPE_CHECKING:
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
_FOLDERS = ("page", "view", "vendor")
_INLINE = re.compile(r"<script type=\"importmap\">(.*?)</script>", re.DOTALL)


@dataclass(frozen=True)
class ConsolePage:
    """The page at `/` and what it loads. `framed_by` are other sites that may show it in a frame.

    With `signs_in` there is a page at `/login` that exchanges a token for a cookie. Nobody may show that in a frame.
    """

    framed_by: tuple[str, ...] = ()
    signs_in: bool = False

    def build_routes(self) -> list[BaseRoute]:
        """The routes of the page and of what it loads."""
        folders = (
            Mount(f"/console/{folder}", Gate(PUBLIC, StaticFiles(directory=STATIC / folder))) for folder in _FOLDERS
        )
        pages = [Route("/", Gate(PUBLIC, request_response(self.answer_page)))]
        if self.signs_in:
            pages.append(Route("/login", Gate(PUBLIC, request_response(self.answer_login))))
        return [*pages, *folders]

    async def answer_page(self, _: Request) -> Response:
        """Give the page. It changes with a release, so that browsers have to ask each time."""
        return Response(self._page, media_type="text/html", headers=self._headers)

    async def answer_login(self, _: Request) -> Response:
        """Give the page on which people sign in."""
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
        closed = f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        headers = {**self._headers, "Content-Security-Policy": closed}
        return Response((STATIC / "page" / "login.html").read_text("utf-8"), media_type="text/html", headers=headers)

    @cached_property
    def _page(self) -> str:
        return (STATIC / "page" / "index.html").read_text("utf-8")

    @cached_property
    def _headers(self) -> dict[str, str]:
        scripts = " ".join(f"'sha256-{_digest_script(text)}'" for text in _INLINE.findall(self._page))
        ancestors = " ".join(["'self'", *self.framed_by])
        policy = [
            "default-src 'self'",
            f"script-src 'self' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
        ]
        return {
            "Content-Security-Policy": "; ".join(policy),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }


def _digest_script(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
