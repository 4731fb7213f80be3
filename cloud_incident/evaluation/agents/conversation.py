"""A conversation with a model, kept so that it can be rendered with tool calls or as plain text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.replies import ModelReply, ModelToolCall

Message = dict[str, Any]
"""A message in the chat format."""

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class _Turn:
    """One turn of the model: its text, its tool call, and what it was told in return."""

    text: str
    call: ModelToolCall | None
    answer: list[str] = field(default_factory=list)


class Conversation:
    """An opening, then the turns of the model with what it was told after each."""

    def __init__(self) -> None:
        self._opening: list[str] = []
        self._turns: list[_Turn] = []

    def tell(self, text: str) -> None:
        """Add a text to what the model is told next."""
        (self._turns[-1].answer if self._turns else self._opening).append(text)

    def hear(self, reply: ModelReply) -> None:
        """Add a reply of the model."""
        call = reply.call
        if call is None or _is_well_formed(call):
            self._turns.append(_Turn(reply.content, call))
        else:
            self._turns.append(_Turn(_write_call_as_text(reply.content, call), None))

    @property
    def turns(self) -> int:
        """The number of replies of the model."""
        return len(self._turns)

    def forget(self, turns: int) -> None:
        """Keep only the first `turns` turns."""
        del self._turns[turns:]

    def render_messages(self, *, tools: bool) -> list[Message]:
        """Render the conversation in the chat format. Roles alternate strictly, as some chat templates demand."""
        messages: list[Message] = [{"role": "user", "content": _join(self._opening)}]
        for turn in self._turns:
            messages.append(_format_model_turn(turn, tools=tools))
            if turn.answer:
                messages.append(_format_answer(turn, tools=tools))
        return messages


def _format_model_turn(turn: _Turn, *, tools: bool) -> Message:
    call = turn.call
    if call is None:
        return {"role": "assistant", "content": turn.text or "(nothing)"}
    if tools:
        function = {"name": call.name, "arguments": call.arguments}
        called = {"id": call.id, "type": "function", "function": function}
        return {"role": "assistant", "content": turn.text, "tool_calls": [called]}
    return {"role": "assistant", "content": _write_call_as_text(turn.text, call)}


def _write_call_as_text(text: str, call: ModelToolCall) -> str:
    written = f'{{"action_type": {json.dumps(call.name)}, "parameters": {call.arguments}}}'
    return f"{text}\n{written}".strip()


def _is_well_formed(call: ModelToolCall) -> bool:
    """Whether a server would accept the call in a conversation: some refuse a call that they could not have made."""
    try:
        return _TOOL_NAME.fullmatch(call.name) is not None and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        return False


def _format_answer(turn: _Turn, *, tools: bool) -> Message:
    if tools and turn.call is not None:
        return {"role": "tool", "tool_call_id": turn.call.id, "content": _join(turn.answer)}
    return {"role": "user", "content": _join(turn.answer)}


def _join(parts: list[str]) -> str:
    return "\n\n".join(parts)
