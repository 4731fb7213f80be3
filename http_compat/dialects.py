"""The forms in which a step may be sent, and what each of them means.

The bare action of this project's REST, OpenEnv's envelope around it, and OpenEnv's MCP form (`call_tool`,
`list_tools`), bare or in the envelope.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from env_core.selection import Handle, absent_as_empty
from scenarios.parsing import InvalidActionError, parse_action, parse_arguments, quote
from scenarios.vocabulary import ACTIONS, Action

REQUEST_ID_LIMIT = 255

_RequestId = Annotated[str, StringConstraints(max_length=REQUEST_ID_LIMIT)]
RequestId = Annotated[_RequestId, BeforeValidator(absent_as_empty, json_schema_input_type=_RequestId | None)]


class Strict(BaseModel):
    """A message that takes no other fields than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Tags(Strict):
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


class ToolCall(Strict):
    """A tool called by its name, as a step."""

    type: str = "call_tool"
    tool_name: str = Field(description="Name of an action.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="The action's parameters.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Ignored.")


class ToolListing(Strict):
    """The tools asked for, as a step. It is not counted and needs no episode."""

    type: str = "list_tools"
    metadata: dict[str, Any] = Field(default_factory=dict, description="Ignored.")


Command = Action | ToolCall | ToolListing
_NO_TAGS = Tags()
_BARE = {"action_type", "parameters"}
_TAGS = frozenset(Tags.model_fields)


class StepMessage(NamedTuple):
    """What is to be done, and what stood beside it."""

    command: Command
    tags: Tags = _NO_TAGS


def parse_step(message: object) -> StepMessage:
    """A step in any of its forms.

    Raises:
        InvalidActionError: if it is none of them, or would be refused.
    """
    if not isinstance(message, dict):
        raise InvalidActionError(
            'A step is a JSON object: {"action_type": "query_logs", "parameters": {"service": …}}.'
        )
    if "action" in message:
        envelope = parse_arguments("step", Envelope, message)
        return StepMessage(parse_command(envelope.action), envelope)
    if _TAGS.isdisjoint(message):
        return StepMessage(parse_command(message))
    command = dict(message)
    beside = {name: command.pop(name) for name in _TAGS if name in message}
    return StepMessage(parse_command(command), parse_arguments("step", Tags, beside))


def parse_command(message: dict[str, Any]) -> Command:
    """An action in its bare or its MCP form.

    Raises:
        InvalidActionError: if it is neither, or would be refused.
    """
    if message.keys() == _BARE:
        return parse_action(message["action_type"], message["parameters"])
    match message:
        case {"type": "call_tool"}:
            return parse_arguments("call_tool", ToolCall, message)
        case {"type": "list_tools"}:
            return parse_arguments("list_tools", ToolListing, message)
        case {"action_type": action_type, "parameters": parameters, **others} if _only_metadata(others):
            return parse_action(action_type, parameters)
        case {"action_type": str(action_type)} if action_type in ACTIONS:
            unknown = [quote(name) for name in message if name not in {"action_type", "parameters"}]
            problem = f"{', '.join(unknown[:5])} cannot stand here" if unknown else "parameters are missing"
            raise InvalidActionError(f'{action_type}: {problem}. Send {{"action_type": …, "parameters": {{…}}}}.')
        case {"action_type": action_type}:
            return parse_action(action_type, {})
        case _:
            raise InvalidActionError(
                f"A step has `action_type` and `parameters`, or `type` call_tool or list_tools. "
                f"Valid actions: {', '.join(ACTIONS)}."
            )


def _only_metadata(others: dict[str, Any]) -> bool:
    return others.keys() == {"metadata"} and isinstance(others["metadata"], dict)
