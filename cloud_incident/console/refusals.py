"""What the console refuses, and with which status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from env_core.episode import StaleReferenceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response


class UnknownAgentError(LookupError):
    """An agent that is not there, or not to be had in this way."""


class EndpointsClosedError(RuntimeError):
    """A model asked for where visitors may not name any."""


class EndpointMismatchError(ValueError):
    """A model given to an agent that asks none, or none to one that does."""


class UnknownRunError(LookupError):
    """A run that was never started, or has been forgotten."""


class RunsFullError(RuntimeError):
    """As many runs are being played as may be."""


class UnknownStoredError(LookupError):
    """A stored evaluation or trajectory that is not there."""


class UnreadableError(ValueError):
    """A file or an upload that does not hold trajectories. The message says where."""


class UnreplayableError(ValueError):
    """A trajectory of another release or another incident than there is here, or one that cannot have been played."""


STATUSES: dict[type[Exception], int] = {
    EndpointsClosedError: 403,
    UnknownAgentError: 404,
    UnknownRunError: 404,
    UnknownStoredError: 404,
    EndpointMismatchError: 409,
    StaleReferenceError: 409,
    UnreplayableError: 409,
    UnreadableError: 422,
    RunsFullError: 429,
}
"""The status of every refusal."""


def refusing(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """A handler whose refusals become answers."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except tuple(STATUSES) as error:
            status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
            raise HTTPException(status, str(error)) from error

    return answered
