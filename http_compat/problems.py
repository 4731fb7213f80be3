"""Refusals: which error is which status, and the JSON that tells it. A refused request has changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from typing_extensions import TypedDict

from env_core.episode import StaleReferenceError
from env_core.selection import SelectionError
from env_core.service import RequestIdError
from env_core.stores import AppendConflictError, CapacityError, EpisodeExistsError, UnknownEpisodeError
from env_core.transition import EpisodeOverError
from scenarios.catalogue import UnknownScenarioError
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from starlette.requests import Request


class Problem(TypedDict):
    """What was wrong, what is valid, and what to do next."""

    detail: str


class NoEpisodeError(LookupError):
    """A request that names no episode where there is none to be meant."""


class MalformedError(ValueError):
    """A body or query that cannot be read as what it should be."""


STATUSES: dict[type[Exception], int] = {
    NoEpisodeError: 404,
    UnknownEpisodeError: 404,
    UnknownScenarioError: 404,
    AppendConflictError: 409,
    EpisodeExistsError: 409,
    EpisodeOverError: 409,
    RequestIdError: 409,
    SelectionError: 409,
    StaleReferenceError: 409,
    InvalidActionError: 422,
    MalformedError: 422,
    CapacityError: 429,
}
"""The status of every refusal."""

REFUSALS = tuple(STATUSES)


def told(error: Exception, starting: str = "POST /reset") -> str:
    """A refusal in words, with what to do next; `starting` is what starts an episode there."""
    match error:
        case UnknownEpisodeError():
            return f"{error} It was never started, or it was closed or has expired; {starting} starts one."
        case EpisodeOverError():
            return f"{error} Its score is {error.score:.4f}; nothing was changed. {starting} starts another."
        case StaleReferenceError():
            return f"{error} {starting} starts another."
        case _:
            return str(error)


def status_of(error: Exception) -> int:
    """The status that a refusal is answered with."""
    return next(status for kind, status in STATUSES.items() if isinstance(error, kind))


def refused(error: Exception) -> Response:
    """The answer to a request that was refused."""
    return problem(status_of(error), told(error))


class Json(Response):
    """JSON that is bytes already. It builds its two headers itself: this is on the path of every step."""

    def __init__(self, content: bytes) -> None:
        self.body = content
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            (b"content-length", str(len(content)).encode("ascii")),
            (b"content-type", b"application/json"),
        ]

    @classmethod
    def of(cls, value: Any) -> Json:
        """Plain values as JSON; fragments of JSON may be among them."""
        return cls(orjson.dumps(value))


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that tells of a problem."""
    return Response(orjson.dumps({"detail": detail}), status, headers, media_type="application/json")


async def http_problem(_: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such path, wrong method) in the same form."""
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, error.detail, dict(error.headers or {}))


async def failure(_: Request, __: Exception) -> Response:
    """The answer to a fault of ours; what it was is in the log."""
    return problem(500, "The server failed on this request.")


async def gone(_: Request, __: Exception) -> Response:
    """What nobody hears any more: the client left before its request had arrived."""
    return problem(400, "The request did not arrive whole.")
