"""OpenEnv's plain JSON-RPC: the tools without MCP's handshake, on POST /mcp, WebSocket /mcp and in `/ws` messages.

`openenv/session/create` opens a session, `tools/list` lists the actions, `tools/call` takes a step, and
`openenv/session/close` closes the session. A session that was not reset works the default episode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from env_core.selection import Selection
from http_compat.jsontext import parse_json
from http_compat.problems import MalformedError
from http_compat.replies import A_NEW_SESSION, call_rpc_tool, list_rpc_tools
from http_compat.sessions import SessionInUseError, report_capacity
from scenarios.errors import CloudIncidentError
from scenarios.parsing import InvalidActionError, explain_errors, quote
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from http_compat.sessions import Session, Sessions

METHODS = ("tools/list", "tools/call", "openenv/session/create", "openenv/session/close")


class RpcRequest(BaseModel):
    """A JSON-RPC 2.0 request."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    jsonrpc: Literal["2.0"]
    method: str
    params: dict[str, Any] = Field(default_factory=dict)
    id: Annotated[str | int | None, Field(default=None)]


class InvalidRequestError(CloudIncidentError):
    """A message that is no JSON-RPC request, or one that cannot be served where it was sent."""

    code = "invalid_request"


class UnknownMethodError(CloudIncidentError):
    """A JSON-RPC method, or a type of WebSocket messages, that does not exist. The message lists those that do."""

    code = "unknown_method"


async def answer_text(sessions: Sessions, text: bytes | str, session: Session | None = None) -> dict[str, Any]:
    """The JSON-RPC response to the text of a request; `session` is the WebSocket's own, where there is one."""
    try:
        message = parse_json(text)
    except CloudIncidentError as error:
        return build_error(error)
    return await answer(sessions, message, session)


async def answer(sessions: Sessions, message: object, session: Session | None = None) -> dict[str, Any]:
    """The JSON-RPC response to a request; `session` is the WebSocket's own, where there is one."""
    request_id = message.get("id") if isinstance(message, dict) else None
    if not isinstance(request_id, str | int):
        request_id = None
    try:
        result = await _dispatch(sessions, _parse_request(message), session)
    except CloudIncidentError as error:
        return build_error(error, request_id)
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def build_error(error: CloudIncidentError, request_id: str | int | None = None) -> dict[str, Any]:
    """The JSON-RPC response that tells of an error; `data` has counts where there is no room."""
    report = {"code": error.kind.rpc, "message": error.explain(A_NEW_SESSION), "data": report_capacity(error)}
    return {"jsonrpc": "2.0", "id": request_id, "error": report}


def _parse_request(message: object) -> RpcRequest:
    try:
        return RpcRequest.model_validate(message)
    except ValidationError as error:
        problems = explain_errors("the request", RpcRequest, error)
        raise InvalidRequestError(f"Invalid request: {problems}") from error


async def _dispatch(sessions: Sessions, request: RpcRequest, session: Session | None) -> dict[str, Any]:
    match request.method:
        case "openenv/session/create":
            return {"session_id": (await _open_session(sessions, request.params, session)).id}
        case "openenv/session/close":
            return await _close_session(sessions, request.params, session)
        case "tools/list":
            return {"tools": list_rpc_tools()}
        case "tools/call":
            return await _call_tool(sessions, request.params, session)
        case unknown:
            hint = " MCP clients send Accept: application/json, text/event-stream." if unknown == "initialize" else ""
            raise UnknownMethodError(f"Method not found: {quote(unknown)}. Methods: {', '.join(METHODS)}.{hint}")


async def _open_session(sessions: Sessions, params: dict[str, Any], own: Session | None) -> Session:
    """A new session, or the WebSocket's `own`; with reset options, on the episode that they select."""
    selection = _parse_selection(params)
    if own is not None and own.handle and selection is not None:
        raise SessionInUseError("This WebSocket has an episode already; open another WebSocket.")
    session = own or await sessions.open()
    if selection is not None:
        try:
            await session.reset(selection)
        except CloudIncidentError:
            if own is None:
                await sessions.close(session)
            raise
    return session


def _parse_selection(params: dict[str, Any]) -> Selection | None:
    """The reset options of a request; None where it has none."""
    if not params:
        return None
    try:
        return Selection.model_validate(params)
    except ValidationError as error:
        raise MalformedError(explain_errors("openenv/session/create", Selection, error)) from error


async def _close_session(sessions: Sessions, params: dict[str, Any], own: Session | None) -> dict[str, Any]:
    session = _find_session(sessions, params)
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
        raise InvalidActionError(f"There is no tool {quote(name)}. Tools: {', '.join(ACTIONS)}.")
    session = own or _find_session(sessions, params)
    return await call_rpc_tool(session, name, params.get("arguments", {}))


def _find_session(sessions: Sessions, params: dict[str, Any]) -> Session:
    if "session_id" not in params:
        raise MalformedError("session_id is required; openenv/session/create opens a session.")
    return sessions.find(params["session_id"])
