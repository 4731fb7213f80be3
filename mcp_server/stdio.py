"""MCP over standard input and output: one client, which gets an answer to every line."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, Any, Self

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

if TYPE_CHECKING:
    from anyio.abc import ObjectSendStream
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp.shared._stream_protocols import WriteStream

_REMEDY = "keep one session open, connect over HTTP, or start it with --episode-id and a name of your own."

PROCESS_ADVICE = (
    "This process has started no incident, and those of others are found by their episode_id. If your client starts a "
    f"new process for each call, pass the episode_id, {_REMEDY}"
)
"""What a caller over stdio is told in addition whose episode is missing, and who has opened none."""

PROCESS_NOTE = (
    "This incident began when this server process started. If your client starts a new process for each call, each "
    f"call begins a new incident: {_REMEDY}"
)
"""What a caller over stdio is told with its first result, where the process opened an episode at its start."""

_STDIN = 0

_LONGEST_ANSWER_SECONDS = 10.0
"""How long a client that has ended its input is still answered."""

_MARK = "\ufeff"
"""The byte-order mark, which some programs write first."""

_FORM = "A message is one JSON-RPC 2.0 object on one line, in UTF-8."

_TYPES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}

_logger = logging.getLogger(__name__)


class RefusedLineError(Exception):
    """A line that is no message. `answer` is what its sender gets, or None if a line of its kind is never answered."""

    def __init__(self, message: str, answer: JSONRPCError | None) -> None:
        super().__init__(message)
        self.answer = answer


async def serve_stdio(server: Server[Any], *, note: str = "") -> None:
    """Serve one client over this process's standard input and output until it leaves.

    A line that is no message is answered with an error, and reported on standard error. The first result of a tool
    says the `note` in addition.
    """
    if note:
        server.middleware.append(_FirstResultNote(note))
    # The SDK's own reader drops such lines without an answer, so it is given an input that has ended.
    # surrogateescape keeps bytes that are not UTF-8 apart from the characters that UTF-8 can hold.
    lines = await anyio.open_file(_STDIN, encoding="utf-8", errors="surrogateescape", closefd=False)
    try:
        async with (
            lines,
            stdio_server(stdin=anyio.wrap_file(StringIO())) as (unused, writing),
            anyio.create_task_group() as tasks,
        ):
            await unused.aclose()
            sending, reading = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            answering = _AnsweringStream(writing)
            tasks.start_soon(_read_messages, lines, sending, answering)
            await server.run(reading, answering, server.create_initialization_options())
    except* BrokenPipeError:
        pass  # the client has left without ending its input first


class _FirstResultNote:
    """Adds a note to the first result of a tool, in its text and in its structured content."""

    def __init__(self, note: str) -> None:
        self._note = note

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        result = await call_next(ctx)
        if self._note and ctx.method == "tools/call" and isinstance(result, dict):
            note, self._note = self._note, ""
            # It joins the text that is there, because some clients read the first block of a result alone.
            *blocks, last = result["content"]
            result["content"] = [*blocks, {**last, "text": f"{last['text']}\n\n{note}"}]
            if "structuredContent" in result:
                result["structuredContent"] = {**result["structuredContent"], "note": note}
        return result


class _AnsweringStream:
    """Passes messages on to the client, and knows which requests have no answer yet."""

    def __init__(self, writing: WriteStream[SessionMessage]) -> None:
        self._writing = writing
        self._unanswered: set[RequestId] = set()
        self._answered = anyio.Event()

    def expect(self, message: JSONRPCMessage) -> None:
        """Note that a request waits for its answer, or that a client waits for one no more."""
        if isinstance(message, JSONRPCRequest):
            self._unanswered.add(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._forget((message.params or {}).get("requestId"))

    async def drain(self) -> None:
        """Wait until every request has its answer, or for as long as an answer may take."""
        with anyio.move_on_after(_LONGEST_ANSWER_SECONDS):
            while self._unanswered:
                self._answered = anyio.Event()
                await self._answered.wait()

    async def send(self, item: SessionMessage, /) -> None:
        await self._writing.send(item)
        if isinstance(item.message, JSONRPCResponse | JSONRPCError):
            self._forget(item.message.id)

    async def aclose(self) -> None:
        await self._writing.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _forget(self, request_id: object) -> None:
        if isinstance(request_id, int | str):
            self._unanswered.discard(request_id)
        self._answered.set()


async def _read_messages(
    lines: anyio.AsyncFile[str], sending: ObjectSendStream[SessionMessage | Exception], answering: _AnsweringStream
) -> None:
    """Send on each message that a line holds, and answer each line that holds none, until the input ends.

    The server drops what it is at when its own input ends, so that waits for the last answers.
    """
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with sending:
            async for given in lines:
                line = given.removeprefix(_MARK)
                if not line.strip():
                    continue
                try:
                    message = read_message(line)
                except RefusedLineError as refused:
                    _logger.warning("A line of standard input was refused: %s", refused)
                    if refused.answer is not None:
                        await answering.send(SessionMessage(refused.answer))
                else:
                    answering.expect(message)
                    await sending.send(SessionMessage(message))
            await answering.drain()


def read_message(line: str) -> JSONRPCMessage:
    """The message that a line holds. Bytes that were not UTF-8 stand in it as lone surrogates.

    Raises:
        RefusedLineError: if it holds none, or a request whose id is none.
    """
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        raise _explain(line) from None
    # The SDK ignores an id of a wrong type, and a request that has one would pass for a notification.
    if isinstance(message, JSONRPCNotification) and "id" in from_json(line):
        raise _explain(line)
    return message


def _explain(line: str) -> RefusedLineError:
    """What is wrong with a line, and the answer to it."""
    try:
        line.encode()
        message = from_json(line)
    except UnicodeEncodeError:
        return _refuse(_find_id(line), PARSE_ERROR, f"Parse error: this line is not UTF-8. {_FORM}")
    except ValueError as error:
        return _refuse(_find_id(line), PARSE_ERROR, f"Parse error: this line is not JSON: {error}. {_FORM}")
    if isinstance(message, list):
        return _refuse(
            None, INVALID_REQUEST, f"Invalid request: this line is a batch; send each message alone. {_FORM}"
        )
    if not isinstance(message, dict):
        return _refuse(None, INVALID_REQUEST, f"Invalid request: this line is {_name_type(message)}. {_FORM}")
    if "method" not in message and not message.keys().isdisjoint({"result", "error"}):
        return RefusedLineError("it is a response that is not valid.", None)
    return _explain_request(message)


def _explain_request(message: dict[str, Any]) -> RefusedLineError:
    request_id = _read_id(message)
    if message.get("jsonrpc") != "2.0":
        said = f'"jsonrpc" must be "2.0"{_say_found(message, "jsonrpc")}'
    elif not isinstance(message.get("method"), str):
        said = f'"method" must be a string{_say_found(message, "method")}'
    elif "id" in message and request_id is None:
        said = f'"id" must be a string or an integer{_say_found(message, "id")}, or be left out of a notification'
    else:
        said = f'"params" must be an object{_say_found(message, "params")}'
        return _refuse(request_id, INVALID_PARAMS, f"Invalid params: {said}.")
    return _refuse(request_id, INVALID_REQUEST, f"Invalid request: {said}. {_FORM}")


def _refuse(request_id: RequestId | None, code: int, text: str) -> RefusedLineError:
    return RefusedLineError(text, JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=text)))


def _find_id(line: str) -> RequestId | None:
    """The id in a line that is not read here, such as one with half a character, but that Python's parser reads."""
    with suppress(ValueError, RecursionError):
        message = json.loads(line)
        return _read_id(message) if isinstance(message, dict) else None
    return None


def _read_id(message: dict[str, Any]) -> RequestId | None:
    found = message.get("id")
    if isinstance(found, str):
        return found if found == found.encode(errors="ignore").decode() else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _say_found(message: dict[str, Any], name: str) -> str:
    if name not in message:
        return " and is missing"
    value = message[name]
    return f", not {value!r:.40}" if isinstance(value, int | float | str) else f", not {_name_type(value)}"


def _name_type(value: object) -> str:
    return _TYPES.get(type(value), "a number")
