"""JSON as bytes. Evidence is written down once: the same texts are sent again with every step of an episode."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from http_compat.problems import MalformedError

if TYPE_CHECKING:
    from scenarios.evidence import Evidence

_TEXTS_KEPT = 4096


def to_json(value: Any) -> bytes:
    """Plain values, and fragments of JSON among them, as JSON."""
    return orjson.dumps(value)


def parse_json(text: bytes | str) -> Any:
    """JSON as plain values.

    Raises:
        MalformedError: if it is not JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise MalformedError(f"The body is not JSON: {error}.") from error


def told(evidence: Evidence) -> orjson.Fragment:
    """The text of a piece of evidence, as JSON."""
    return _written(evidence.text)


@lru_cache(_TEXTS_KEPT)
def _written(text: str) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(text))
