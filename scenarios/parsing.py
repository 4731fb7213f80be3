"""Parsing actions and arguments: what is refused before it becomes a step, and how a refusal is worded."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from scenarios.errors import CloudIncidentError
from scenarios.vocabulary import ACTIONS, Action

_MOST_PROBLEMS = 5
_LONGEST_QUOTE = 80

Model = TypeVar("Model", bound=BaseModel)


class InvalidActionError(CloudIncidentError):
    """An action or arguments refused before anything happened."""

    code = "invalid_action"


def parse_action(action_type: object, parameters: object, also: tuple[str, ...] = ()) -> Action:
    """Parse and normalise one action; a refusal tells of the optional arguments `also` beside the action's own.

    Raises:
        InvalidActionError: if the action is unknown or a parameter is missing, blank, too long, of the wrong type
            or not declared.
    """
    declaration = ACTIONS.get(action_type) if isinstance(action_type, str) else None
    if declaration is None:
        raise InvalidActionError(f"Unknown action_type {quote(action_type)}. Valid actions: {', '.join(ACTIONS)}.")
    return Action(declaration, parse_arguments(declaration.name, declaration.parameters, parameters, also))


def parse_arguments(name: str, model: type[Model], arguments: object, also: tuple[str, ...] = ()) -> Model:
    """Arguments validated against the model of what `name` takes; `also` are further, optional ones to tell of.

    Raises:
        InvalidActionError: if they do not fit.
    """
    if not isinstance(arguments, dict):
        raise InvalidActionError(f"{name}: parameters must be an object with {_list_parameters(model, also)}.")
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise InvalidActionError(f"{name}: {explain_errors(name, model, error, also)}") from error


def quote(value: object) -> str:
    """A caller's value, made short and printable for a message."""
    text = repr(value) if isinstance(value, str | int | float | None) else f"of type {type(value).__name__}"
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def _list_parameters(model: type[BaseModel], also: tuple[str, ...]) -> str:
    fields = [
        f"`{name}`" if field.is_required() else f"`{name}` (optional)" for name, field in model.model_fields.items()
    ]
    return ", ".join([*fields, *(f"`{name}` (optional)" for name in also)]) or "none"


def explain_errors(name: str, model: type[BaseModel], error: ValidationError, also: tuple[str, ...] = ()) -> str:
    """What was wrong with the arguments of `name`, and which it takes."""
    problems = []
    for item in error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_PROBLEMS]:
        where = ".".join(str(part) for part in item["loc"]).encode("unicode_escape").decode()[:_LONGEST_QUOTE]
        if item["type"] == "extra_forbidden":
            problems.append(f"`{where}` is not a parameter of {name}")
        elif item["type"] == "missing":
            problems.append(f"`{where}` is required")
        else:
            problems.append(f"`{where}`: {item['msg'].removeprefix('Value error, ')}")
    return f"{'; '.join(problems)}. Parameters: {_list_parameters(model, also)}."
