"""The console as routes: the page, and the modules and libraries that it loads."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
_FOLDERS = ("page", "view", "vendor")
_INLINE = re.compile(r"<script type=\"importmap\">(.*?)</script>", re.DOTALL)


@dataclass(frozen=True)
class Console:
    """The page at `/` and what belongs to it. `framed_by` are other sites that may show it in a frame."""

    framed_by: tuple[str, ...] = ()

    def routes(self) -> list[BaseRoute]:
        """The page at `/`, and what it loads."""
        folders = (Mount(f"/console/{one}", StaticFiles(directory=STATIC / one)) for one in _FOLDERS)
        return [Route("/", self.page), *folders]

    async def page(self, _: Request) -> Response:
        """The page. It changes with a release, so that browsers ask each time."""
        return Response(self._page, media_type="text/html", headers=self._headers)

    @cached_property
    def _page(self) -> str:
        return (STATIC / "page" / "index.html").read_text("utf-8")

    @cached_property
    def _headers(self) -> dict[str, str]:
        scripts = " ".join(f"'sha256-{_digest(text)}'" for text in _INLINE.findall(self._page))
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


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
