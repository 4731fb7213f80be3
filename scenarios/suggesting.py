"""The closest of the names that exist to one that does not, for messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 3
_LONGEST = 64
_ALIKE = 0.6
"""How much of two names must be the same, 0 to 1."""


def suggest(name: str, names: Iterable[str]) -> str:
    """A question such as `Did you mean postgres-db or postgres?` with the closest names, or "" where none is close.

    Case does not matter. The names are given as they are written in `names`, the closest first, three at most.
    """
    known = {known.casefold(): known for known in names}
    close = [known[found] for found in get_close_matches(name.casefold()[:_LONGEST], known, _MOST, _ALIKE)]
    return f"Did you mean {' or '.join(close)}?" if close else ""
