"""The REST operations: each declared once, and the routes and the OpenAPI document derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from http_compat.problems import REFUSALS, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel, TypeAdapter
    from starlette.requests import Request
    from starlette.responses import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path. What it takes, what it gives, and with which statuses it refuses."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str = ""
    answer: TypeAdapter[Any]
    query: type[BaseModel] | None = None
    body: TypeAdapter[Any] | None = None
    body_required: bool = False
    refusals: tuple[int, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)
    starts: tuple[str, ...] = ()
    documented: bool = True


@dataclass(frozen=True, slots=True)
class Served:
    """An operation and what answers it."""

    operation: Operation
    handler: Callable[[Request], Awaitable[Response]]

    def route(self) -> Route:
        handler = self.handler

        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request)
            except REFUSALS as error:
                return refused(error)

        return Route(self.operation.path, endpoint, methods=[self.operation.method], name=self.operation.name)
