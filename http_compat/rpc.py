"""OpenEnv's plain JSON-RPC: the tools without MCP's handshake, on POST /mcp, WebSocket /mcp and in `/ws` messages.

`openenv/session/create` opens a session, `tools/list` lists the actions, `tools/call` takes a step, and
`openenv/session/close` closes the session. A session that was not reset works the default episode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from env_core.selection import Selection
from http_compat.jsontext import parse_json
from http_compat.problems import REFUSALS, MalformedError, told
from http_compat.replies import A_NEW_SESSION, rpc_tool_result, rpc_tools
from http_compat.sessions import SessionsFullError, UnknownSessionError
from scenarios.parsing import explain_errors, quote
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from http_compat.sessions import Session, Sessions

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
SERVER_ERROR = -32000

METHODS = ("tools/list", "tools/call", "openenv/session/create", "openenv/session/close")


class RpcRequest(BaseModel):
    """A JSON-RPC 2.0 request."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    jsonrpc: Literal["2.0"]
    method: str
    params: dict[str, Any] = Field(default_factory=dict)
    id: Annotated[str | int | None, Field(default=None)]


class _RpcError(Exception):
    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data


async def answer_text(sessions: Sessions, text: bytes | str, session: Session | None = None) -> dict[str, Any]:
    """The JSON-RPC response to the text of a request; `session` is the WebSocket's own, where there is one."""
    try:
        message = parse_json(text)
    except MalformedError as error:
        return _error(None, PARSE_ERROR, str(error))
    return await answer(sessions, message, session)


async def answer(sessions: Sessions, message: object, session: Session | None = None) -> dict[str, Any]:
    """The JSON-RPC response to a request."""
    try:
        request = RpcRequest.model_validate(message)
    except ValidationError as error:
        named = message.get("id") if isinstance(message, dict) else None
        request_id = named if isinstance(named, str | int) else None
        return _error(
            request_id, INVALID_REQUEST, f"Invalid request: {explain_errors('the request', RpcRequest, error)}"
        )
    try:
        result = await _dispatched(sessions, request, session)
    except _RpcError as error:
        return _error(request.id, error.code, str(error), error.data)
    return {"jsonrpc": "2.0", "id": request.id, "result": result}


def _error(request_id: str | int | None, code: int, message: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    error = {"code": code, "message": message, "data": data}
    return {"jsonrpc": "2.0", "id": request_id, "error": error}


async def _dispatched(sessions: Sessions, request: RpcRequest, session: Session | None) -> dict[str, Any]:
    match request.method:
        case "openenv/session/create":
            return {"session_id": (await _opened(sessions, request.params, session)).id}
        case "openenv/session/close":
            return await _closed(sessions, request.params, session)
        case "tools/list":
            return {"tools": rpc_tools()}
        case "tools/call":
            return await _called(sessions, request.params, session)
        case unknown:
            hint = " MCP clients send Accept: application/json, text/event-stream." if unknown == "initialize" else ""
            raise _RpcError(
                METHOD_NOT_FOUND, f"Method not found: {quote(unknown)}. Methods: {', '.join(METHODS)}.{hint}"
            )


async def _opened(sessions: Sessions, params: dict[str, Any], own: Session | None) -> Session:
    """A new session, or the WebSocket's `own`; with reset options, on the episode they select."""
    try:
        selection = Selection.model_validate(params) if params else None
        if own is not None and own.handle and selection is not None:
            raise _RpcError(INVALID_PARAMS, "This WebSocket has an episode already; open another WebSocket.")
        session = own or await sessions.open()
    except ValidationError as error:
        raise _RpcError(INVALID_PARAMS, explain_errors("openenv/session/create", Selection, error)) from error
    except SessionsFullError as full:
        counts = {"active_sessions": full.active, "max_sessions": full.most}
        raise _RpcError(SERVER_ERROR, str(full), counts) from full
    if selection is not None:
        try:
            await session.reset(selection)
        except REFUSALS as error:
            if own is None:
                await sessions.close(session)
            raise _RpcError(INVALID_PARAMS, told(error, A_NEW_SESSION)) from error
    return session


async def _closed(sessions: Sessions, params: dict[str, Any], own: Session | None) -> dict[str, Any]:
    session = _named(sessions, params)
    if session is own:
        raise _RpcError(INVALID_REQUEST, "This session is the WebSocket's own; close the WebSocket.")
    if session.attached:
        session.closing = True
        return {"session_id": session.id, "closed": False, "closing": True}
    await sessions.close(session)
    return {"session_id": session.id, "closed": True}


async def _called(sessions: Sessions, params: dict[str, Any], own: Session | None) -> dict[str, Any]:
    name = params.get("name")
    if name not in ACTIONS:
        raise _RpcError(INVALID_PARAMS, f"There is no tool {quote(name)}. Tools: {', '.join(ACTIONS)}.")
    session = own or _named(sessions, params)
    return await rpc_tool_result(session, name, params.get("arguments", {}))


def _named(sessions: Sessions, params: dict[str, Any]) -> Session:
    if "session_id" not in params:
        raise _RpcError(INVALID_PARAMS, "session_id is required; openenv/session/create opens a session.")
    try:
        return sessions.find(params["session_id"])
    except UnknownSessionError as error:
        raise _RpcError(INVALID_PARAMS, str(error)) from error
