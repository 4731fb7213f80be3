"""Parsing actions and arguments: what is refused before it becomes a step, and how a refusal is worded."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from scenarios.errors import CloudIncidentError
from scenarios.given import Given, read_object
from scenarios.suggesting import suggest
from scenarios.vocabulary import ACTIONS, Action

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MOST_PROBLEMS = 5
_LONGEST_QUOTE = 80
_LONGEST_GIVEN = 20
"""Characters of a text that is repeated in a message beside what it should be."""
_LONGEST_NUMBER = 70
"""Bits of a number that is."""
WRAPPING = "arguments"
"""What surfaces wrap into an object that is none, so that it is refused, or read, where arguments are parsed."""
_WRAPPINGS = frozenset({WRAPPING, "parameters"})
"""What callers put arguments into once too often."""

Model = TypeVar("Model", bound=Given)
Models = tuple[type[Given], ...]


class InvalidActionError(CloudIncidentError):
    """An action or arguments refused before anything happened."""

    code = "invalid_action"


class ListingError(InvalidActionError):
    """The answer to who asked for the list of a parameter's values. Nothing was wrong, and nothing happened."""


def parse_action(action_type: object, parameters: object, takes: Models = ()) -> Action:
    """Parse and normalise one action. `takes`: what the caller may send in all, where it is more than the parameters.

    Raises:
        InvalidActionError: if the action is unknown or a parameter is missing, blank, too long, of the wrong type
            or not declared.
    """
    declaration = ACTIONS.get(action_type) if isinstance(action_type, str) else None
    if declaration is None:
        closest = f" {suggest(action_type, ACTIONS)}".rstrip() if isinstance(action_type, str) else ""
        raise InvalidActionError(
            f"Unknown action_type {quote(action_type)}.{closest} Valid actions: {', '.join(ACTIONS)}."
        )
    return Action(declaration, parse_arguments(declaration.name, declaration.parameters, parameters, takes))


def parse_arguments(name: str, model: type[Model], arguments: object, takes: Models = ()) -> Model:
    """Arguments validated against the model of what `name` takes; `takes` are all of its models, where it has more.

    Raises:
        InvalidActionError: if they do not fit.
    """
    takes = takes or (model,)
    try:
        return model.read(open_arguments(name, arguments, takes))
    except ValidationError as error:
        raise InvalidActionError(f"{name}: {explain_errors(name, model, error, takes)}") from error


def open_arguments(name: str, arguments: object, takes: Models) -> dict[str, Any]:
    """Arguments as an object; the JSON text of one is read, and one that is nested once too often is taken out.

    `takes` are the models of everything that `name` takes.

    Raises:
        InvalidActionError: if they are not an object.
    """
    if isinstance(arguments, dict) and _WRAPPINGS.isdisjoint(arguments):
        return arguments
    opened = read_object(arguments)
    if isinstance(opened, dict) and len(opened) == 1:
        (wrapping,) = opened
        if wrapping in _WRAPPINGS and not any(wrapping in model.model_fields for model in takes):
            opened = read_object(opened[wrapping])
    if isinstance(opened, dict):
        return opened
    raise InvalidActionError(
        f"{name}: the parameters must be a JSON object, and {_name_kind(opened)} was given; {_say_undone(takes)}. "
        f"Send {build_example(takes)}. Parameters: {_list_parameters(takes)}."
    )


def quote(value: object) -> str:
    """A caller's value, made short and printable for a message."""
    text = repr(value) if isinstance(value, str | int | float | None) else f"of type {type(value).__name__}"
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def explain_errors(name: str, model: type[Given], error: ValidationError, takes: Models = ()) -> str:
    """What was wrong with the arguments of `name`, what was not done, and all that it takes."""
    takes = takes or (model,)
    items = error.errors(include_url=False)[:_MOST_PROBLEMS]
    problems = "; ".join(_explain_problem(name, model, item) for item in items)
    known = [field for taken in takes for field in taken.model_fields]
    closest = [suggest(str(item["loc"][-1]), known) for item in items if item["type"] == "extra_forbidden"]
    return " ".join(
        [
            f"{problems}; {_say_undone(takes)}.",
            *filter(None, closest),
            f"Parameters: {_list_parameters(takes)}.",
        ]
    )


