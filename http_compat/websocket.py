"""OpenEnv's WebSockets: `/ws` for reset, step, state, close and MCP messages, `/mcp` for plain JSON-RPC."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from env_core.callers import PLAY, Need, check_need
from env_core.calls import note_operation, note_refusal
from env_core.observation import read_open_state
from http_compat.dialects import parse_step
from http_compat.jsontext import parse_json, to_json
from http_compat.problems import MalformedError
from http_compat.replies import build_reset_reply, take_step
from http_compat.rpc import Locate, UnknownMethodError, answer, answer_text, build_error
from http_compat.sessions import report_capacity
from http_compat.starting import parse_start
from scenarios.errors import CloudIncidentError
from scenarios.given import Given, read_object
from scenarios.parsing import explain_errors, quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from env_core.agent_keys import LocateAgent
    from http_compat.sessions import Session, Sessions


class ErrorCode(StrEnum):
    """The codes of errors in OpenEnv's messages."""

    INVALID_JSON = "INVALID_JSON"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CAPACITY_REACHED = "CAPACITY_REACHED"
    SESSION_ERROR = "SESSION_ERROR"


ERROR_CODES = {
    "not_json": ErrorCode.INVALID_JSON,
    "unknown_method": ErrorCode.UNKNOWN_TYPE,
    "invalid_action": ErrorCode.VALIDATION_ERROR,
    "malformed": ErrorCode.VALIDATION_ERROR,
    "no_capacity": ErrorCode.CAPACITY_REACHED,
    "busy": ErrorCode.CAPACITY_REACHED,
    "unknown_session": ErrorCode.SESSION_ERROR,
    "session_in_use": ErrorCode.SESSION_ERROR,
}
"""OpenEnv's code of every error that is not an EXECUTION_ERROR, by the error's own code."""


class ProductionModeError(CloudIncidentError):
    """A message that a server in production mode does not serve."""

    code = "not_allowed"


class ResetMessage(Given):
    type: Literal["reset"]
    data: dict[str, Any] = Field(default_factory=dict)


class StepMessage(Given):
    type: Literal["step"]
    data: Any


class StateMessage(Given):
    type: Literal["state"]


class CloseMessage(Given):
    type: Literal["close"]


class RpcMessage(Given):
    type: Literal["mcp"]
    data: Any


SocketMessage = ResetMessage | StepMessage | StateMessage | CloseMessage | RpcMessage


class MessageKind(NamedTuple):
    """A type of messages: their model, and what they need of their caller."""

    model: type[SocketMessage]
    needs: Need


MESSAGES = {
    "reset": MessageKind(ResetMessage, PLAY),  # takes up an episode; to open one needs more, and the service says so
    "step": MessageKind(StepMessage, PLAY),
    "state": MessageKind(StateMessage, PLAY),
    "close": MessageKind(CloseMessage, PLAY),
    "mcp": MessageKind(RpcMessage, PLAY),
}
"""The types of messages on `/ws`."""

_SIMULATION_MESSAGES = (ResetMessage, StepMessage, StateMessage)


_NO_CODE, _BROKEN_OFF, _GOING_AWAY = 1005, 1006, 1001
_CLEAN_ENDS = frozenset({1000, _GOING_AWAY, _NO_CODE})
"""The codes with which a client says goodbye. With any other the connection broke off, or the client failed."""

