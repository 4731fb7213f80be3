"""Where names of services stand in a text, the longest first."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from graders.prose.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.terms import Span, Words


def find_mentions(words: Words, name: str, names: tuple[str, ...]) -> list[Span]:
    """Every place at which a name stands for itself and is not a part of a longer one of the names."""
    return find_named(words, names if name in names else (*names, name)).get(name, [])


@lru_cache(maxsize=4096)
def find_named(words: Words, names: tuple[str, ...]) -> dict[str, list[Span]]:
    """By name the places, as (start, end), at which each of the names stands and is not a part of a longer one."""
    found: dict[str, list[Span]] = {}
    for name, place in walk_named(words, names):
        found.setdefault(name, []).append(place)
    return found


def walk_named(words: Words, names: tuple[str, ...], start: int = 0) -> Iterator[tuple[str, Span]]:
    """The names and places that `find_named` gives for the words from a place on, one after another."""
    index = _index_names(names)
    covered = start
    for here in range(start, len(words)):
        for spelt, name in index.get(words[here], ()):
            end = here + len(spelt)
            if end > covered and words[here:end] == spelt:
                covered = end
                yield name, (here, end)
                break


@lru_cache(maxsize=256)
def measure_longest(names: tuple[str, ...]) -> int:
    """The number of words of the longest name."""
    return max((len(spelt) for known in _index_names(names).values() for spelt, _ in known), default=0)


@lru_cache(maxsize=256)
def _index_names(names: tuple[str, ...]) -> dict[str, list[tuple[Words, str]]]:
    """Names by their first word, as words, the longest first."""
    index: dict[str, list[tuple[Words, str]]] = {}
    for spelt, name in sorted(((split_words(name), name) for name in names), key=lambda named: -len(named[0])):
        if spelt:
            index.setdefault(spelt[0], []).append((spelt, name))
    return index
