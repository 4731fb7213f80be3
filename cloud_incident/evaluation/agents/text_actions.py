"""Parses actions from what a model wrote: the arguments of a tool call, or JSON in its text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenarios.parsing import InvalidActionError, parse_action, quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cloud_incident.evaluation.agents.replies import ModelToolCall
    from scenarios.vocabulary import Action

_LONGEST_TEXT = 20_000
"""How many characters are searched. An action is far shorter; the bound guards against texts that are slow to parse."""

_DECODER = json.JSONDecoder(strict=False)
_NAMED_BY = ("action_type", "action", "name", "tool", "tool_name", "function")
_HELD_BY = ("parameters", "arguments", "args", "input")


def parse_called_action(call: ModelToolCall, available: Collection[str]) -> Action:
    """Parse the action of a tool call.

    Raises:
        InvalidActionError: if it is not one of those available; the message says what is wrong.
    """
    try:
        arguments = _DECODER.decode(call.arguments.strip() or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidActionError(f"{call.name}: the arguments are not valid JSON: {error}.") from error
    return parse_available_action(call.name, arguments, available)


def parse_written_action(text: str, available: Collection[str]) -> Action:
    """Parse the first valid action in a text: a JSON object, with or without a code fence or prose around it.

    Raises:
        InvalidActionError: if there is none; the message says what is wrong with the first candidate.
    """
    problem: InvalidActionError | None = None
    for name, parameters in _find_attempts(_strip_thinking(text)[:_LONGEST_TEXT]):
        try:
            return parse_available_action(name, parameters, available)
        except InvalidActionError as error:
            problem = problem or error
    raise problem or InvalidActionError("There is no JSON object with an action_type in the reply.")


def parse_available_action(name: object, parameters: object, available: Collection[str]) -> Action:
    """Parse an action that must be among those available.

    Raises:
        InvalidActionError: if it is not valid or not among them.
    """
    if name not in available:
        raise InvalidActionError(f"{quote(name)} is not an action of this task. Actions: {', '.join(available)}.")
    return parse_action(name, parameters)


def _strip_thinking(text: str) -> str:
    """Strip the thinking before the answer. Its opening tag may be missing, because some templates write it."""
    return text.rpartition("</think>")[2].partition("<think>")[0]


def _find_attempts(text: str) -> Iterator[tuple[object, object]]:
    """Find objects that name an action, with their parameters. If an object names none, those in it are searched."""
    start = text.find("{")
    while start >= 0:
        following = start + 1
        try:
            found, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            pass
        else:
            attempt = _read_attempt(found)
            if attempt is not None:
                following = end
                yield attempt
        start = text.find("{", following)


def _read_attempt(found: dict[str, Any]) -> tuple[object, object] | None:
    """Read the action that an object names. Its parameters may stand beside the name, or in an object of their own."""
    by = next((key for key in _NAMED_BY if isinstance(found.get(key), str)), None)
    if by is None:
        return None
    held = next((key for key in _HELD_BY if key in found), None)
    beside = {key: value for key, value in found.items() if key not in {by, "type"}}
    return found[by].strip(), beside if held is None else found[held]
