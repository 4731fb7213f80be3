"""Errors in the words of this surface: texts that an agent can act on, and errors of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError

from env_core.calls import note_refusal
from env_core.reference import StaleReferenceError
from env_core.stores import AppendConflictError, CapacityError
from env_core.transition import EpisodeOverError
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.vocabulary import ActionDeclaration, Task


class HandleError(CloudIncidentError):
    """A call without a handle where it does not say by itself which episode is meant. The message says what to do."""

    code = "no_episode"


class NotOfferedError(CloudIncidentError):
    """A call of an action that is not one of the task's, by an agent that works that task alone."""

    code = "invalid_action"

    def __init__(self, action: ActionDeclaration, task: Task) -> None:
        super().__init__(
            f"{action.name} is not an action of {task.id}; nothing was done. {task.submission.name} answers this task "
            f"and ends it. Actions: {', '.join(task.available_actions)}."
        )


def explain_error(error: CloudIncidentError) -> str:
    """What a caller is told that asked to see or to control an episode."""
    if isinstance(error, StaleReferenceError):
        return f"{error} Close this incident and start another."
    if isinstance(error, CapacityError):
        return (
            f"All {error.most} drills that this server keeps are open. Close one with close_drill, or try again later."
        )
    return str(error)


def explain_refused_action(error: CloudIncidentError, after_the_end: str) -> str:
    """What an agent is told whose action was refused; `after_the_end` is what it can do once its incident is over."""
    if isinstance(error, EpisodeOverError):
        score = "" if error.score is None else f", score {error.score:.4f}"
        return f"This incident is over: {error.scenario_id}{score}. Nothing was done. {after_the_end}"
    if isinstance(error, AppendConflictError):
        return "Others act on this incident at the same time. Nothing was changed; call again."
    if isinstance(error, StaleReferenceError):
        return f"{error} Nothing was changed."
    return str(error)


def to_mcp_error(error: CloudIncidentError, data: Mapping[str, Any] | None = None) -> MCPError:
    """The error of the protocol that stands for an error, with the code that the table of errors gives it."""
    note_refusal(error.code)
    return MCPError(code=error.kind.rpc, message=explain_error(error), data=data)
