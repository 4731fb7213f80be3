"""JSON as bytes. A text of evidence is encoded once, because it is sent again with every step of its episode."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from http_compat.problems import NotJsonError

if TYPE_CHECKING:
    from scenarios.evidence import Evidence

_TEXTS_KEPT = 4096
"""Encoded texts that are kept, those used last."""


def to_json(value: Any) -> bytes:
    """Plain values, and fragments of JSON among them, as JSON."""
    return orjson.dumps(value)


def parse_json(text: bytes | str) -> Any:
    """JSON as plain values.

    Raises:
        NotJsonError: if it is not JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise NotJsonError(f"The body is not JSON: {error}.") from error


def encode_evidence(evidence: Evidence) -> orjson.Fragment:
    """The text of a piece of evidence, as a fragment of JSON."""
    return _encode_text(evidence.text)


@lru_cache(_TEXTS_KEPT)
def _encode_text(text: str) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(text))
