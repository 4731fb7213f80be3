"""Reads the answers of chat endpoints. It is tolerant, because servers differ in what they leave out."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from cloud_incident.evaluation.agents.agent import Usage


class UnreadableReplyError(ValueError):
    """The answer is not a chat completion. The message says what it is instead."""


class Prices(NamedTuple):
    """Prices in US dollars per million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def price_usage(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        """Price a number of tokens."""
        millionths = prompt_tokens * self.prompt + completion_tokens * self.completion
        return Usage(prompt_tokens, completion_tokens, millionths / 1_000_000)


FREE = Prices()


class ModelToolCall(NamedTuple):
    """A tool call of a model. `arguments` is the text that the model wrote, which may not be JSON."""

    id: str
    name: str
    arguments: str


class ModelReply(NamedTuple):
    """The reply of a model: its text, its first tool call if it made one, and the cost."""

    content: str
    call: ModelToolCall | None
    usage: Usage


def read_reply(body: bytes, prices: Prices) -> ModelReply:
    """Read the first choice of a chat completion.

    Raises:
        UnreadableError: if there is none.
    """
    try:
        completion = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableReplyError("an answer that is not JSON") from error
    message = _extract_message(completion)
    return ModelReply(
        _extract_text(message.get("content")),
        _extract_call(message.get("tool_calls")),
        _extract_usage(completion, prices),
    )


def _extract_message(completion: Any) -> dict[str, Any]:
    choices = completion.get("choices") if isinstance(completion, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(message, dict):
        raise UnreadableReplyError("an answer without choices")
    return message


def _extract_text(content: Any) -> str:
    """Extract the text of a message. Some servers give it in parts."""
    if isinstance(content, list):
        return "".join(_extract_text(part.get("text")) for part in content if isinstance(part, dict))
    return _replace_surrogates(content) if isinstance(content, str) else ""


def _replace_surrogates(text: str) -> str:
    """Replace lone surrogates: JSON can escape them, but they cannot be sent or stored."""
    return text.encode("utf-8", "replace").decode()


def _extract_call(calls: Any) -> ModelToolCall | None:
    """Extract the first call: the agent takes one step at a time, and some chat templates accept only one call."""
    first = calls[0] if isinstance(calls, list) and calls else None
    function = first.get("function") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(function, dict):
        return None
    arguments = function.get("arguments")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    identity, name = first.get("id") or "call", function.get("name") or ""
    return ModelToolCall(
        _replace_surrogates(str(identity)), _replace_surrogates(str(name)), _replace_surrogates(written)
    )


def _extract_usage(completion: dict[str, Any], prices: Prices) -> Usage:
    given = completion.get("usage")
    usage = given if isinstance(given, dict) else {}
    return prices.price_usage(
        _extract_count(usage.get("prompt_tokens")), _extract_count(usage.get("completion_tokens"))
    )


def _extract_count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
