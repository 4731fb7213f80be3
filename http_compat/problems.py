"""Answers that say what was wrong. A refused request has changed nothing."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from typing_extensions import TypedDict

from env_core.calls import note_refusal
from http_compat.headers import SECURITY_HEADERS
from scenarios.errors import RETRY_SECONDS, CloudIncidentError

if TYPE_CHECKING:
    from starlette.requests import Request


_PASSING = frozenset({429, 503})
"""Statuses of refusals that pass."""


class Problem(TypedDict):
    """What was wrong, what is valid, and what to do next."""

    detail: str


class NoEpisodeError(CloudIncidentError):
    """A request that names no episode where none can be meant."""

    code = "no_episode"


class MalformedError(CloudIncidentError):
    """A body, query or message that is not of the form that is expected."""

    code = "malformed"


class NotJsonError(CloudIncidentError):
    """A body or message that is not JSON."""

    code = "not_json"


class Json(Response):
    """An answer of JSON that is bytes already. It builds its headers itself, because it answers every step."""

    def __init__(self, content: bytes) -> None:
        self.body = content
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            (b"content-length", str(len(content)).encode("ascii")),
            (b"content-type", b"application/json"),
        ]

    @classmethod
    def encode(cls, value: Any) -> Json:
        """An answer of plain values; fragments of JSON may be among them."""
        return cls(orjson.dumps(value))


def build_problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An answer of a status that says in `detail` what was wrong, and when to try again if that may help."""
    if status in _PASSING:
        headers = {"Retry-After": str(RETRY_SECONDS), **(headers or {})}
    return Response(orjson.dumps({"detail": detail}), status, headers, media_type="application/json")


def build_refusal(error: CloudIncidentError) -> Response:
    """The answer to a request that was refused."""
    note_refusal(error.code)
    return build_problem(error.kind.status, error.explain("POST /reset"))


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer Starlette's own refusals (no such path, wrong method) in the same form."""
    if not isinstance(error, HTTPException):
        raise error
    return build_problem(error.status_code, _explain_path(request, error), dict(error.headers or {}))


def _explain_path(request: Request, error: HTTPException) -> str:
    """What to say of a refusal: what it says itself, or of Starlette's bare phrases where the paths are listed."""
    if error.detail != HTTPStatus(error.status_code).phrase:
        return error.detail
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return "There is nothing at this path. /docs shows the paths of this server."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "")
            return f"{request.method} is not a method of this path; {allowed} is. /docs shows the paths of this server."
        case _:
            return error.detail


async def answer_failure(_: Request, __: Exception) -> Response:
    """Answer a request on which the server failed; the log has the exception."""
    return build_problem(500, "The server failed on this request.", SECURITY_HEADERS)


async def answer_disconnect(_: Request, __: Exception) -> Response:
    """Answer a request whose client left before it had arrived, so that the log shows no failure."""
    return build_problem(400, "The request did not arrive whole.")
