"""The sentences and clauses of a text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from graders.prose.words import split_words

if TYPE_CHECKING:
    from graders.terms import Words

_ENDS = frozenset(".;:?!\n")
_CLAUSE_WORDS = frozenset(
    {"but", "because", "while", "instead", "so", "therefore", "hence", "thus", "since", "although", "though"}
    | {"whereas", "until", "after", "before", "causing", "leading", "making", "which"}
)
_CONJUNCTIONS = frozenset({"and", "or", "nor"})
_LONGEST_ITEM = {"and": 2, "or": 3, "nor": 3}
_LONGEST_MIDDLE_ITEM = 3
_LONGEST_CLAUSE = 60
"""In words. It bounds the work that a text without punctuation can cause."""
_MOST_CLAUSES = 150
"""What stands further on is not read: no summary of the longest length that is written in sentences has as many."""


@lru_cache(maxsize=256)
def split_clauses(text: str) -> tuple[Words, ...]:
    """The clauses of a text that state something, without their punctuation; questions state nothing.

    A clause ends at `.` `;` `:` `?` `!`, a newline, a dash, an arrow, a bracket, at conjunctions such as *but*,
    *because*, *while*, *instead*, *so*, *after*, and at a comma outside a list.
    """
    stream = split_words(text)
    in_lists = _find_commas_in_lists(stream)
    found: list[list[str]] = [[]]
    for index, word in enumerate(stream):
        if word == "?":
            found[-1] = []
        elif word == ",":
            if index not in in_lists:
                found.append([])
        elif ends_clause(stream, index):
            found.append([] if word in _ENDS else [word])
        else:
            found[-1].append(word)
    return tuple(bound_clauses(found))


def bound_clauses(clauses: list[list[str]]) -> list[Words]:
    """The clauses that have words, cut where they are longer than any sentence is."""
    return [
        tuple(clause[start : start + _LONGEST_CLAUSE])
        for clause in clauses
        for start in range(0, len(clause), _LONGEST_CLAUSE)
    ][:_MOST_CLAUSES]


def ends_clause(stream: Words, index: int) -> bool:
    """Whether a clause ends at the token of an index; commas are judged apart."""
    word = stream[index]
    return word in _ENDS or (word in _CLAUSE_WORDS and stream[index : index + 2] != ("instead", "of"))


def _find_commas_in_lists(stream: Words) -> frozenset[int]:
    """The commas that separate items of a list: short items, the last behind *and*, *or* or *nor*.

    They are looked at from the last to the first, because a comma stands in a list if the next one does, or if a
    conjunction and a short last item follow.
    """
    ends: dict[int, int] = {}
    """By comma, where the conjunction of its list stands."""
    for comma in range(len(stream) - 1, -1, -1):
        if stream[comma] == "," and (end := _find_end_of_list(stream, comma, ends)) >= 0:
            ends[comma] = end
    return frozenset(comma for comma, end in ends.items() if end < comma + _LONGEST_CLAUSE)


def _find_end_of_list(stream: Words, comma: int, ends: dict[int, int]) -> int:
    """Where the conjunction stands of the list that a comma stands in, -1 if it stands in none; `ends` has the next."""
    for index in range(comma + 1, min(len(stream), comma + _LONGEST_MIDDLE_ITEM + 2)):
        word = stream[index]
        if ends_clause(stream, index):
            return -1
        if word in _CONJUNCTIONS:
            return index if _is_short_item(stream, index + 1, _LONGEST_ITEM[word]) else -1
        if word == ",":
            return ends.get(index, -1)
    return -1


def _is_short_item(stream: Words, start: int, longest: int) -> bool:
    """Whether the clause or item that begins at a token has words, and at most so many."""
    for index in range(start, start + longest + 1):
        if index >= len(stream) or stream[index] == "," or ends_clause(stream, index):
            return index > start
    return False


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, ended by `.` `?` `!` before a space, or by a newline."""
    return [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part.strip()][:_MOST_CLAUSES]
