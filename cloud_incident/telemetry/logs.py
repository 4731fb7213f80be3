"""Logs: one line for each thing that happened, as text or as JSON, on standard error."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from logging.config import dictConfig
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from cloud_incident.settings.watching import LogFormat
from cloud_incident.telemetry.calls import NOWHERE, Sink, WatchedCall, clean
from cloud_incident.telemetry.seldom import SeldomFilter
from env_core.calls import CURRENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.episode import Episode
    from env_core.transition import Transition


EVENTS: Mapping[str, str] = {
    "request": "an HTTP request was answered",
    "message": "a message on a WebSocket was answered",
    "call": "a request of MCP was answered",
    "opened": "an episode was opened",
    "forked": "an episode was forked off another one",
    "ended": "an episode has ended, by a submission or at its step limit",
    "closed": "an episode was closed",
    "expired": "an episode was deleted: it had expired, or another one took its room or its handle",
    "refused": "a call was refused (with `--log episodes`; with `requests` its own line says so)",
}
"""The events that lines tell of. A line without an `event` is a warning or an error, in words."""

FIELDS: Mapping[str, str] = {
    "time": "when, in UTC",
    "level": "`info`, `warning`, `error` or `critical`",
    "event": "what happened",
    "logger": "which part of the program speaks, where there is no `event`",
    "message": "what it says",
    "exception": "the traceback of an error",
    "surface": "how the call came: `rest`, `websocket`, `rpc` (OpenEnv's JSON-RPC), `mcp`, `agent`, `sse`, `stdio`, "
    "`console`; `inside` where no call asked for it",
    "method": "the HTTP method, or the method of MCP",
    "route": "the template of the path, such as `/agent/{key}/mcp`; empty where there is no such path",
    "operation": "the type of a WebSocket message, the JSON-RPC method or the tool",
    "status": "the HTTP status; 0 if the client left before the answer",
    "ms": "milliseconds from the arrival to the answer",
    "bytes": "size of the answer's body",
    "caller": "the name that belongs to the token; never the token",
    "request_id": "the id of the request, which its answer has as `X-Request-ID`; all messages of a WebSocket have one",
    "episode_id": "the episode that was named or meant",
    "refusal": "the code of the error ([errors](errors.md)), or `http_` and the status",
    "task": "the task of the episode",
    "scenario": "the scenario of the episode",
    "steps": "how many steps it took",
    "score": "its score, from 0 to 1",
    "truncated": "true if the step limit ended it",
}
"""The fields of lines. One that has nothing to say is left out."""

_LOGGER = logging.getLogger("cloud_incident.events")
_EXTRA = "fields"
_LONGEST_MESSAGE = 500
"""Characters of a message that says what a client has sent; those of libraries repeat it."""
_PLAIN = re.compile(r"[!#-<>-~]+")
"""What text lines need not quote: printable, without blanks, quotes and equals signs."""


class LogSink(Sink):
    """Writes what happens to episodes into the log and, with `requests`, each call."""

    def __init__(self, *, requests: bool) -> None:
        self._requests = requests

    def note_end(self, call: WatchedCall) -> None:
        if self._requests:
            fields: dict[str, Any] = {"surface": call.way}
            if call.method:
                fields["method"] = call.method
            if call.kind != "call":
                fields["route"] = call.route
            if call.operation:
                fields["operation"] = call.operation
            if call.kind == "request":
                fields["status"] = call.status
            fields["ms"] = round(call.seconds * 1000, 3)
            if call.kind != "call":
                fields["bytes"] = call.size
            if call.refusal:
                fields["refusal"] = call.refusal
            _write(call.kind, _name(fields, call))
        elif call.refusal:
            _write("refused", _name({"surface": call.way, "operation": call.name, "refusal": call.refusal}, call))

    def note_asked(self, handle: str) -> None:
        call = CURRENT.get()
        if isinstance(call, WatchedCall):
            call.episode_id = handle

    def note_opened(self, episode: Episode, *, forked: bool) -> None:
        self._tell("forked" if forked else "opened", episode.id, _describe(episode))

    def note_step(self, transition: Transition) -> None:
        episode = transition.episode
        self.note_asked(episode.id)
        if episode.grade is not None:
            outcome = {"steps": episode.step_count, "score": episode.grade.score, "truncated": episode.truncated}
            self._tell("ended", episode.id, {**_describe(episode), **outcome})

    def note_closed(self, handle: str) -> None:
        self._tell("closed", handle)

    def note_forgotten(self, handle: str) -> None:
        self._tell("expired", handle)

    def _tell(self, event: str, handle: str, fields: Mapping[str, Any] | None = None) -> None:
        told = {"episode_id": clean(handle), **(fields or {})}
        call = CURRENT.get()
        if not isinstance(call, WatchedCall):
            _write(event, {"surface": NOWHERE, **told})
            return
        if event in {"opened", "forked"}:
            call.episode_id = handle
        _write(event, {"surface": call.way, **_name({}, call), **told})


def configure(style: LogFormat) -> None:
    """Have every log of this process written to standard error in a format, uvicorn's included.

    Warnings and errors of one kind are written once a second at most.
    """
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"lines": {"()": JsonLines if style is LogFormat.JSON else TextLines}},
            "filters": {"seldom": {"()": SeldomFilter, "but": _LOGGER.name}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["seldom"]}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {
                _LOGGER.name: {"level": "INFO"},
                **{
                    name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.error", "uvicorn.access")
                },
            },
        }
    )


class _Lines(logging.Formatter):
    """Formats a record as one line, whatever its message holds."""

    def read_fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """The fields of a record, in their order."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {"time": time, "level": record.levelname.lower()}
        if record.name == _LOGGER.name:
            fields["event"] = record.msg
            fields.update(getattr(record, _EXTRA))
            return fields
        fields["logger"] = record.name
        message = record.getMessage()
        cut = message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"
        fields["message"] = _write_text(cut)
        if record.exc_info:
            fields["exception"] = "\n".join(map(_write_text, self.formatException(record.exc_info).splitlines()))
        return fields


class JsonLines(_Lines):
    """A JSON object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(self.read_fields(record), default=str).decode()


class TextLines(_Lines):
    """For people: the time, the level and the event, and the other fields as `name=value`.

    A traceback has lines, which are indented, so that no error message can look like a line of the log.
    """

    _TOLD_BY_PLACE: ClassVar = frozenset({"time", "level", "event", "logger", "message", "exception"})

    def format(self, record: logging.LogRecord) -> str:
        fields = self.read_fields(record)
        what = fields["event"] if "event" in fields else f"{fields['logger']}: {fields['message']}"
        rest = [f"{name}={_write_value(value)}" for name, value in fields.items() if name not in self._TOLD_BY_PLACE]
        line = " ".join([fields["time"], fields["level"].upper(), what, *rest])
        return "\n    ".join([line, *fields.get("exception", "").splitlines()])


def _write(event: str, fields: dict[str, Any]) -> None:
    _LOGGER.info(event, extra={_EXTRA: fields})


def _name(fields: dict[str, Any], call: WatchedCall) -> dict[str, Any]:
    """Add who called, in which request, and about which episode."""
    if caller := call.caller:
        fields["caller"] = caller
    fields["request_id"] = call.request_id
    if call.episode_id:
        fields["episode_id"] = clean(call.episode_id)
    return fields


def _describe(episode: Episode) -> dict[str, Any]:
    return {"task": episode.task.id, "scenario": clean(episode.reference.scenario_id)}


def _write_text(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _write_value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
