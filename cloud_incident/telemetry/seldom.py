"""Warnings that clients cause: a client that sends nonsense must not fill the log."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 1.0
"""How often one place in the program has its warning written at most, in seconds."""


class _Told(NamedTuple):
    """When a warning was last written, and how many like it were left out since."""

    at: float
    left_out: int = 0


class SeldomFilter(logging.Filter):
    """Lets through one record a second of each place in the program; a later one says how many were left out.

    Errors of different types from one place are different. Records of the logger `but` all go through. `clock` gives
    seconds.
    """

    def __init__(self, but: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._but = but
        self._clock = clock
        self._told: dict[object, _Told] = {}  # as many as there are places

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == self._but:
            return True
        error = record.exc_info[0] if record.exc_info else None
        place = record.name, record.pathname, record.lineno, error
        now, told = self._clock(), self._told.get(place)
        if told is not None and now - told.at < SECONDS:
            self._told[place] = _Told(told.at, told.left_out + 1)
            return False
        self._told[place] = _Told(now)
        if told is not None and told.left_out:
            record.msg, record.args = f"{record.getMessage()} ({told.left_out} more like it were left out)", None
        return True
