"""What prose affirms. One predicate serves failure modes, rival families and the claims of a summary."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BREAK = re.compile(r"\s-+\s|[–—→()\[\]{}]|[-=]+>")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.;:?!](?=\s|$)|\n|,")
_TERM_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\*?")

_ENDS = frozenset(".;:?!\n")
_CLAUSE_WORDS = frozenset(
    {"but", "because", "while", "instead", "so", "therefore", "hence", "thus", "since", "although", "though"}
    | {"whereas", "until", "after", "before", "causing", "leading", "making", "which"}
)
_CONJUNCTIONS = frozenset({"and", "or", "nor"})
_LONGEST_ITEM = {"and": 2, "or": 3, "nor": 3}
_LONGEST_MIDDLE_ITEM = 3

_CUES = frozenset(
    {"not", "never", "neither", "nor", "cannot", "unlikely", "unrelated", "excluded", "excluding", "considered"}
)
_CUE_PHRASES = frozenset(
    {("rather", "than"), ("ruled", "out"), ("ruling", "out"), ("rule", "out"), ("instead", "of"), ("false", "that")}
    | {("decided", "against"), ("nothing", "wrong"), ("next", "time")}
)
_INABILITY = frozenset({"cannot", "can't", "couldn't"})
_INABILITY_REACH = 3
"""They deny the verb that follows: *cannot log in with the stale password* says that the password is stale."""
_NOUN_CUES = frozenset({"no", "without"})
"""They deny what follows up to the verb: *without a time window exhausted memory* says that memory was exhausted."""
_EVIDENCE = frozenset({"evidence", "sign", "signs", "indication", "trace", "proof", "hint"})
_VERBS_BEYOND_ED = frozenset({"ran", "drove", "grew", "made", "led", "took", "ate", "hit", "broke", "kept", "went"})

_TRAILING_DENIALS = tuple(
    tuple(phrase.split())
    for phrase in [
        "ruled out",
        "red herring",
        "red herrings",
        "decoy",
        "decoys",
        "unrelated",
        "innocent",
        "harmless",
        "healthy",
        "unnecessary",
        "rejected",
        "avoided",
        "went fine",
        "not the cause",
        "not the root cause",
        "not to blame",
        "not needed",
        "not necessary",
        "not required",
    ]
)
_TRAILING_REACH = 4
_LONGEST_TEXT = 4096
"""In characters, once compatibility forms are spelt out: a little more than the longest submission."""
_LONGEST_CLAUSE = 60
"""In words. It bounds the work that a text without punctuation can cause."""
_MOST_CLAUSES = 150
"""What stands further on is not read: no summary of the longest length that is written in sentences has as many."""

Words = tuple[str, ...]


@lru_cache(maxsize=256)
def split_words(text: str) -> Words:
    """Words, commas and clause ends.

    NFKC, casefolded, format characters dropped, hyphens and underscores as spaces, possessive endings dropped; dashes,
    arrows and brackets as clause ends.
    """
    folded = unicodedata.normalize("NFKC", text)[:_LONGEST_TEXT].casefold().replace("’", "'")
    visible = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    spaced = _BREAK.sub(" ; ", visible).replace("_", " ").replace("-", " ")
    words = [word.removesuffix("'s") for word in _WORD.findall(spaced)]
    return tuple(word for index, word in enumerate(words) if word != "," or words[index - 1 : index] != [","])


_GAP = rf"(?: (?!(?:{'|'.join(sorted(_CUES | _NOUN_CUES))}|\S+n't) )\S+){{0,7}} "
"""Up to seven words, none of which denies."""


@lru_cache(maxsize=4096)
def _compile_terms(terms: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of the terms, the longest first, as whole words in words joined by spaces.

    The parts of a term with `+` stand near each other, in any order.
    """
    alternatives = sorted({_form(term) for term in terms}, key=lambda form: (-len(form), form))
    return re.compile(rf"(?<!\S)(?:{'|'.join(alternatives)})(?!\S)")


def _form(term: str) -> str:
    parts = [" ".join(_TERM_WORD.findall(part.casefold().replace("’", "'"))) for part in term.split(" + ")]
    escaped = [re.escape(part).replace(r"\*", r"\S*") for part in parts]
    return "|".join(_GAP.join(order) for order in itertools.permutations(escaped))


def find_occurrences(words: Words, *terms: str) -> Iterator[tuple[int, int]]:
    """Every place, as (start, end), at which one of the terms begins in a run of words."""
    text = " ".join(words)
    pattern = _compile_terms(terms)
    match = pattern.search(text)
    while match is not None:
        start = text.count(" ", 0, match.start())
        yield start, start + match[0].count(" ") + 1
        match = pattern.search(text, match.start() + 1)


