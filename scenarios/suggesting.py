"""The closest of the names that exist to one that does not, for messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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


def describe_unknown(kind: str, name: str, names: Collection[str], listed: str = "") -> str:
    """Say that there is no such name: `Unknown split 'tset'. Did you mean test? Splits: curated, train, test.`

    `listed` stands in place of the list of all `names`, where it is given.
    """
    suggestion = suggest(name, names)
    said = f"Unknown {kind} {name[:_LONGEST]!r}. {suggestion}".rstrip()
    return f"{said} {kind.capitalize()}s: {listed or ', '.join(names)}."
