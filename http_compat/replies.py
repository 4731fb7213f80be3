"""What a reset or a step is answered with: OpenEnv's envelope around the observation, and a tool's result."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from env_core.calls import note_refusal
from env_core.guide import build_action_schema, describe_action
from env_core.request_ids import read_request_id
from env_core.transition import Transition
from http_compat.dialects import ToolCall, ToolListing
from http_compat.jsontext import encode_evidence
from scenarios.errors import CloudIncidentError
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.suggesting import suggest
from scenarios.vocabulary import ACTIONS, Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.episode import Episode
    from env_core.observation import ResetInfo
    from http_compat.dialects import StepRequest
    from http_compat.sessions import Session

A_NEW_SESSION = "A new session (openenv/session/create, or another WebSocket)"
"""What starts an episode for clients of OpenEnv's JSON-RPC."""

LISTED_TOOLS = f"Tools: {', '.join(ACTIONS)}."
"""What there is, for a call of a tool that there is not."""


def build_reset_reply(episode: Episode, agent_url: str) -> dict[str, Any]:
    """The reply to a reset: the first observation of the episode, and where an agent reaches it."""
    reset = Transition(episode)
    info: ResetInfo = {**reset.info(), "incarnation": episode.incarnation, "agent_url": agent_url}
    return {**_build_reply(reset.observation(encode_evidence), reset), "metadata": info}


async def take_step(session: Session, request: StepRequest) -> dict[str, Any]:
    """Do what a step asks, and give the reply to it.

    Raises:
        NoEpisodeError, UnknownEpisodeError, EpisodeOverError, RequestIdError, AppendConflictError: as sessions do.
    """
    match request.command:
        case Action() as action:
            transition = await session.step(action, request.tags.request_id)
            return _build_reply(transition.observation(encode_evidence), transition)
        case ToolCall() as call:
            return await _call_tool(session, call, request.tags.request_id)
        case ToolListing():
            looked = await _look(session)
            episode = None if looked is None else looked.episode
            runbook, proved = ((), False) if episode is None else (tuple(episode.course.runbook), episode.is_proved)
            return _build_reply({"tools": _list_tools("input_schema", runbook, proved=proved)}, looked)


async def _call_tool(session: Session, call: ToolCall, request_id: str) -> dict[str, Any]:
    if call.tool_name not in ACTIONS:
        told = " ".join(filter(None, [suggest(call.tool_name, ACTIONS), LISTED_TOOLS]))
        return await _refuse_tool(session, call, "tool_not_found", told)
    try:
        transition = await session.step_to_tell(parse_action(call.tool_name, call.arguments), request_id)
    except InvalidActionError as error:
        return await _refuse_tool(session, call, "invalid_args", str(error))
    shown = {"tool_name": call.tool_name, "result": _build_tool_result(transition), "error": None}
    return _build_reply(shown, transition)


async def _refuse_tool(session: Session, call: ToolCall, kind: str, message: str) -> dict[str, Any]:
    note_refusal(InvalidActionError.code)
    error = {"error_type": kind, "message": message}
    shown = {"tool_name": call.tool_name, "result": None, "error": error}
    return _build_reply(shown, await _look(session))


async def _look(session: Session) -> Transition | None:
    """The episode as it stands, without a step; None where none has been started."""
    episode = await session.load_episode()
    return Transition(episode) if episode is not None else None


def _build_reply(shown: Any, transition: Transition | None) -> dict[str, Any]:
    if transition is None:
        return {"observation": shown, "reward": 0.0, "done": False}
    return {
        "observation": shown,
        "reward": transition.reward,
        "done": transition.done,
        "metadata": transition.info(),
    }


def _build_tool_result(transition: Transition) -> dict[str, Any]:
    """The last step as the result of a tool; OpenEnv's client hands `data` to its caller."""
    text, numbers = transition.text(), transition.report()
    return {
        "content": [{"type": "text", "text": text}],
        "structuredContent": numbers,
        "isError": numbers["last_action_error"] is not None,
        "data": {"text": text, **numbers},
    }


async def call_rpc_tool(
    session: Session, name: object, arguments: object, meta: Mapping[str, object] | None
) -> dict[str, Any]:
    """Take a step for OpenEnv's JSON-RPC, and give its result; a refusal is a result that says so by `isError`."""
    try:
        action, request_id = parse_action(name, arguments), read_request_id(meta)
        await session.ensure_episode()
        return _build_tool_result(await session.step_to_tell(action, request_id))
    except CloudIncidentError as error:
        note_refusal(error.code)
        return {"content": [{"type": "text", "text": error.explain(A_NEW_SESSION)}], "isError": True}


@lru_cache
def _list_tools(schema_key: str, runbook: tuple[str, ...] = (), *, proved: bool = False) -> list[dict[str, Any]]:
    """The actions as tools, with the steps of a `runbook`: those of the catalogue, if none is given.

    Those that answer say what earns points, on any incident or on a `proved` one.
    """
    return [
        {
            "name": action.name,
            "description": describe_action(action, proved=proved),
            schema_key: build_action_schema(action, runbook=runbook),
        }
        for action in ACTIONS.values()
    ]


def list_rpc_tools() -> list[dict[str, Any]]:
    """The actions as JSON-RPC lists tools."""
    return _list_tools("inputSchema")