def find_mentions(words: Words, name: str, names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Every place at which a name stands for itself and is not a part of a longer one of the names."""
    found = list(find_occurrences(words, name))
    if not found:
        return found
    longer = _longer(name, names)
    within = list(find_occurrences(words, *longer)) if longer else []
    return [(start, end) for start, end in found if not any(left <= start and end <= right for left, right in within)]


@lru_cache(maxsize=512)
def _longer(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that hold another one: `orders-db` holds `orders`."""
    plain = f" {' '.join(split_words(name))} "
    return tuple(other for other in names if other != name and plain in f" {' '.join(split_words(other))} ")


@lru_cache(maxsize=256)
def split_clauses(text: str) -> tuple[Words, ...]:
    """The clauses of a text that state something, without their punctuation; questions state nothing.

    A clause ends at `.` `;` `:` `?` `!`, a newline, a dash, an arrow, a bracket, at conjunctions such as *but*,
    *because*, *while*, *instead*, *so*, *after*, and at a comma outside a list.
    """
    stream = split_words(text)
    found: list[list[str]] = [[]]
    for index, word in enumerate(stream):
        if word == "?":
            found[-1] = []
        elif word == ",":
            if not _in_list(stream, index):
                found.append([])
        elif ends_clause(stream, index):
            found.append([])
        else:
            found[-1].append(word)
    return tuple(bound_clauses(found))


@lru_cache(maxsize=256)
def _normalise_lines(text: str) -> str:
    """The clauses of a text, one to a line: no term matches across two."""
    return "\n".join(" ".join(clause) for clause in split_clauses(text))


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


def _in_list(stream: Words, comma: int) -> bool:
    """Whether the comma at an index separates items of a list: short items, the last behind *and*, *or* or *nor*."""
    item = 0
    for index in range(comma + 1, min(len(stream), comma + _LONGEST_CLAUSE)):
        word = stream[index]
        if ends_clause(stream, index) or item > _LONGEST_MIDDLE_ITEM:
            return False
        if word in _CONJUNCTIONS:
            return 0 < _length_to_end(stream, index + 1) <= _LONGEST_ITEM[word]
        item = 0 if word == "," else item + 1
    return False


def _length_to_end(stream: Words, start: int) -> int:
    """How many words stand before the clause or item ends."""
    length = 0
    while start + length < len(stream) and not ends_clause(stream, start + length) and stream[start + length] != ",":
        length += 1
    return length


@lru_cache(maxsize=1024)
def _find_cues(clause: Words) -> tuple[tuple[int, int], ...]:
    """Where each denial begins to hold and where it ends, as positions in the clause."""
    found = [
        (index + 1, index + 1 + _INABILITY_REACH if word in _INABILITY else len(clause))
        for index, word in enumerate(clause)
        if (word in _CUES or word.endswith("n't")) and clause[index : index + 2] != ("not", "only")
    ]
    found += [(index + 2, len(clause)) for index, pair in enumerate(pairwise(clause)) if pair in _CUE_PHRASES]
    found += [
        (index + 1, _measure_noun_reach(clause, index)) for index, word in enumerate(clause) if word in _NOUN_CUES
    ]
    return tuple(found)


def _measure_noun_reach(clause: Words, cue: int) -> int:
    """Where the reach of *no* or *without* ends: before the verb behind its noun, if there is one."""
    if set(clause[cue + 1 : cue + 4]) & _EVIDENCE:
        return len(clause)
    if clause[cue + 1 : cue + 2] == ("longer",):
        return cue + 3
    for index in range(cue + 2, len(clause)):
        word = clause[index]
        if word == "that" or (index > cue + 2 and (word.endswith("ed") or word in _VERBS_BEYOND_ED)):
            return index
    return len(clause)


@lru_cache(maxsize=4096)
def is_denied(clause: Words, start: int, end: int) -> bool:
    """Whether what stands at (start, end) of a clause is denied there.

    It is when a cue stands before it in the clause without being part of it, or when the next words rule it out.
    """
    if any(begins <= start < ends for begins, ends in _find_cues(clause)):
        return True
    rest = clause[end:]
    return any(
        rest[index : index + len(denial)] == denial
        for denial in _TRAILING_DENIALS
        for index in range(min(_TRAILING_REACH, len(rest)))
    )


def affirms(text: str, *terms: str) -> bool:
    """Whether a text says that one of the terms is so, at least once: stated, and not denied in its clause."""
    if not _compile_terms(terms).search(_normalise_lines(text)):
        return False  # said nowhere; most are
    return any(
        not is_denied(clause, start, end)
        for clause in split_clauses(text)
        for start, end in find_occurrences(clause, *terms)
    )


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, ended by `.` `?` `!` before a space, or by a newline."""
    return [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part.strip()][:_MOST_CLAUSES]
