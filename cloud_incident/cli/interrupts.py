"""Ctrl-C: a command ends with the exit status that shells expect, and without a traceback."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED: Final = 128 + signal.SIGINT
"""The exit status after Ctrl-C."""


@contextmanager
def end_on_interrupt() -> Iterator[None]:
    """End the process with the exit status of Ctrl-C when that is pressed meanwhile."""
    try:
        yield
    except KeyboardInterrupt:
        _close_line()
        raise SystemExit(INTERRUPTED) from None


def end_at_once_on_interrupt() -> None:
    """From now on end the process when Ctrl-C is pressed, whatever its threads wait for. Nothing is tidied up."""
    signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(*_: object) -> None:
    _close_line()
    os._exit(INTERRUPTED)


def _close_line() -> None:
    """End the line on which a terminal shows ^C."""
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(err=True)
