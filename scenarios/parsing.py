"""Parsing actions and arguments: what is refused before it becomes a step, and how a refusal is worded."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from scenarios.actions import VOCABULARY, Action

_MOST_PROBLEMS = 5
_LONGEST_QUOTE = 80

Model = TypeVar("Model", bound=BaseModel)


class InvalidActionError(ValueError):
    """An action or arguments refused before anything happened. The message says what was wrong and what is valid."""


def parse_action(action_type: object, parameters: object, also: tuple[str, ...] = ()) -> Action:
    """Parse and normalise one action; a refusal tells of the optional arguments `also` beside the action's own.

    Raises:
        InvalidActionError: if the action is unknown or a parameter is missing, blank, too long, of the wrong type
            or not declared.
    """
    spec = VOCABULARY.get(action_type) if isinstance(action_type, str) else None
    if spec is None:
        raise InvalidActionError(f"Unknown action_type {quoted(action_type)}. Valid actions: {', '.join(VOCABULARY)}.")
    return Action(spec, parse_arguments(spec.name, spec.parameters, parameters, also))


def parse_arguments(name: str, model: type[Model], arguments: object, also: tuple[str, ...] = ()) -> Model:
    """Arguments validated against the model of what `name` takes; `also` are further, optional ones to tell of.

    Raises:
        InvalidActionError: if they do not fit.
    """
    if not isinstance(arguments, dict):
        raise InvalidActionError(f"{name}: parameters must be an object with {_wanted(model, also)}.")
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise InvalidActionError(f"{name}: {explained(name, model, error, also)}") from error


def quoted(value: object) -> str:
    """A caller's value, made short and printable for a message."""
    text = repr(value) if isinstance(value, str | int | float | None) else f"of type {type(value).__name__}"
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def _wanted(model: type[BaseModel], also: tuple[str, ...]) -> str:
    fields = [
        f"`{name}`" if field.is_required() else f"`{name}` (optional)" for name, field in model.model_fields.items()
    ]
    return ", ".join([*fields, *(f"`{name}` (optional)" for name in also)]) or "none"


def explained(name: str, model: type[BaseModel], error: ValidationError, also: tuple[str, ...] = ()) -> str:
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
    return f"{'; '.join(problems)}. Parameters: {_wanted(model, also)}."
