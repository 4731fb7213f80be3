"""What a text affirms: of which terms it says, at least once, that they are so."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graders.prose.clauses import split_clauses
from graders.prose.denials import Denials, has_denial_behind, list_denials
from graders.terms import Mention, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class _Read(NamedTuple):
    """A text that was read: its clauses, and what each of them denies."""

    reading: Reading
    denials: tuple[Denials, ...]


@lru_cache(maxsize=256)
def _read(text: str) -> _Read:
    reading = Reading(split_clauses(text))
    return _Read(reading, tuple(map(list_denials, reading.clauses)))


class Affirmed(NamedTuple):
    """What a text affirms of some groups of terms: which of them, and in how many of its words."""

    groups: tuple[bool, ...]
    words: int


@lru_cache(maxsize=4096)
def find_affirmed(text: str, groups: tuple[tuple[str, ...], ...]) -> Affirmed:
    """Which groups of terms a text affirms: of which it says, at least once, that one of the terms is so.

    A denial that is part of an affirmed term denies nothing else: *the variable isn't set* is about the variable,
    if *not set* is a term of another of the groups.
    """
    reading, denials = _read(text)
    standing = [
        [mention for mention in reading.find(group) if not denials[mention.clause].rule_out(mention.end)]
        for group in groups
    ]
    spent = _list_spent(denials, standing)
    affirmed = [
        [mention for mention in group if not _is_denied_there(reading, denials, mention, spent)] for group in standing
    ]
    words = {(mention.clause, index) for group in affirmed for mention in group for index in mention.list_words()}
    return Affirmed(tuple(map(bool, affirmed)), len(words))


def mentions_all(text: str, groups: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a term of each of the groups stands in a text, denied or not. No text affirms all of them without."""
    return all(map(_read(text).reading.find, groups))


def _is_denied_there(
    reading: Reading, denials: tuple[Denials, ...], mention: Mention, spent: Mapping[int, set[int]]
) -> bool:
    clause = mention.clause
    here = spent.get(clause, ())
    return denials[clause].reach(mention.start, here) or has_denial_behind(reading.clauses[clause], mention.end, here)


def _list_spent(denials: tuple[Denials, ...], groups: Iterable[Iterable[Mention]]) -> dict[int, set[int]]:
    """By clause, the words of denial that are part of an affirmed term."""
    spent: dict[int, set[int]] = {}
    for group in groups:
        for clause, start, end, _ in group:
            if not denials[clause].reach(start):
                spent.setdefault(clause, set()).update(range(start, end))
    return spent


def affirms(text: str, *terms: str) -> bool:
    """Whether a text says that one of the terms is so, at least once: stated, and not denied in its clause."""
    return find_affirmed(text, (terms,)).groups[0]
