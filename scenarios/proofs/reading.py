"""Reading many systems of one run: what was written down is put together once, not for each of them."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from scenarios.telemetry.pages import find_pages
from scenarios.world.record import Record

if TYPE_CHECKING:
    from scenarios.telemetry.pages import Page
    from scenarios.world import Run
    from scenarios.world.layout import Floats


class Stack(Record):
    """A record that is not added to: each of its parts is one array."""

    __slots__ = ("_known",)

    def __init__(self, record: Record) -> None:
        super().__init__(record.ticks, record.ledger)
        self._known: dict[str, Floats] = {}

    def get(self, name: str, first: int = 0, end: int | None = None) -> Floats:
        if name not in self._known:
            self._known[name] = super().get(name)
        return self._known[name][first:end]


def open_run(run: Run) -> Run:
    """A run to read from, as it stands now."""
    opened = copy(run)
    opened.record = Stack(run.record)
    return opened


def find_first_page(run: Run, until: int, system: int) -> Page | None:
    """The page that fired first in a system, if one did. Best asked of a run that was opened."""
    pages = find_pages(run, until, system)
    return pages[0] if pages else None
