"""The REST operations: each declared once, and the routes and the OpenAPI document derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from env_core.callers import ANYBODY, SCOPE_KEY, CallerError, Need, check_need
from http_compat.gate import build_challenge
from http_compat.problems import build_refusal
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from pydantic import BaseModel, TypeAdapter
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

HANDLE_HEADER = "X-Episode-Id"
"""The header by which requests may name their episode."""


def read_root(request: Request) -> str:
    """The path prefix under which the server stands for whoever sent a request; "" if there is none."""
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path: what it needs of its caller, what it takes and gives, with which statuses it refuses.

    `name` is the operation's id in the OpenAPI document. `starts` names the operations on the episode that it starts.
    """

    method: str
    path: str
    name: str
    needs: Need
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
class BoundOperation:
    """An operation and what answers it: an ASGI application that answers refusals as well."""

    operation: Operation
    handler: Callable[[Request], Awaitable[Response]]

    @property
    def needs(self) -> Need:
        """What the operation needs of its caller."""
        return self.operation.needs

    def build_route(self) -> Route:
        """The route of the operation."""
        operation = self.operation
        return Route(operation.path, self, methods=[operation.method], name=operation.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_need(self.operation.needs, scope.get(SCOPE_KEY, ANYBODY))
            response = await self.handler(Request(scope, receive))
        except CallerError as error:
            response = build_challenge(error, scope)
        except CloudIncidentError as error:
            response = build_refusal(error)
        await response(scope, receive, send)


def bind_operations(api: object, operations: Iterable[Operation]) -> list[BoundOperation]:
    """Operations with what answers them: the method `answer_…` of `api` that is called after the operation."""
    return [BoundOperation(operation, getattr(api, f"answer_{operation.name}")) for operation in operations]
