"""The closest of the names that exist to one that does not, for messages."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_MOST = 3
_LONGEST = 64
_ALIKE = 0.6
"""How much of two names must be the same, 0 to 1."""
_AS_CLOSE = 0.1
"""How much less than the closest name another may be like the one given, to be told beside it."""


def suggest(name: str, names: Iterable[str]) -> str:
    """A question such as `Did you mean postgres-db or postgres?` with the closest names, or "" where none is close.

    Case does not matter. The names are given as they are written in `names`, the closest first, three at most.
    """
    matcher = SequenceMatcher(None, "", name.casefold()[:_LONGEST])
    alike: dict[str, float] = {}
    for known in names:
        matcher.set_seq1(known.casefold())
        if matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE:
            alike[known] = matcher.ratio()
    least = max(_ALIKE, max(alike.values(), default=0.0) - _AS_CLOSE)
    close = sorted((known for known in alike if alike[known] >= least), key=lambda known: -alike[known])[:_MOST]
    if not close:
        return ""
    *others, last = close
    return f"Did you mean {', '.join(others)} or {last}?" if others else f"Did you mean {last}?"


def describe_unknown(kind: str, name: str, names: Collection[str], listed: str = "") -> str:
    """Say that there is no such name: `Unknown split 'tset'. Did you mean test? Splits: curated, train, test.`

    `listed` stands in place of the list of all `names`, where it is given.
    """
    suggestion = suggest(name, names)
    said = f"Unknown {kind} {name[:_LONGEST]!r}. {suggestion}".rstrip()
    return f"{said} {kind.capitalize()}s: {listed or ', '.join(names)}."
