"""The clauses of a summary, each a part of a sentence with one subject."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from graders.prose import bound_clauses, ends_clause, split_sentences, split_words

if TYPE_CHECKING:
    from graders.terms import Words


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence with one subject; commas are kept out, lists of targets in."""

    words: Words
    known: frozenset[str]
    """Its words, each once."""
    sentence: Words


@lru_cache(maxsize=128)
def list_clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a text, each with the sentence that it is part of."""
    return tuple(
        Clause(words, frozenset(words), tuple(chain.from_iterable(clauses)))
        for clauses in list_sentences(text)
        for words in clauses
    )


@lru_cache(maxsize=128)
def list_sentences(text: str) -> tuple[tuple[Words, ...], ...]:
    """The sentences of a text, as the clauses of each."""
    return tuple(tuple(_split(sentence)) for sentence in split_sentences(text))


def _split(sentence: str) -> list[Words]:
    """The clauses of a sentence. A colon ends none, and a comma only where a new subject follows it."""
    stream = split_words(sentence)
    found: list[list[str]] = [[]]
    for index, word in enumerate(stream):
        if word == ",":
            if stream[index + 1 : index + 2] in {("we",), ("i",)} or stream[index + 1 : index + 3] == ("then", "we"):
                found.append([])
        elif word != ":" and ends_clause(stream, index):
            found.append([])
        elif word != ":":
            found[-1].append(word)
    return bound_clauses(found)
