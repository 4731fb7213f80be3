"""Reading requests: bounded bodies, JSON, query strings."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from http_compat.problems import MalformedError
from scenarios.parsing import explained

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BODY_BYTES = 1 << 20
"""Requests are small: a summary of 4,000 characters is the largest thing an agent sends."""

BODY_SECONDS = 30.0
"""How long a client may take to send its body."""

_LONGEST_NUMBER = 20

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request) -> bytes:
    """The body of a request.

    Raises:
        HTTPException: 413 if it is too large, 408 if it takes too long.
    """
    parts: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MOST_BODY_BYTES:
                    raise HTTPException(413, f"A body may have {MOST_BODY_BYTES} bytes.")
                parts.append(part)
    except TimeoutError as error:
        raise HTTPException(408, f"The body did not arrive within {BODY_SECONDS:.0f} seconds.") from error
    return b"".join(parts)


def parse_json(text: bytes | str) -> Any:
    """JSON as Python values.

    Raises:
        MalformedError: if it is not JSON.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedError(f"The body is not JSON: {error}.") from error


async def read_json(request: Request) -> Any:
    """The body of a request as JSON; an empty one counts as an empty object.

    Raises:
        MalformedError: if it is not JSON.
        HTTPException: as `read_body`.
    """
    body = await read_body(request)
    return parse_json(body) if body else {}


def parse_model(what: str, model: type[Model], given: object) -> Model:
    """JSON values validated against a model.

    Raises:
        MalformedError: if they do not fit; it says where and what does.
    """
    if not isinstance(given, dict):
        raise MalformedError(f"{what}: a JSON object is expected.")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise MalformedError(f"{what}: {explained(what, model, error)}") from error


def parse_query(what: str, model: type[Model], request: Request) -> Model:
    """The query string validated against a model; a parameter without a value counts as not given.

    Raises:
        MalformedError: if it does not fit; it says where and what does.
    """
    kinds = _kinds(model)
    return parse_model(
        what, model, {name: _value(text, kinds.get(name)) for name, text in request.query_params.items() if text}
    )


@lru_cache
def _kinds(model: type[BaseModel]) -> dict[str, str]:
    """The JSON type of each field of a model."""
    properties = model.model_json_schema()["properties"]
    return {name: next(iter(schema.get("anyOf", [schema]))).get("type") for name, schema in properties.items()}


def _value(text: str, kind: str | None) -> Any:
    """The value that a text in a query string stands for; what stands for none is left as it is, to be refused."""
    if kind == "integer" and len(text) <= _LONGEST_NUMBER and text.removeprefix("-").isdecimal():
        return int(text)
    return {"true": True, "false": False}.get(text.casefold(), text) if kind == "boolean" else text
