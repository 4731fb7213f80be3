"""Errors that a caller can act on: one base class, and one table of what each code means on every surface."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, SERVER_ERROR = -32602, -32000
"""JSON-RPC 2.0 error codes. INVALID_PARAMS: the request cannot be served as it is. SERVER_ERROR: the server cannot
serve it now."""


RETRY_SECONDS = 5
"""After how many seconds to try again what the server refused because it has no room or too much to do."""


class ErrorKind(NamedTuple):
    """What a code means: HTTP status, JSON-RPC error code, exit status of a command, and when it occurs."""

    status: int
    rpc: int
    exit: int
    meaning: str


ERRORS: dict[str, ErrorKind] = {
    "invalid_action": ErrorKind(422, INVALID_PARAMS, 2, "An action or arguments that are not valid."),
    "not_json": ErrorKind(422, PARSE_ERROR, 1, "A body or message that is not JSON."),
    "malformed": ErrorKind(422, INVALID_PARAMS, 1, "A body, query or message that cannot be read."),
    "invalid_request": ErrorKind(
        422, INVALID_REQUEST, 1, "A message that is not a JSON-RPC request, or not one that is allowed here."
    ),
    "unknown_method": ErrorKind(404, METHOD_NOT_FOUND, 1, "A JSON-RPC method or a message type that does not exist."),
    "invalid_document": ErrorKind(422, INVALID_PARAMS, 1, "An incident file that cannot be used."),
    "contradictory_selection": ErrorKind(409, INVALID_PARAMS, 2, "A choice of incident that contradicts itself."),
    "unknown_scenario": ErrorKind(404, INVALID_PARAMS, 1, "A task, scenario, split or index that does not exist."),
    "unknown_episode": ErrorKind(404, INVALID_PARAMS, 1, "An episode that was never opened, was closed or expired."),
    "no_episode": ErrorKind(404, INVALID_PARAMS, 1, "The request names no episode, and there is no default."),
    "episode_exists": ErrorKind(409, INVALID_PARAMS, 1, "A handle that an episode has already, finished or not."),
    "episode_reopened": ErrorKind(409, INVALID_PARAMS, 1, "An incarnation that is not the one of the handle any more."),
    "episode_over": ErrorKind(409, INVALID_PARAMS, 1, "An action on an episode that has ended."),
    "stale_reference": ErrorKind(409, INVALID_PARAMS, 1, "An episode whose incident or rules have changed since."),
    "request_id_reused": ErrorKind(409, INVALID_PARAMS, 1, "A request id that was used for another action."),
    "unknown_step": ErrorKind(422, INVALID_PARAMS, 1, "A step that the episode has not taken."),
    "append_conflict": ErrorKind(409, SERVER_ERROR, 1, "Somebody else acted on the episode first; try again."),
    "no_capacity": ErrorKind(
        503, SERVER_ERROR, 1, "The limit of open episodes, sessions or runs is reached; close one, or try again later."
    ),
    "busy": ErrorKind(503, SERVER_ERROR, 1, "The server has too much to do now; try again in a few seconds."),
    "store_unavailable": ErrorKind(503, SERVER_ERROR, 1, "The store of episodes does not answer now; try again."),
    "not_ready": ErrorKind(503, SERVER_ERROR, 1, "A server that can take no work now."),
    "unknown_session": ErrorKind(404, INVALID_PARAMS, 1, "A session that was never opened or was closed."),
    "session_in_use": ErrorKind(409, INVALID_PARAMS, 1, "A session that has a WebSocket or an episode already."),
    "unauthenticated": ErrorKind(401, INVALID_REQUEST, 1, "A call without a valid token, where one is needed."),
    "insufficient_scope": ErrorKind(403, INVALID_REQUEST, 1, "A call whose token does not allow for it."),
    "not_allowed": ErrorKind(403, INVALID_PARAMS, 1, "Something that this server does not let the caller do."),
    "unknown_agent": ErrorKind(404, INVALID_PARAMS, 1, "An agent that does not exist or cannot be used this way."),
    "unknown_check": ErrorKind(404, INVALID_PARAMS, 1, "A check of the audit that does not exist."),
    "agent_mismatch": ErrorKind(
        409, INVALID_PARAMS, 1, "A model was given for an agent that uses none, or is missing for one that needs it."
    ),
    "unknown_run": ErrorKind(404, INVALID_PARAMS, 1, "A run that was never started or has been forgotten."),
    "unknown_file": ErrorKind(404, INVALID_PARAMS, 1, "A stored evaluation or trajectory that does not exist."),
    "unreadable_file": ErrorKind(422, INVALID_PARAMS, 1, "A file or an upload that does not hold trajectories."),
    "missing_extra": ErrorKind(501, SERVER_ERROR, 1, "A package of an extra that is not installed."),
    "needs_one_process": ErrorKind(
        501, SERVER_ERROR, 1, "Something that one process has to remember, on a server of several."
    ),
    "unreplayable": ErrorKind(409, INVALID_PARAMS, 1, "A trajectory that cannot have been played here."),
}
"""Every code. Surfaces take the status, the JSON-RPC code or the exit status of an error from here."""


class CloudIncidentError(Exception):
    """An error that a caller can act on. Nothing has changed. `explain` says what was wrong and what to do next."""

    code: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if getattr(cls, "code", None) not in ERRORS:
            raise TypeError(f"{cls.__name__}: the code {getattr(cls, 'code', None)!r} is not in the table of errors")

    @property
    def kind(self) -> ErrorKind:
        """What the error means on every surface."""
        return ERRORS[self.code]

    def explain(self, starting: str) -> str:  # noqa: ARG002 - subclasses use it
        """The message with what to do next. `starting` is how an episode is started there, such as `POST /reset`."""
        return str(self)
