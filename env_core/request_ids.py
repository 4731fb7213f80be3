"""The id by which a step that is sent again is known, and where calls of tools carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import StringConstraints

from scenarios.parsing import InvalidActionError, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID_KEY: Final = "cloud-incident/request_id"
"""The key in `_meta` of a `tools/call`. It stands there and not among the arguments, which a model writes: a client
that sends a call again knows that it does, and a model does not."""

REQUEST_ID_LIMIT: Final = 255
"""Longest request id, in characters."""

RequestId = Annotated[str, StringConstraints(max_length=REQUEST_ID_LIMIT)]


def read_request_id(meta: Mapping[str, object] | None) -> str:
    """The request id in `_meta` of a call; "" if there is none.

    Raises:
        InvalidActionError: if it is no text, or too long.
    """
    given = None if meta is None else meta.get(REQUEST_ID_KEY)
    if given is None:
        return ""
    if isinstance(given, str) and len(given) <= REQUEST_ID_LIMIT:
        return given
    raise InvalidActionError(
        f"`_meta` of the call: `{REQUEST_ID_KEY}` must be a text of at most {REQUEST_ID_LIMIT} characters; "
        f"{quote(given)} was given. No step was taken."
    )
