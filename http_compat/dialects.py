"""The forms in which a step may be sent, and what each of them means.

The forms are the bare action of this project's REST, OpenEnv's envelope around it, and OpenEnv's MCP form (`call_tool`,
`list_tools`), bare or in the envelope.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import Field

from env_core.request_ids import RequestId
from env_core.selection import Handle
from scenarios.given import Given, read_object
from scenarios.parsing import WRAPPING, InvalidActionError, build_example, parse_action, parse_arguments, quote
from scenarios.vocabulary import ACTIONS, Action


class Tags(Given):
    """What may stand beside an action."""

    episode_id: Handle = Field(default="", description="Handle of the episode.")
    request_id: RequestId = Field(
        default="", description="Sent again with the same id, a step is not taken twice but answered as before."
    )
    metadata: dict[str, Any] = Field(default_factory=dict, description="Ignored.")


class Envelope(Tags):
    """OpenEnv's form of a step."""

    action: dict[str, Any]
    timeout_s: float | None = Field(default=None, gt=0, description="Ignored: a step takes microseconds.")


class ToolCall(Given):
    """A tool called by its name, as a step."""

    type: str = "call_tool"
    tool_name: str = Field(description="Name of an action.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="The action's parameters.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Ignored.")


class ToolListing(Given):
    """A request for the list of tools, as a step. It is not counted and needs no episode."""

    type: str = "list_tools"
    metadata: dict[str, Any] = Field(default_factory=dict, description="Ignored.")


Command = Action | ToolCall | ToolListing
_NO_TAGS = Tags()
_BARE = {"action_type", "parameters"}
_TAGS = frozenset(Tags.model_fields)
_EXAMPLE = '{"action_type": "query_logs", "parameters": {"service": "api-gateway"}}'


class StepRequest(NamedTuple):
    """What a step asks for, and what stood beside it."""

    command: Command
    tags: Tags = _NO_TAGS


def parse_step(message: object) -> StepRequest:
    """A step that was sent in any of its forms.

    Raises:
        InvalidActionError: if it has none of the forms, or its action is not valid.
    """
    if not isinstance(message, dict):
        message = _find_object(message)
    if "action" in message:
        return _parse_enveloped(message)
    if _TAGS.isdisjoint(message):
        return StepRequest(parse_command(message))
    command = dict(message)
    beside = {name: command.pop(name) for name in _TAGS if name in message}
    return StepRequest(parse_command(command), parse_arguments("step", Tags, beside))


def _parse_enveloped(message: dict[str, Any]) -> StepRequest:
    """A step in OpenEnv's envelope; envelopes around it that hold nothing else are taken off."""
    action = message["action"]
    if not isinstance(action, dict):
        message = {**message, "action": action if action is None else _find_object(action)}
    while isinstance(message["action"], dict) and message["action"].keys() == {"action"}:
        message = {**message, "action": _find_object(message["action"]["action"])}
    envelope = parse_arguments("step", Envelope, message)
    return StepRequest(parse_command(envelope.action), envelope)


def _find_object(given: object) -> dict[str, Any]:
    """The one object that a value is, or whose JSON text it is, or that stands alone in a list.

    Raises:
        InvalidActionError: if there is not exactly one.
    """
    opened = read_object(given)
    if isinstance(opened, list) and len(opened) == 1:
        opened = read_object(opened[0])
    if isinstance(opened, dict):
        return opened
    if isinstance(opened, list):
        raise InvalidActionError(
            f"A step is one action, and a list of {len(opened)} was sent; no step was taken. "
            f"Send them one after the other, each as {_EXAMPLE}."
        )
    raise InvalidActionError(f"A step is a JSON object, and {quote(opened)} was sent. Send {_EXAMPLE}.")


def parse_command(message: dict[str, Any]) -> Command:
    """An action that was sent in its bare or its MCP form.

    Raises:
        InvalidActionError: if it has neither form, or the action is not valid.
    """
    if message.keys() == _BARE:
        return parse_action(message["action_type"], message["parameters"])
    message = {name: value for name, value in message.items() if value is not None}
    match message:
        case {"type": "call_tool", "arguments": arguments} if not isinstance(arguments, dict):
            return parse_arguments("call_tool", ToolCall, {**message, "arguments": {WRAPPING: arguments}})
        case {"type": "call_tool"}:
            return parse_arguments("call_tool", ToolCall, message)
        case {"type": "list_tools"}:
            return parse_arguments("list_tools", ToolListing, message)
        case {"action_type": action_type, "parameters": parameters, **others} if _has_only_metadata(others):
            return parse_action(action_type, parameters)
        case {"action_type": str(action_type)} if action_type in ACTIONS:
            unknown = [quote(name) for name in message if name not in {"action_type", "parameters"}]
            problem = f"{', '.join(unknown[:5])} cannot stand here" if unknown else "`parameters` are missing"
            example = build_example((ACTIONS[action_type].parameters,))
            raise InvalidActionError(
                f"{action_type}: {problem}; no step was taken. "
                f'Send {{"action_type": "{action_type}", "parameters": {example}}}.'
            )
        case {"action_type": action_type}:
            return parse_action(action_type, {})
        case _:
            raise InvalidActionError(
                f"A step has `action_type` and `parameters`, or `type` call_tool or list_tools; no step was taken. "
                f"Send {_EXAMPLE}. Valid actions: {', '.join(ACTIONS)}."
            )


def _has_only_metadata(others: dict[str, Any]) -> bool:
    return not others or (others.keys() == {"metadata"} and isinstance(others["metadata"], dict))
