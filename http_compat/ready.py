"""Whether the server can take work, for load balancers and orchestrators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from env_core.callers import PUBLIC
from http_compat.operations import BoundOperation, Operation, bind_operations
from http_compat.problems import Json
from http_compat.reading import parse_query
from scenarios.errors import CloudIncidentError
from scenarios.given import Given

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from env_core.service import EpisodeService


class NotReadyError(CloudIncidentError):
    """A server that can take no work now. The message says why."""

    code = "not_ready"


class ReadyQuery(Given):
    """What is to be taken."""

    running: bool = Field(
        default=False, description="Ask for steps of running episodes alone, for which a full store has room."
    )


class ReadyAnswer(TypedDict):
    """The server can take work."""

    status: Literal["ready"]


@dataclass(slots=True)
class ReadyApi:
    """Says over REST whether work can be taken. `stopping`: the server is about to end."""

    service: EpisodeService
    stopping: bool = field(default=False, init=False)

    def bind_operations(self) -> list[BoundOperation]:
        """The operations and what answers them."""
        return bind_operations(self, OPERATIONS)

    async def answer_ready(self, request: Request) -> Response:
        query = parse_query("ready", ReadyQuery, request)
        if self.stopping:
            raise NotReadyError("The server is stopping; ask another one.")
        if not await self.service.has_room() and not query.running:
            raise NotReadyError("Every episode is in use, or has just ended; close one, or wait until one has expired.")
        return Json.encode({"status": "ready"})


OPERATIONS = (
    Operation(
        method="GET",
        path="/ready",
        name="ready",
        needs=PUBLIC,
        tag="About",
        summary="Whether the server can take work",
        description="With `running` a full store is no reason to say no: it is full for every server, and running "
        "episodes go on.",
        query=ReadyQuery,
        answer=TypeAdapter(ReadyAnswer),
        refusals=(422, 503),
    ),
)
