"""What is being asked for right now: a note that surfaces complete, for those who watch a server run."""

from __future__ import annotations

from contextvars import ContextVar


class CurrentCall:
    """A request, a message on a WebSocket or a message of MCP, as far as it is known by now.

    `surface` is the way it came. `operation` names what it asks for, and is one of a fixed set of names. `refusal` is
    the code of the error that it was answered with; "" if there was none.
    """

    __slots__ = ("operation", "refusal", "surface")

    def __init__(self, surface: str = "", operation: str = "") -> None:
        self.surface = surface
        self.operation = operation
        self.refusal = ""


CURRENT: ContextVar[CurrentCall | None] = ContextVar("call", default=None)
"""The call that is being answered; None where nobody watches."""


def note_operation(operation: str, surface: str = "") -> None:
    """Say what the current call asks for, and by which surface if that is not what its path says."""
    if (call := CURRENT.get()) is not None:
        call.operation = operation
        call.surface = surface or call.surface


def note_refusal(code: str) -> None:
    """Say with which code of the table of errors the current call is refused."""
    if (call := CURRENT.get()) is not None:
        call.refusal = code
