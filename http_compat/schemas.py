"""What `/schema` answers: JSON schemas of actions, observations and states, short enough to be shown to a model.

They say what the OpenAPI document says, in about half of the words: no titles, and what is alike stands once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from env_core.observation import OpenState
from http_compat.shapes import CalledObservation, CallTool, IncidentObservation, ListedObservation, ListTools
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from scenarios.vocabulary import ActionDeclaration

_DEFINITIONS = "#/$defs/"


@cache
def build_schemas() -> dict[str, Any]:
    """The schema of each thing. Observations have `reward` and `done`, as clients put them together."""
    first = _shorten(TypeAdapter(IncidentObservation).json_schema())
    return {
        "action": _build_action_schema(),
        "observation": {"anyOf": [first, _describe_called(), _describe_listed()]},
        "reset_observation": first,
        "state": _shorten(TypeAdapter(OpenState).json_schema()),
    }


def _build_action_schema() -> dict[str, Any]:
    """An action in its bare form or in OpenEnv's tool form. What all actions share is said once, around them."""
    called, listed = (_shorten(TypeAdapter(form).json_schema()) for form in (CallTool, ListTools))
    definitions: dict[str, Any] = {}
    bare = {
        "type": "object",
        "properties": {
            "action_type": {"type": "string"},
            "parameters": {},
            "metadata": called["properties"]["metadata"],
        },
        "required": ["action_type", "parameters"],
        "additionalProperties": False,
        "oneOf": [_describe_action(action, definitions) for action in ACTIONS.values()],
    }
    return {"anyOf": [bare, called, listed], "$defs": definitions}


def _describe_action(action: ActionDeclaration, definitions: dict[str, Any]) -> dict[str, Any]:
    """What is an action's own. Parameters that several actions take are put into `definitions`."""
    model = action.parameters
    parameters = _drop(_shorten(model.model_json_schema()), "description")
    parameters["properties"] = {
        name: _name_text(schema, definitions) for name, schema in parameters["properties"].items()
    }
    if sum(other.parameters is model for other in ACTIONS.values()) > 1:
        definitions[model.__name__] = parameters
        parameters = {"$ref": f"{_DEFINITIONS}{model.__name__}"}
    return {
        "description": action.description,
        "properties": {"action_type": {"const": action.name}, "parameters": parameters},
    }


def _name_text(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema with what its text must look like put into `definitions`, since most texts must look alike."""
    if "pattern" not in schema:
        return schema
    form = {key: schema[key] for key in ("type", "minLength", "pattern") if key in schema}
    name = next((name for name, known in definitions.items() if known == form), f"Text{len(definitions)}")
    definitions[name] = form
    return {"$ref": f"{_DEFINITIONS}{name}", **{key: value for key, value in schema.items() if key not in form}}


def _describe_called() -> dict[str, Any]:
    """The answer to `call_tool`, whose result is the one of MCP: the OpenAPI document describes it in full."""
    schema = _shorten(TypeAdapter(CalledObservation).json_schema())
    result = {"type": ["object", "null"], "description": "As MCP has it; `data` has the text and the numbers."}
    error = _inline(schema["properties"]["error"], schema["$defs"])
    return {**_drop(schema, "$defs"), "properties": {**schema["properties"], "result": result, "error": error}}


def _describe_listed() -> dict[str, Any]:
    schema = _shorten(TypeAdapter(ListedObservation).json_schema())
    inlined: dict[str, Any] = _inline(_drop(schema, "$defs"), schema["$defs"])
    return inlined


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inline(definitions[node["$ref"].removeprefix(_DEFINITIONS)], definitions)
    return {key: _inline(value, definitions) for key, value in node.items()}


def _shorten(node: Any, *, named: bool = False) -> Any:
    """A schema without titles, and without what is so in any case. `named`: the keys of `node` are names."""
    if isinstance(node, list):
        return [_shorten(item) for item in node]
    if not isinstance(node, dict):
        return node
    if named:
        return {name: _shorten(value) for name, value in node.items()}
    kept = {
        key: value for key, value in node.items() if key != "title" and (key, value) != ("additionalProperties", True)
    }
    return {key: _shorten(value, named=key in {"properties", "$defs"}) for key, value in kept.items()}


def _drop(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}
