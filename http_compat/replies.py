"""What a reset or a step is answered with: OpenEnv's envelope around the observation, and a tool's result."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from env_core.transition import Transition
from http_compat.dialects import ToolCall, ToolListing
from http_compat.jsontext import told
from http_compat.problems import REFUSALS
from http_compat.problems import told as refusal
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS, Action

if TYPE_CHECKING:
    from env_core.episode import Episode
    from http_compat.dialects import StepMessage
    from http_compat.sessions import Session


def reset_reply(episode: Episode) -> dict[str, Any]:
    """The first observation."""
    reset = Transition(episode)
    return _enveloped(reset.observation(told), reset)


async def step_reply(session: Session, message: StepMessage) -> dict[str, Any]:
    """Do what a step asks, and the answer to it.

    Raises:
        NoEpisodeError, UnknownEpisodeError, EpisodeOverError, RequestIdError, AppendConflictError: as sessions do.
    """
    match message.command:
        case Action() as action:
            transition = await session.step(action, message.tags.request_id)
            return _enveloped(transition.observation(told), transition)
        case ToolCall() as call:
            return await _called(session, call, message.tags.request_id)
        case ToolListing():
            return _enveloped({"tools": _listed_tools("input_schema")}, await _look(session))


async def _called(session: Session, call: ToolCall, request_id: str) -> dict[str, Any]:
    if call.tool_name not in ACTIONS:
        return await _failed(session, call, "tool_not_found", f"Tools: {', '.join(ACTIONS)}.")
    try:
        action = parse_action(call.tool_name, call.arguments)
    except InvalidActionError as error:
        return await _failed(session, call, "invalid_args", str(error))
    transition = await session.step(action, request_id)
    shown = {"tool_name": call.tool_name, "result": tool_result(transition), "error": None}
    return _enveloped(shown, transition)


async def _failed(session: Session, call: ToolCall, kind: str, message: str) -> dict[str, Any]:
    error = {"error_type": kind, "message": message}
    shown = {"tool_name": call.tool_name, "result": None, "error": error}
    return _enveloped(shown, await _look(session))


async def _look(session: Session) -> Transition | None:
    episode = await session.episode()
    return Transition(episode) if episode is not None else None


def _enveloped(shown: Any, transition: Transition | None) -> dict[str, Any]:
    if transition is None:
        return {"observation": shown, "reward": 0.0, "done": False}
    return {
        "observation": shown,
        "reward": transition.reward,
        "done": transition.done,
        "metadata": transition.info(),
    }


def tool_result(transition: Transition) -> dict[str, Any]:
    """The last step as the result of a tool; OpenEnv's client hands `data` to its caller."""
    text, numbers = transition.text(), transition.report()
    return {
        "content": [{"type": "text", "text": text}],
        "structuredContent": numbers,
        "isError": numbers["last_action_error"] is not None,
        "data": {"text": text, **numbers},
    }


A_NEW_SESSION = "A new session (openenv/session/create, or another WebSocket)"


async def rpc_tool_result(session: Session, name: object, arguments: object) -> dict[str, Any]:
    """Call a tool for OpenEnv's JSON-RPC: its result, or what was refused as one that is an error."""
    try:
        action = parse_action(name, arguments)
        await session.opened()
        return tool_result(await session.step(action))
    except REFUSALS as error:
        return {"content": [{"type": "text", "text": refusal(error, A_NEW_SESSION)}], "isError": True}


@lru_cache
def _listed_tools(schema_key: str) -> list[dict[str, Any]]:
    return [
        {"name": spec.name, "description": spec.description, schema_key: build_arguments_schema(spec.parameters)}
        for spec in ACTIONS.values()
    ]


def rpc_tools() -> list[dict[str, Any]]:
    """The actions as JSON-RPC lists tools."""
    return _listed_tools("inputSchema")
