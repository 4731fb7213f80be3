"""JSON schemas free of noise for those who read them as text: no titles, references, patterns or `anyOf` with null."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel


def build_arguments_schema(*models: type[BaseModel]) -> dict[str, Any]:
    """One flat object schema for the fields of several models, in their order. Unknown arguments are not allowed."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for model in models:
        schema = _strip_schema(_describe(model))
        properties |= schema.get("properties", {})
        required += schema.get("required", [])
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


@cache
def _describe(model: type[BaseModel]) -> dict[str, Any]:
    """What pydantic says of a model, made once: it takes a millisecond. Nobody may change it; `_simplify` copies it."""
    return model.model_json_schema()


def _strip_schema(schema: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = _simplify(schema, schema.get("$defs", {}))
    plain.pop("$defs", None)
    return plain


def _simplify(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_simplify(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _simplify(definitions[node["$ref"].rpartition("/")[2]], definitions)
    node = {
        key: {name: _simplify(item, definitions) for name, item in value.items()}
        if key == "properties"
        else _simplify(value, definitions)
        for key, value in node.items()
        if key not in {"title", "pattern", "$defs"}
    }
    return _without_null(node)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """`anyOf [T, null]` as an optional `T`, without its default of null."""
    options = node.get("anyOf")
    if not options or {"type": "null"} not in options or len(options) != 2:
        return node
    (kept,) = (option for option in options if option != {"type": "null"})
    return {**kept, **{key: value for key, value in node.items() if key not in {"anyOf", "default"}}}
