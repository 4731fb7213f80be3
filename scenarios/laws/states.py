"""The state of a run as a digest, so that two can be compared."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scenarios.world.state import State

_NOT_STATE = frozenset({"events", "tasks", "time", "passed", "ledger"})
"""What happened, what was ordered and when is no state of the system."""


def digest_state(state: State) -> str:
    """A digest of everything that runs, without what is known of it."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(list(_describe(state))).encode())
    return digest.hexdigest()


def _describe(value: object) -> list[object]:
    if isinstance(value, np.ndarray):
        return [value.tobytes()]
    if isinstance(value, list | tuple):
        return [part for item in value for part in (_describe(item) or ["-"])] + [len(value)]
    if isinstance(value, dict):
        return [part for key, item in value.items() for part in (repr(key), *_describe(item))]
    if is_dataclass(value) and not isinstance(value, type):
        named = [(spec.name, getattr(value, spec.name)) for spec in fields(value) if spec.name not in _NOT_STATE]
        return [part for name, item in named for part in (name, *_describe(item))]
    return [repr(value)]
