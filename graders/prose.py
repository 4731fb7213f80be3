"""What prose affirms. One predicate serves failure modes, rival families and the claims of a summary."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.;:?!](?=\s|$)|\n|,")
_TERM_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\*?")
HARD_ENDS = frozenset(".;:?!\n")
CLAUSE_WORDS = frozenset({"but", "because", "while", "instead"})
_CONJUNCTIONS = frozenset({"and", "or", "nor"})
_CUE_WORDS = frozenset(
    {"not", "no", "never", "without", "neither", "nor", "cannot", "unlikely", "unrelated", "excluded", "excluding"}
)
_CUE_PHRASES = (("rather", "than"), ("ruled", "out"), ("ruling", "out"), ("rule", "out"), ("instead", "of"))
_TRAILING_DENIALS = (
    ("ruled", "out"),
    ("red", "herring"),
    ("unrelated",),
    ("innocent",),
    ("not", "the", "cause"),
    ("not", "the", "root", "cause"),
    ("not", "to", "blame"),
)
_LONGEST_ITEM = {"and": 2, "or": 3, "nor": 3}
_LONGEST_MIDDLE_ITEM = 3

Words = tuple[str, ...]


@lru_cache(maxsize=256)
def tokens(text: str) -> Words:
    """Words, commas and clause ends: NFKC, casefolded, format characters dropped, hyphens and underscores as spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    visible = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return tuple(_WORD.findall(visible.replace("_", " ").replace("-", " ")))


@lru_cache(maxsize=4096)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of the terms, the longest first, as whole words in words joined by spaces."""
    forms = {" ".join(_TERM_WORD.findall(term.casefold().replace("’", "'"))) for term in terms}
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    alternatives = "|".join(re.escape(form).replace(r"\*", r"\S*") for form in longest_first)
    return re.compile(rf"(?<!\S)(?:{alternatives})(?!\S)")


def occurrences(words: Words, *terms: str) -> Iterator[tuple[int, int]]:
    """Every place, as (start, end), at which one of the terms begins in a run of words."""
    text = " ".join(words)
    pattern = _pattern(terms)
    match = pattern.search(text)
    while match is not None:
        start = text.count(" ", 0, match.start())
        yield start, start + match[0].count(" ") + 1
        match = pattern.search(text, match.start() + 1)


@lru_cache(maxsize=256)
def clauses(text: str) -> tuple[Words, ...]:
    """The clauses of a text, without their punctuation.

    A clause ends at `.` `;` `:` `?` `!`, a newline, *but*, *because*, *while*, *instead*, and a comma outside a list.
    """
    stream = tokens(text)
    found: list[list[str]] = [[]]
    for index, word in enumerate(stream):
        if word == ",":
            if not _in_list(stream, index):
                found.append([])
        elif word in HARD_ENDS or (word in CLAUSE_WORDS and stream[index + 1 : index + 2] != ("of",)):
            found.append([])
        else:
            found[-1].append(word)
    return tuple(tuple(clause) for clause in found if clause)


def _in_list(stream: Words, comma: int) -> bool:
    """Whether the comma at an index separates items of a list: short items, the last behind *and*, *or* or *nor*."""
    item: list[str] = []
    for word in stream[comma + 1 :]:
        if word in HARD_ENDS or word in CLAUSE_WORDS:
            return False
        if word == ",":
            if len(item) > _LONGEST_MIDDLE_ITEM:
                return False
            item = []
        elif word in _CONJUNCTIONS:
            return len(item) <= _LONGEST_MIDDLE_ITEM and _closes_list(stream, comma, word)
        else:
            item.append(word)
    return False


def _closes_list(stream: Words, comma: int, conjunction: str) -> bool:
    start = stream.index(conjunction, comma) + 1
    length = 0
    for word in stream[start:]:
        if word in HARD_ENDS or word in CLAUSE_WORDS or word == ",":
            break
        length += 1
    return 0 < length <= _LONGEST_ITEM[conjunction]


@lru_cache(maxsize=1024)
def _cues(clause: Words) -> list[tuple[int, int]]:
    found = [
        (index, index + 1)
        for index, word in enumerate(clause)
        if (word in _CUE_WORDS or word.endswith("n't")) and clause[index : index + 2] != ("not", "only")
    ]
    found += [(index, index + 2) for index, pair in enumerate(pairwise(clause)) if pair in _CUE_PHRASES]
    return found


@lru_cache(maxsize=4096)
def denied(clause: Words, start: int, end: int) -> bool:
    """Whether what stands at (start, end) of a clause is denied there.

    It is when a cue stands before it in the clause without being part of it, or when the clause goes on to rule it out.
    """
    if any(cue_end <= start for _, cue_end in _cues(clause)):
        return True
    rest = clause[end:]
    return any(
        rest[index : index + len(denial)] == denial for denial in _TRAILING_DENIALS for index in range(len(rest))
    )


def affirms(text: str, *terms: str) -> bool:
    """Whether a text says that one of the terms is so, at least once: stated, and not denied in its clause."""
    return any(not denied(clause, start, end) for clause in clauses(text) for start, end in occurrences(clause, *terms))


def sentences(text: str) -> list[str]:
    """The sentences of a text, ended by `.` `?` `!` before a space, or by a newline."""
    return [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part.strip()]
