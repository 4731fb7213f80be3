"""The REST operations: each declared once, and the routes and the OpenAPI document derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from http_compat.problems import REFUSALS, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel, TypeAdapter
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send


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
    media: str = "application/json"
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
        operation = self.operation
        return Route(operation.path, _Endpoint(self.handler), methods=[operation.method], name=operation.name)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Answers requests, refusals included."""

    handler: Callable[[Request], Awaitable[Response]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self.handler(Request(scope, receive))
        except REFUSALS as error:
            response = refused(error)
        await response(scope, receive, send)
