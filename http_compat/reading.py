"""Reading requests: bounded bodies, JSON, query strings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from http_compat.jsontext import parse_json
from http_compat.problems import MalformedError
from scenarios.given import Given, read_object
from scenarios.parsing import explain_errors

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BODY_BYTES = 1 << 20
"""Bytes of a request at most: a summary of 4,000 characters is the largest thing that an agent sends."""

BODY_SECONDS = 30.0
"""Seconds that a client may take to send its body."""

_MOST_ARRIVING_BYTES = 1 << 28


class Bodies:
    """What is told and known of the bodies of requests: a body has `most` bytes and `seconds` to arrive.

    All that are arriving in pieces have `most_arriving` bytes together; further ones are refused.
    """

    __slots__ = ("_awaited", "_loop", "arriving", "most", "most_arriving", "seconds")

    def __init__(
        self,
        most: int = MOST_BODY_BYTES,
        seconds: float = BODY_SECONDS,
        most_arriving: int = _MOST_ARRIVING_BYTES,
    ) -> None:
        self.most = most
        self.seconds = seconds
        self.most_arriving = most_arriving
        self.arriving = 0
        self._awaited: dict[_Deadline, None] = {}  # the one that began first stands first
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop that has the timer of the first deadline; None without a timer."""

    def begin(self) -> _Deadline:
        """Give the task that calls a deadline. One timer does for all; one for each would cost more than the rest."""
        loop = asyncio.get_running_loop()
        deadline = _Deadline(asyncio.current_task(loop), loop.time() + self.seconds)
        self._awaited[deadline] = None
        if self._loop is not loop:
            self._loop = loop
            loop.call_at(deadline.at, self._expire, loop)
        return deadline

    def end(self, deadline: _Deadline) -> None:
        """Forget a deadline."""
        self._awaited.pop(deadline, None)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for deadline in list(self._awaited):
            if deadline.at > now:
                loop.call_at(deadline.at, self._expire, loop)
                return
            del self._awaited[deadline]
            deadline.pass_by()
        self._loop = None


class _Deadline:
    """When the body that a task reads has to be there, in seconds of the loop's clock."""

    __slots__ = ("at", "passed", "task")

    def __init__(self, task: asyncio.Task[Any] | None, at: float) -> None:
        if task is None:
            raise RuntimeError("a body is read by a task")
        self.task = task
        self.at = at
        self.passed = False

    def pass_by(self) -> None:
        self.passed = True
        self.task.cancel()


_BODIES = Bodies()
"""Those of an application that has no others."""

Model = TypeVar("Model", bound=Given)


async def read_body(request: Request, most: int | None = None) -> bytes:
    """The body of a request, of `most` bytes at most; of as many as the application has in `state.bodies` if None.

    Raises:
        HTTPException: 413 if it is too large, 408 if it takes too long, 503 if too much is arriving.
    """
    bodies: Bodies = getattr(request.scope["app"].state, "bodies", _BODIES)
    most = bodies.most if most is None else most
    arrived = bytearray()
    deadline = bodies.begin()
    try:
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece: bytes = message.get("body", b"")
            if len(arrived) + len(piece) > most:
                raise HTTPException(413, f"A body may have {most} bytes.")
            if not message.get("more_body", False):
                return bytes(arrived + piece) if arrived else piece
            arrived += piece
            bodies.arriving += len(piece)
            if bodies.arriving > bodies.most_arriving:
                raise HTTPException(503, "Too many large bodies are arriving; try again.")
    except asyncio.CancelledError:
        if not deadline.passed:
            raise
        deadline.task.uncancel()
        raise HTTPException(408, f"The body did not arrive within {bodies.seconds:g} seconds.") from None
    finally:
        bodies.arriving -= len(arrived)
        bodies.end(deadline)


async def read_json(request: Request) -> Any:
    """The body of a request as JSON; an empty one counts as an empty object.

    Raises:
        NotJsonError: if it is not JSON.
        HTTPException: as `read_body` does.
    """
    body = await read_body(request)
    return parse_json(body) if body else {}


def parse_model(what: str, model: type[Model], given: object) -> Model:
    """JSON values validated against a model; null counts as an empty object. `what` names them in messages.

    Raises:
        MalformedError: if they do not fit; it says where, and what would fit.
    """
    given = {} if given is None else read_object(given)
    if not isinstance(given, dict):
        raise MalformedError(f"{what}: a JSON object is expected.")
    try:
        return model.read(given)
    except ValidationError as error:
        raise MalformedError(f"{what}: {explain_errors(what, model, error)}") from error


def parse_query(what: str, model: type[Model], request: Request) -> Model:
    """The query string validated against a model; a parameter without a value counts as not given.

    Raises:
        MalformedError: if it does not fit; it says where, and what would fit.
    """
    return parse_model(what, model, {name: text for name, text in request.query_params.items() if text})
