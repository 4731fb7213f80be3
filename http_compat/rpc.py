"""OpenEnv's plain JSON-RPC: the tools without MCP's handshake, on POST /mcp, WebSocket /mcp and in `/ws` messages.

`openenv/session/create` opens a session, `tools/list` lists the actions, `tools/call` takes a step, and
`openenv/session/close` closes the session. A session that was not reset works the default episode.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from env_core.callers import OPERATE, PLAY, Need, check_need
from env_core.calls import note_operation, note_refusal
from http_compat.jsontext import parse_json
from http_compat.problems import MalformedError
from http_compat.replies import A_NEW_SESSION, LISTED_TOOLS, call_rpc_tool, list_rpc_tools
from http_compat.sessions import SessionInUseError, report_capacity
from http_compat.starting import parse_start
from scenarios.errors import CloudIncidentError
from scenarios.given import Given, read_object
from scenarios.parsing import InvalidActionError, explain_errors, quote
from scenarios.suggesting import suggest
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from env_core.episode import Episode
    from env_core.selection import Selection
    from http_compat.sessions import Resumption, Session, Sessions

_EXAMPLE = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
METHODS: dict[str, Need] = {
    "tools/list": PLAY,
    "tools/call": PLAY,
    "openenv/session/create": OPERATE,
    "openenv/session/close": OPERATE,
}
"""The methods, and what each needs of its caller."""


class RpcRequest(Given):
    """A JSON-RPC 2.0 request."""

    jsonrpc: Literal["2.0"]
    method: str
    params: dict[str, Any] = Field(default_factory=dict)
    id: str | int | None = None


class InvalidRequestError(CloudIncidentError):
    """A message that is no JSON-RPC request, or one that cannot be served where it was sent."""

    code = "invalid_request"


class UnknownMethodError(CloudIncidentError):
    """A JSON-RPC method, or a type of WebSocket messages, that does not exist. The message lists those that do."""

    code = "unknown_method"


Locate = Callable[["Episode"], Awaitable[str]]
"""Gives the address of an episode's endpoint for agents."""


async def answer_text(
    sessions: Sessions, text: bytes | str, locate: Locate, session: Session | None = None
) -> dict[str, Any]:
    """The JSON-RPC response to the text of a request; `session` is the WebSocket's own, where there is one."""
    try:
        message = parse_json(text)
    except CloudIncidentError as error:
        return build_error(error)
    return await answer(sessions, message, locate, session)


async def answer(sessions: Sessions, message: object, locate: Locate, session: Session | None = None) -> dict[str, Any]:
    """The JSON-RPC response to a request; `session` is the WebSocket's own, where there is one."""
    request_id = message.get("id") if isinstance(message, dict) else None
    if not isinstance(request_id, str | int):
        request_id = None
    try:
        request = _parse_request(message)
        check_need(METHODS.get(request.method, PLAY), sessions.caller)
        result = await _dispatch(sessions, request, locate, session)
    except CloudIncidentError as error:
        return build_error(error, request_id)
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def build_error(error: CloudIncidentError, request_id: str | int | None = None) -> dict[str, Any]:
    """The JSON-RPC response that tells of an error; `data` has counts where there is no room."""
    note_refusal(error.code)
    report = {"code": error.kind.rpc, "message": error.explain(A_NEW_SESSION), "data": report_capacity(error)}
    return {"jsonrpc": "2.0", "id": request_id, "error": report}


def _parse_request(message: object) -> RpcRequest:
    if isinstance(message, list):
        raise InvalidRequestError(f"Invalid request: batches are not served; send each request by itself: {_EXAMPLE}.")
    try:
        return RpcRequest.read(read_object(message))
    except ValidationError as error:
        problems = explain_errors("the request", RpcRequest, error)
        raise InvalidRequestError(f"Invalid request: {problems}") from error


async def _dispatch(sessions: Sessions, request: RpcRequest, locate: Locate, session: Session | None) -> dict[str, Any]:
    note_operation(request.method if request.method in METHODS else "", "rpc")
    match request.method:
        case "openenv/session/create":
            return await _open_session(sessions, request.params, locate, session)
        case "openenv/session/close":
            return await _close_session(sessions, request.params, session)
        case "tools/list":
            return {"tools": list_rpc_tools()}
        case "tools/call":
            return await _call_tool(sessions, request.params, session)
        case unknown:
            hint = " MCP is spoken over POST /mcp." if unknown == "initialize" else ""
            raise UnknownMethodError(f"Method not found: {quote(unknown)}. Methods: {', '.join(METHODS)}.{hint}")


async def _open_session(
    sessions: Sessions, params: dict[str, Any], locate: Locate, own: Session | None
) -> dict[str, Any]:
    """Open a new session, or take the WebSocket's `own`; with reset options, on the episode that they select.

    The answer says which episode it has, if any, and where an agent reaches it: in production no reset does.
    """
    start = _parse_start(params)
    if own is not None and own.handle and start is not None:
        raise SessionInUseError("This WebSocket has an episode already; open another WebSocket.")
    if own is None:
        return await _describe(await sessions.open_on(start), locate)
    if start is not None:
        await sessions.start(own, start)
    return await _describe(own, locate)


async def _describe(session: Session, locate: Locate) -> dict[str, Any]:
    opened = {"session_id": session.id}
    if (episode := await session.load_episode()) is not None:
        opened |= {"episode_id": episode.id, "incarnation": episode.incarnation, "agent_url": await locate(episode)}
    return opened


def _parse_start(params: dict[str, Any]) -> Selection | Resumption | None:
    """What a request starts the session's episode with; None where it has no options."""
    if all(value is None for value in params.values()):
        return None
    return parse_start("openenv/session/create", params)


async def _close_session(sessions: Sessions, params: dict[str, Any], own: Session | None) -> dict[str, Any]:
    session = await _find_session(sessions, params)
    if session is own:
        raise InvalidRequestError("This session is the WebSocket's own; close the WebSocket.")
    if session.attached:
        session.closing = True
        return {"session_id": session.id, "closed": False, "closing": True}
    await sessions.close(session)
    return {"session_id": session.id, "closed": True}


async def _call_tool(sessions: Sessions, params: dict[str, Any], own: Session | None) -> dict[str, Any]:
    name = params.get("name")
    if not isinstance(name, str) or name not in ACTIONS:
        closest = suggest(name, ACTIONS) if isinstance(name, str) else ""
        raise InvalidActionError(" ".join(filter(None, [f"There is no tool {quote(name)}.", closest, LISTED_TOOLS])))
    session = own or await _find_session(sessions, params)
    arguments, meta = params.get("arguments"), params.get("_meta")
    return await call_rpc_tool(
        session, name, {} if arguments is None else arguments, meta if isinstance(meta, dict) else None
    )


async def _find_session(sessions: Sessions, params: dict[str, Any]) -> Session:
    if params.get("session_id") is None:
        raise MalformedError("session_id is required; openenv/session/create opens a session.")
    return await sessions.find(params["session_id"])
