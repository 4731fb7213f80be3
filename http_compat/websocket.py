"""OpenEnv's WebSockets: `/ws` for reset, step, state, close and MCP messages, `/mcp` for plain JSON-RPC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from env_core.observation import read_state
from env_core.selection import Selection
from env_core.stores import CapacityError
from http_compat.dialects import parse_step
from http_compat.jsontext import parse_json, to_json
from http_compat.problems import REFUSALS, MalformedError, NoEpisodeError, told
from http_compat.replies import reset_reply, step_reply
from http_compat.rpc import SERVER_ERROR, answer, answer_text
from http_compat.sessions import SessionsFullError, UnknownSessionError
from scenarios.parsing import InvalidActionError, explain_errors, quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from http_compat.sessions import Session, Sessions


class ErrorCode(StrEnum):
    """OpenEnv's codes."""

    INVALID_JSON = "INVALID_JSON"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CAPACITY_REACHED = "CAPACITY_REACHED"
    SESSION_ERROR = "SESSION_ERROR"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ResetMessage(_Message):
    type: Literal["reset"]
    data: dict[str, Any] = Field(default_factory=dict)


class StepMessage(_Message):
    type: Literal["step"]
    data: dict[str, Any]


class StateMessage(_Message):
    type: Literal["state"]


class CloseMessage(_Message):
    type: Literal["close"]


class RpcMessage(_Message):
    type: Literal["mcp"]
    data: dict[str, Any]


_MESSAGES: dict[object, type[_Message]] = {
    "reset": ResetMessage,
    "step": StepMessage,
    "state": StateMessage,
    "close": CloseMessage,
    "mcp": RpcMessage,
}
_CONTROL = (ResetMessage, StepMessage, StateMessage)


@dataclass(frozen=True, slots=True)
class Sockets:
    """Serves WebSockets, each with a session of its own. Without `control` there is no reset, step or state."""

    sessions: Sessions
    control: bool = True

    async def ws(self, socket: WebSocket) -> None:
        """`/ws`; with `?session_id=…` on a session that JSON-RPC opened."""
        await socket.accept()
        requested = socket.query_params.get("session_id")
        try:
            session = self.sessions.attach(requested) if requested else await self.sessions.open(attached=True)
        except SessionsFullError as full:
            await socket.send_text(_full(full, full.active, full.most))
            await socket.close()
            return
        except UnknownSessionError as error:
            await socket.send_text(_error(ErrorCode.SESSION_ERROR, str(error)))
            await socket.close()
            return
        await self._served(socket, session, self._answered, own=not requested)

    async def mcp(self, socket: WebSocket) -> None:
        """`/mcp` as a WebSocket: JSON-RPC on a session of its own."""
        await socket.accept()
        try:
            session = await self.sessions.open(attached=True)
        except SessionsFullError as full:
            data = {"active_sessions": full.active, "max_sessions": full.most}
            error = {"code": SERVER_ERROR, "message": str(full), "data": data}
            await socket.send_text(_text({"jsonrpc": "2.0", "id": None, "error": error}))
            await socket.close()
            return
        await self._served(socket, session, self._rpc_answered, own=True)

    async def _served(
        self,
        socket: WebSocket,
        session: Session,
        answered: Callable[[Session, str], Awaitable[str | None]],
        *,
        own: bool,
    ) -> None:
        try:
            while (reply := await answered(session, await _received(socket))) is not None:
                await socket.send_text(reply)
            await socket.close()
        except WebSocketDisconnect:
            return
        finally:
            await self.sessions.leave(session, own=own)

    async def _rpc_answered(self, session: Session, text: str) -> str:
        return _text(await answer_text(self.sessions, text, session))

    async def _answered(self, session: Session, text: str) -> str | None:
        """The reply to a message; None to `close`."""
        try:
            given = parse_json(text)
        except MalformedError as error:
            return _error(ErrorCode.INVALID_JSON, str(error))
        kind = given.get("type") if isinstance(given, dict) else None
        model = _MESSAGES.get(kind) if isinstance(kind, str) else None
        if model is None:
            types = ", ".join(str(name) for name in _MESSAGES)
            return _error(ErrorCode.UNKNOWN_TYPE, f"Unknown message type {quote(kind)}. Types: {types}.")
        try:
            return await self._done(session, model.model_validate(given))
        except ValidationError as error:
            return _invalid(str(kind), model, error)
        except (InvalidActionError, MalformedError) as error:
            return _error(ErrorCode.VALIDATION_ERROR, str(error), errors=[{"msg": str(error)}])
        except CapacityError as error:
            return _full(error, error.most, error.most)
        except REFUSALS as error:
            return _error(ErrorCode.EXECUTION_ERROR, told(error, "reset"))

    async def _done(self, session: Session, message: _Message) -> str | None:
        if not self.control and isinstance(message, _CONTROL):
            raise NoEpisodeError("This server is in production mode: there is no reset, step or state, only tools.")
        match message:
            case ResetMessage(data=options):
                return _observation(reset_reply(await session.reset(_selected(options))))
            case StepMessage(data=step):
                return _observation(await step_reply(session, parse_step(step)))
            case StateMessage():
                episode = await session.episode()
                return _text({"type": "state", "data": read_state(episode) if episode else _NOTHING_YET})
            case RpcMessage(data=request):
                return _text({"type": "mcp", "data": await answer(self.sessions, request, session)})
            case _:
                return None


_NOTHING_YET = {"episode_id": None, "step_count": 0}


def _selected(options: dict[str, Any]) -> Selection:
    try:
        return Selection.model_validate(options)
    except ValidationError as error:
        raise InvalidActionError(f"reset: {explain_errors('reset', Selection, error)}") from error


async def _received(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"], message.get("reason"))
    text: str | None = message.get("text")
    return text if text is not None else str(message["bytes"], "utf-8", "replace")


def _text(message: dict[str, Any]) -> str:
    return str(to_json(message), "utf-8")


def _observation(reply: dict[str, Any]) -> str:
    return _text({"type": "observation", "data": reply})


def _error(code: ErrorCode, message: str, **more: Any) -> str:
    return _text({"type": "error", "data": {"message": message, "code": code, **more}})


def _full(error: Exception, active: int, most: int) -> str:
    return _error(ErrorCode.CAPACITY_REACHED, str(error), active_sessions=active, max_sessions=most)


def _invalid(kind: str, model: type[BaseModel], error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return _error(ErrorCode.VALIDATION_ERROR, f"{kind}: {explain_errors(kind, model, error)}", errors=problems)