_NOTHING_YET = {"episode_id": None, "step_count": 0}
"""The state of a session that has no episode."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """Serves WebSockets, each with a session of its own. Without `control` there is no reset, step or state."""

    sessions: Sessions
    locate_agent: LocateAgent
    control: bool = True

    async def serve_messages(self, socket: WebSocket) -> None:
        """Serve `/ws`; with `?session_id=…` on a session that JSON-RPC opened."""
        await socket.accept()
        requested = socket.query_params.get("session_id")
        try:
            session = await (self.sessions.attach(requested) if requested else self.sessions.open(attached=True))
        except CloudIncidentError as error:
            await socket.send_text(_write_error(error))
            await socket.close()
            return
        answer_next = partial(self._answer_message, partial(self.locate_agent, socket.scope))
        await self._serve(socket, session, answer_next, close_session=not requested)

    async def serve_rpc(self, socket: WebSocket) -> None:
        """Serve `/mcp` as a WebSocket: JSON-RPC on a session of its own."""
        await socket.accept()
        try:
            session = await self.sessions.open(attached=True)
        except CloudIncidentError as error:
            await socket.send_text(_write(build_error(error)))
            await socket.close()
            return
        answer_next = partial(self._answer_rpc, partial(self.locate_agent, socket.scope))
        await self._serve(socket, session, answer_next, close_session=True)

    async def _serve(
        self,
        socket: WebSocket,
        session: Session,
        answer_next: Callable[[Session, str], Awaitable[str | None]],
        *,
        close_session: bool,
    ) -> None:
        """Answer message after message until the client hangs up or `answer_next` gives None.

        With `close_session` the session is closed with the socket, but its episode stays if the connection broke off.
        """
        session.hang_up = partial(_hang_up, socket)
        clean = False
        try:
            while (reply := await answer_next(session, await _receive(socket))) is not None:
                if socket.application_state is WebSocketState.DISCONNECTED:
                    return  # it was hung up meanwhile
                await socket.send_text(reply)
                self.sessions.note_use(session)
            clean = True
            await socket.close()
        except WebSocketDisconnect as end:
            clean = clean or end.code in _CLEAN_ENDS
        finally:
            await self.sessions.leave(session, own=close_session, clean=clean)

    async def _answer_rpc(self, locate: Locate, session: Session, text: str) -> str:
        return _write(await answer_text(self.sessions, text, locate, session))

    async def _answer_message(self, locate: Locate, session: Session, text: str) -> str | None:
        """The reply to a message; None to `close`."""
        try:
            given = read_object(parse_json(text))
            name, kind = _find_kind(given)
            check_need(kind.needs, session.caller)
            note_operation(name)
            try:
                message = kind.model.read(given)
            except ValidationError as error:
                return _write_invalid(name, kind.model, error)
            return await self._act(session, message, locate)
        except CloudIncidentError as error:
            return _write_error(error)

    async def _act(self, session: Session, message: SocketMessage, locate: Locate) -> str | None:
        """Do what a message asks, and give the reply to it.

        Raises:
            CloudIncidentError: if the message is refused.
        """
        if not self.control and isinstance(message, _SIMULATION_MESSAGES):
            raise ProductionModeError(
                "This server is in production mode: there is no reset, step or state, only tools."
            )
        match message:
            case ResetMessage(data=options):
                episode = await self.sessions.start(session, parse_start("reset", options))
                return _write_observation(build_reset_reply(episode, await locate(episode)))
            case StepMessage(data=step):
                return _write_observation(await take_step(session, parse_step(step)))
            case StateMessage():
                current = await session.load_episode()
                return _write({"type": "state", "data": read_open_state(current) if current else _NOTHING_YET})
            case RpcMessage(data=request):
                return _write({"type": "mcp", "data": await answer(self.sessions, request, locate, session)})
            case CloseMessage():
                return None


def _find_kind(given: object) -> tuple[str, MessageKind]:
    """The type of a message by its name, and what there is of it.

    Raises:
        UnknownMethodError: if there is no such type.
    """
    if not isinstance(given, dict):
        raise UnknownMethodError(f"A message is one JSON object with a `type`. Types: {', '.join(MESSAGES)}.")
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in MESSAGES:
        raise UnknownMethodError(f"Unknown message type {quote(kind)}. Types: {', '.join(MESSAGES)}.")
    return kind, MESSAGES[kind]


async def _receive(socket: WebSocket) -> str:
    """The text of the next message.

    Raises:
        WebSocketDisconnect: if the client has hung up.
    """
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        code = message["code"]
        if code == _NO_CODE and "reason" not in message:
            code = _BROKEN_OFF  # uvicorn gives the code of a close without one to a lost connection, but no reason
        raise WebSocketDisconnect(code, message.get("reason"))
    text: str | None = message.get("text")
    return text if text is not None else str(message["bytes"], "utf-8", "replace")


async def _hang_up(socket: WebSocket) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # it is closed already
        await socket.close(_GOING_AWAY, "Others need the room. Open another WebSocket and reset with resume.")


def _write(message: dict[str, Any]) -> str:
    return str(to_json(message), "utf-8")


def _write_observation(reply: dict[str, Any]) -> str:
    return _write({"type": "observation", "data": reply})


def _write_error(error: CloudIncidentError) -> str:
    note_refusal(error.code)
    code, message = ERROR_CODES.get(error.code, ErrorCode.EXECUTION_ERROR), error.explain("reset")
    details: dict[str, Any] = report_capacity(error) or {}
    if code is ErrorCode.VALIDATION_ERROR:
        details["errors"] = [{"msg": message}]
    return _write({"type": "error", "data": {"message": message, "code": code, **details}})


def _write_invalid(kind: str, model: type[Given], error: ValidationError) -> str:
    """The error of a message whose fields do not fit its model, with pydantic's list of what does not."""
    note_refusal(MalformedError.code)
    message = f"{kind}: {explain_errors(kind, model, error)}"
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    data = {"message": message, "code": ErrorCode.VALIDATION_ERROR, "errors": problems}
    return _write({"type": "error", "data": data})
