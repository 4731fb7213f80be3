"""A conversation with a model, kept so that it can be put in tool calls or in plain text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.replies import Call, Reply

Message = dict[str, Any]
"""A message in the chat format."""

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class _Turn:
    said: str
    call: Call | None
    answer: list[str] = field(default_factory=list)


class Conversation:
    """What the model is told at first, then in turn what it said and what it was told in return."""

    def __init__(self) -> None:
        self._opening: list[str] = []
        self._turns: list[_Turn] = []

    def tell(self, text: str) -> None:
        """Add to what the model is told next."""
        (self._turns[-1].answer if self._turns else self._opening).append(text)

    def hear(self, reply: Reply) -> None:
        """Add what the model said."""
        call = reply.call
        if call is None or _well_formed(call):
            self._turns.append(_Turn(reply.content, call))
        else:
            self._turns.append(_Turn(_in_text(reply.content, call), None))

    @property
    def turns(self) -> int:
        """How many times the model spoke."""
        return len(self._turns)

    def forget(self, turns: int) -> None:
        """Go back to the first so many turns."""
        del self._turns[turns:]

    def messages(self, *, tools: bool) -> list[Message]:
        """The conversation in the chat format, roles in strict alternation: some chat templates insist on it."""
        messages: list[Message] = [{"role": "user", "content": _joined(self._opening)}]
        for turn in self._turns:
            messages.append(_spoken(turn, tools=tools))
            if turn.answer:
                messages.append(_answered(turn, tools=tools))
        return messages


def _spoken(turn: _Turn, *, tools: bool) -> Message:
    call = turn.call
    if call is None:
        return {"role": "assistant", "content": turn.said or "(nothing)"}
    if tools:
        function = {"name": call.name, "arguments": call.arguments}
        called = {"id": call.id, "type": "function", "function": function}
        return {"role": "assistant", "content": turn.said, "tool_calls": [called]}
    return {"role": "assistant", "content": _in_text(turn.said, call)}


def _in_text(said: str, call: Call) -> str:
    written = f'{{"action_type": {json.dumps(call.name)}, "parameters": {call.arguments}}}'
    return f"{said}\n{written}".strip()


def _well_formed(call: Call) -> bool:
    """Servers that read the calls of a conversation refuse it for one that they could not have made."""
    try:
        return _TOOL_NAME.fullmatch(call.name) is not None and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        return False


def _answered(turn: _Turn, *, tools: bool) -> Message:
    if tools and turn.call is not None:
        return {"role": "tool", "tool_call_id": turn.call.id, "content": _joined(turn.answer)}
    return {"role": "user", "content": _joined(turn.answer)}


def _joined(parts: list[str]) -> str:
    return "\n\n".join(parts)
