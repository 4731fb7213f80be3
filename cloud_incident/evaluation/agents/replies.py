"""What a chat endpoint answered, read tolerantly: servers differ in what they leave out."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from cloud_incident.evaluation.agents.agent import Usage


class UnreadableError(ValueError):
    """An answer that is no chat completion. The message says what it is instead."""


class Prices(NamedTuple):
    """US dollars for a million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        """The tokens with what they cost."""
        millionths = prompt_tokens * self.prompt + completion_tokens * self.completion
        return Usage(prompt_tokens, completion_tokens, millionths / 1_000_000)


FREE = Prices()


class Call(NamedTuple):
    """A tool that a model called; `arguments` is the text it wrote, JSON or not."""

    id: str
    name: str
    arguments: str


class Reply(NamedTuple):
    """What a model said, the tool it called first, if any, and what that took."""

    content: str
    call: Call | None
    usage: Usage


def read_reply(body: bytes, prices: Prices) -> Reply:
    """The first choice of a chat completion.

    Raises:
        UnreadableError: if there is none.
    """
    try:
        completion = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("an answer that is not JSON") from error
    message = _message(completion)
    return Reply(_text(message.get("content")), _call(message.get("tool_calls")), _usage(completion, prices))


def _message(completion: Any) -> dict[str, Any]:
    choices = completion.get("choices") if isinstance(completion, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(message, dict):
        raise UnreadableError("an answer without choices")
    return message


def _text(content: Any) -> str:
    """The text of a message, which some servers give in parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return _clean(content) if isinstance(content, str) else ""


def _clean(text: str) -> str:
    """JSON can escape halves of characters, which nothing can be sent or stored with."""
    return text.encode("utf-8", "replace").decode()


def _call(calls: Any) -> Call | None:
    """The first call: one step is taken at a time, and some chat templates take no more than one."""
    first = calls[0] if isinstance(calls, list) and calls else None
    function = first.get("function") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(function, dict):
        return None
    arguments = function.get("arguments")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    identity, name = first.get("id") or "call", function.get("name") or ""
    return Call(_clean(str(identity)), _clean(str(name)), _clean(written))


def _usage(completion: dict[str, Any], prices: Prices) -> Usage:
    given = completion.get("usage")
    usage = given if isinstance(given, dict) else {}
    return prices.usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
