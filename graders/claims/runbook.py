"""How prose names a step of the runbook: by its name, or by its words with the verb inflected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.claims.standing import is_stated
from graders.kin import PASSIVE
from graders.prose import find_occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.claims.clauses import Clause
    from graders.terms import Span

_IRREGULAR = {"rebuild": ("rebuilt",)}


def names_step(clause: Clause, step: str) -> bool:
    """Whether a runbook step is stated by its name, or by its words with the verb inflected."""
    return any(find_step(clause, step))


def find_step(clause: Clause, step: str) -> Iterator[Span]:
    """Where a runbook step is stated by its name or its words: the places of its verb."""
    first, *rest = step.split("_")
    if not clause.known.issuperset(rest):
        return
    stem, what = first.rstrip("ey") + "*", " ".join(rest)
    stems = (stem, *_IRREGULAR.get(first, ()))
    active = tuple(f"{verb} {article}{what}" for verb in stems for article in ("", "the ", "a "))
    passive = tuple(f"{what} {be} {verb}" for verb in stems for be in sorted(PASSIVE))
    for start, end in find_occurrences(clause.words, *active, *passive):
        if is_stated(clause.words, start, end) and not (start and clause.words[end - 1].endswith("ing")):
            is_active = clause.words[end - 1] == (rest or [first])[-1]
            yield (start, start + 1) if is_active else (end - 1, end)


def hints_at_step(clause: Clause, step: str) -> bool:
    """Whether the deed and the last word of a runbook step stand together: *restored the routes*."""
    first, *_, last = step.split("_")
    deeds = find_occurrences(clause.words, first.rstrip("ey") + "*")
    named = any(find_occurrences(clause.words, last.rstrip("s") + "*"))
    return named and any(is_stated(clause.words, start, end) for start, end in deeds)
