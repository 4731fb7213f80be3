"""The OpenAPI document, from the operations and the models that they name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from env_core.callers import PUBLIC, SCOPES
from http_compat.operations import HANDLE_HEADER
from http_compat.shapes import PROBLEM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from http_compat.operations import Operation

API_VERSION = "1.0.0"
"""The version of OpenEnv's HTTP contract that the API keeps; the server's own is in `/health` and `/metadata`."""

_ENV_NAME = "env_name"
"""The part of OpenEnv's paths that is the environment's own name."""

_HANDLE = "episode_id"
"""The parameter that names an episode, which the header HANDLE_HEADER may name as well."""

_CONVERTER = re.compile(r":\w+}")
"""What a route says of a part of its path beyond its name."""

_REF = "#/components/schemas/{model}"
_BEARER = "bearer"
_REFUSALS = {
    401: "A valid token is needed; `WWW-Authenticate` says how it is sent.",
    403: "A page of a foreign origin may not call.",
    404: "There is no such thing; `detail` says what there is.",
    408: "The body took too long.",
    409: "The episode is over, in use or contested, or options contradict each other.",
    413: "The body is too large.",
    421: "The Host header names another server.",
    422: "The request is malformed; `detail` says what is valid.",
    501: "This server does not serve that; `detail` says which packages or which server do.",
    503: "There is no room, too much to do, or the server is not ready; `Retry-After` says when to try again.",
}

_SCHEMES = {
    "securitySchemes": {
        _BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": f"A token that the server's operator hands out, of scope {', '.join(SCOPES)}; "
            "each scope includes those before it.",
        }
    }
}


def build_openapi(
    title: str, env_name: str, description: str, operations: Sequence[Operation], *, secured: bool = False
) -> dict[str, Any]:
    """The OpenAPI document of some operations. `env_name` is the name in OpenEnv's paths.

    `secured`: the server asks for tokens. Operations that need a scope say so then.
    """
    shapes: list[tuple[int, Any, TypeAdapter[Any]]] = []
    for index, operation in enumerate(operations):
        shapes.append((index, "serialization", operation.answer))
        if operation.body is not None:
            shapes.append((index, "validation", operation.body))
    schemas, definitions = TypeAdapter.json_schemas([*shapes, (-1, "serialization", PROBLEM)], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for index, operation in enumerate(operations):
        described = _describe(operation, index, schemas, env_name)
        if secured and operation.needs != PUBLIC:
            described = _describe_need(described, operation, schemas[-1, "serialization"])
        paths.setdefault(_CONVERTER.sub("}", operation.path), {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": API_VERSION, "description": description},
        "paths": paths,
        "components": {"schemas": definitions["$defs"], **(_SCHEMES if secured else {})},
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
    }


def _describe(operation: Operation, index: int, schemas: Any, env_name: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": {
            "200": {
                "description": "Done.",
                "content": {operation.media: {"schema": schemas[index, "serialization"]}},
                **({"links": _build_links(operation)} if operation.starts else {}),
            },
            **{
                str(status): _describe_refusal(_REFUSALS[status], schemas[-1, "serialization"])
                for status in sorted({*operation.refusals, 403, 421})
            },
        },
    }
    if operation.description:
        described["description"] = operation.description
    if parameters := _list_parameters(operation, env_name):
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {
                "application/json": {
                    "schema": schemas[index, "validation"],
                    "examples": {name: {"value": value} for name, value in operation.examples.items()},
                }
            },
        }
    return described


def _describe_refusal(meaning: str, schema: Any) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _describe_need(described: dict[str, Any], operation: Operation, schema: Any) -> dict[str, Any]:
    """An operation with the scope that it needs of a token, and how it refuses others."""
    refusals = {
        "401": _describe_refusal(_REFUSALS[401], schema),
        "403": _describe_refusal(f"The token has not the scope `{operation.needs}`. {_REFUSALS[403]}", schema),
    }
    responses = dict(sorted({**described["responses"], **refusals}.items()))
    return {**described, "security": [{_BEARER: [operation.needs]}], "responses": responses}


def _build_links(operation: Operation) -> dict[str, Any]:
    """What can be done next with the episode that an operation starts."""
    handle = {"episode_id": "$response.body#/observation/episode_id"}
    return {name: {"operationId": name, "parameters": handle} for name in operation.starts}


def _list_parameters(operation: Operation, env_name: str) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **({"enum": [env_name]} if name == _ENV_NAME else {})},
        }
        for name in re.findall(r"{(\w+)", operation.path)
    ]
    if operation.query is None:
        return in_path
    in_query = [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description", ""),
            "schema": _drop_null(schema),
        }
        for name, schema in operation.query.model_json_schema()["properties"].items()
    ]
    in_header = [
        {**parameter, "name": HANDLE_HEADER, "in": "header", "description": "Handle of the episode."}
        for parameter in in_query
        if parameter["name"] == _HANDLE
    ]
    return [*in_path, *in_query, *in_header]


def _drop_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query string has no null: an optional value is one that may be left out."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else {key: value for key, value in schema.items() if key != "title"}
