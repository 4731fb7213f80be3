"""What the environment says of itself: health, metadata, schemas, the OpenAPI document and the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from starlette.responses import FileResponse

from env_core.callers import PUBLIC
from http_compat import shapes
from http_compat.jsontext import to_json
from http_compat.openapi import build_openapi
from http_compat.operations import BoundOperation, Operation, bind_operations, read_root
from http_compat.problems import Json
from http_compat.schemas import build_schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

STATIC = Path(__file__).parent / "static"

_ABOUT = "About"
LINKS = {
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "schemas": "/schema",
    "tasks": "/tasks",
    "websocket": "/ws",
    "mcp": "/mcp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the environment is called, and what else is known of it. `name` is the name in OpenEnv's paths."""

    name: str
    title: str
    description: str
    version: str
    author: str


@dataclass(frozen=True)
class AboutApi:
    """The environment's own description over REST.

    `operations` are those of other parts, to be documented beside its own. `framed_by` are other sites that may show
    the page in a frame. `secured`: the server asks for tokens.
    """

    about: About
    operations: Sequence[Operation]
    framed_by: Sequence[str] = ()
    secured: bool = False

    def bind_operations(self) -> list[BoundOperation]:
        """The operations and what answers them."""
        return bind_operations(self, OPERATIONS)

    async def answer_health(self, _: Request) -> Response:
        return Json(self._health)

    async def answer_metadata(self, request: Request) -> Response:
        about = self.about
        links = {name: f"{read_root(request)}{path}" for name, path in LINKS.items()}
        return Json(
            to_json(
                {
                    "name": about.name,
                    "description": about.description,
                    "version": about.version,
                    "author": about.author,
                    "documentation_url": links["documentation"],
                    "links": links,
                }
            )
        )

    async def answer_schema(self, _: Request) -> Response:
        return Json(self._schemas)

    async def answer_openapi(self, request: Request) -> Response:
        root = read_root(request)
        servers = {"servers": [{"url": root}]} if root else {}
        return Json(to_json({**self._openapi, **servers}))

    async def answer_docs(self, _: Request) -> Response:
        return FileResponse(STATIC / "docs.html", headers=self._page_headers)

    @cached_property
    def _page_headers(self) -> dict[str, str]:
        policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
        ancestors = " ".join(["'self'", *self.framed_by])
        return {
            "Content-Security-Policy": f"{policy}; frame-ancestors {ancestors}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }

    @cached_property
    def _health(self) -> bytes:
        return to_json({"status": "healthy", "version": self.about.version})

    @cached_property
    def _schemas(self) -> bytes:
        return to_json(build_schemas())

    @cached_property
    def _openapi(self) -> dict[str, Any]:
        documented = [*self.operations, *(operation for operation in OPERATIONS if operation.documented)]
        about = self.about
        return build_openapi(about.title, about.name, about.description, documented, secured=self.secured)


_ANYTHING: TypeAdapter[Any] = TypeAdapter(dict[str, Any])

OPERATIONS = (
    Operation(
        method="GET",
        path="/health",
        name="health",
        needs=PUBLIC,
        tag=_ABOUT,
        summary="Whether the server is well",
        answer=TypeAdapter(shapes.HealthAnswer),
    ),
    Operation(
        method="GET",
        path="/metadata",
        name="metadata",
        needs=PUBLIC,
        tag=_ABOUT,
        summary="What this environment is",
        answer=TypeAdapter(shapes.MetadataAnswer),
    ),
    Operation(
        method="GET",
        path="/schema",
        name="schema",
        needs=PUBLIC,
        tag=_ABOUT,
        summary="JSON schemas of actions, observations and state",
        answer=TypeAdapter(shapes.SchemaAnswer),
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        name="openapi",
        needs=PUBLIC,
        tag=_ABOUT,
        summary="This document",
        answer=_ANYTHING,
    ),
    Operation(
        method="GET",
        path="/docs",
        name="docs",
        needs=PUBLIC,
        tag=_ABOUT,
        summary="This document as a page",
        answer=_ANYTHING,
        documented=False,
    ),
)