def _explain_problem(name: str, model: type[Given], item: ErrorDetails) -> str:
    where = ".".join(str(part) for part in item["loc"]).encode("unicode_escape").decode()[:_LONGEST_QUOTE]
    kind, given = item["type"], item["input"]
    if kind == "missing":
        return f"`{where}` is required"
    if kind == "extra_forbidden":
        return f"`{where}` is not a parameter of {name}"
    told = f"; {quote(given)} was given" if kind in _REPEATED and _is_short(given) else ""
    return f"`{where}` must {_say_wanted(model, item)}{told}"


def _say_wanted(model: type[Given], item: ErrorDetails) -> str:
    """What a value must be or do; `must` stands before it."""
    kind = item["type"]
    if kind in _WANTED:
        return _WANTED[kind].format(**item.get("ctx", {}))
    if kind in {"greater_than_equal", "less_than_equal"}:
        return _say_range(model, item)
    return item["msg"].removeprefix("Value error, ").removeprefix("must ")


_WANTED = {
    "bool_type": "be true or false",
    "int_type": "be a whole number",
    "int_from_float": "be a whole number",
    "float_type": "be a number",
    "finite_number": "be a finite number",
    "greater_than": "be more than {gt}",
    "string_type": "be text",
    "string_unicode": "be text in Unicode",
    "string_too_short": "not be empty",
    "string_too_long": "have at most {max_length} characters",
    "dict_type": "be a JSON object",
    "model_type": "be a JSON object",
    "list_type": "be a list",
    "literal_error": "be {expected}",
}
"""What a value must be or do, by pydantic's type of error. What is not here is said in pydantic's words."""

_REPEATED = {"greater_than_equal", "less_than_equal", "greater_than", "literal_error", "int_from_float"} | {
    f"{kind}_type" for kind in ("int", "float")
}
"""The types of errors whose message repeats what was given. A text may be a secret."""


def _say_range(model: type[Given], item: ErrorDetails) -> str:
    """The numbers that are allowed, both ends where there are two."""
    properties = _list_properties(model)
    schema = properties.get(str(item["loc"][0]), {}) if item["loc"] else {}
    bounds = {**schema, **next(iter(schema.get("anyOf", [{}])))}
    least, most = bounds.get("minimum"), bounds.get("maximum")
    if least is not None and most is not None:
        return f"be {least} to {most}"
    return (
        f"be {item['ctx']['ge']} or more" if item["type"] == "greater_than_equal" else f"be {item['ctx']['le']} or less"
    )


@cache
def _list_properties(model: type[Given]) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema().get("properties", {})
    return properties


def _is_short(given: object) -> bool:
    """Whether a value is worth repeating in a message."""
    if isinstance(given, int):
        return given.bit_length() <= _LONGEST_NUMBER
    return isinstance(given, float) or (isinstance(given, str) and len(given) <= _LONGEST_GIVEN)


def _name_kind(given: object) -> str:
    """What a value is that is no object."""
    return {str: "text", list: "a list", type(None): "null"}.get(type(given), quote(given))


def _say_undone(takes: Models) -> str:
    return takes[0].undone


def build_example(takes: Models) -> str:
    """The smallest object that is accepted, with "…" for texts."""
    example: dict[str, Any] = {}
    for model in takes:
        properties = _list_properties(model)
        for name, field in model.model_fields.items():
            if field.is_required():
                schema = properties[name]
                example[name] = next(iter(schema.get("enum", ["…" if schema.get("type") == "string" else 1])))
    return json.dumps(example, ensure_ascii=False)


def _list_parameters(takes: Models) -> str:
    fields = [
        f"`{name}`" if field.is_required() else f"`{name}` (optional)"
        for model in takes
        for name, field in model.model_fields.items()
    ]
    return ", ".join(fields) or "none"
