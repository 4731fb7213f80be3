"""Actions in what a model wrote: the arguments of a tool it called, or JSON somewhere in its text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenarios.parsing import InvalidActionError, parse_action, quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cloud_incident.evaluation.agents.replies import Call
    from scenarios.vocabulary import Action

_LONGEST_TEXT = 20_000
"""Characters that are searched: far more than an action takes, and bounded for texts made to be slow."""

_DECODER = json.JSONDecoder(strict=False)
_NAMED_BY = ("action_type", "action", "name", "tool", "tool_name", "function")
_HELD_BY = ("parameters", "arguments", "args", "input")


def called_action(call: Call, available: Collection[str]) -> Action:
    """The action that a tool call means.

    Raises:
        InvalidActionError: if it means none of those available; the message says what is wrong.
    """
    try:
        arguments = _DECODER.decode(call.arguments.strip() or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidActionError(f"{call.name}: the arguments are not valid JSON: {error}.") from error
    return available_action(call.name, arguments, available)


def written_action(text: str, available: Collection[str]) -> Action:
    """The first action that stands in a text as a JSON object, in a fence or bare, with prose around it or none.

    Raises:
        InvalidActionError: if there is none; the message says what is wrong with the first attempt at one.
    """
    problem: InvalidActionError | None = None
    for name, parameters in _attempts(_said(text)[:_LONGEST_TEXT]):
        try:
            return available_action(name, parameters, available)
        except InvalidActionError as error:
            problem = problem or error
    raise problem or InvalidActionError("There is no JSON object with an action_type in the reply.")


def available_action(name: object, parameters: object, available: Collection[str]) -> Action:
    """An action among those available.

    Raises:
        InvalidActionError: if it is not valid or not among them.
    """
    if name not in available:
        raise InvalidActionError(f"{quote(name)} is not an action of this task. Actions: {', '.join(available)}.")
    return parse_action(name, parameters)


def _said(text: str) -> str:
    """A text without the thinking that some models put before it; templates may have opened that for them."""
    return text.rpartition("</think>")[2].partition("<think>")[0]


def _attempts(text: str) -> Iterator[tuple[object, object]]:
    """Every object that names an action, and its parameters; within an object that names none, those inside it."""
    start = text.find("{")
    while start >= 0:
        following = start + 1
        try:
            found, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            pass
        else:
            attempt = _attempt(found)
            if attempt is not None:
                following = end
                yield attempt
        start = text.find("{", following)


def _attempt(found: dict[str, Any]) -> tuple[object, object] | None:
    """The action that an object names, with its parameters, which may stand beside the name instead of below it."""
    by = next((key for key in _NAMED_BY if isinstance(found.get(key), str)), None)
    if by is None:
        return None
    held = next((key for key in _HELD_BY if key in found), None)
    beside = {key: value for key, value in found.items() if key not in {by, "type"}}
    return found[by].strip(), beside if held is None else found[held]
