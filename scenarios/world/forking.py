"""Copies of what changes while a system runs, so that two runs can go on from the same moment."""

from __future__ import annotations

from copy import copy
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import TypeVar, cast

import numpy as np

Value = TypeVar("Value")


def fork(value: Value) -> Value:
    """A copy of arrays, lists, dictionaries and dataclasses, and of such within them; frozen things are shared."""
    forked: object = value
    if isinstance(value, np.ndarray):
        forked = value.copy()
    elif isinstance(value, list):
        forked = [fork(item) for item in value]
    elif isinstance(value, dict):
        forked = {key: fork(item) for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        forked = copy(value)
        try:
            for spec in fields(value):
                setattr(forked, spec.name, fork(getattr(value, spec.name)))
        except FrozenInstanceError:
            return value
    return cast("Value", forked)
