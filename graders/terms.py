"""Terms: how the lists of words that tell of a failure are written, and where such a term stands in a text.

A term is a run of words. `*` ends a word that is a stem. Parts joined by ` + ` stand near each other in any order.
`not` stands for every way to deny a verb (*isn't*, *never*, *unable to*) and `no` for every way to deny a noun
(*without*, *lacks*, *out of*), with small words after them. `<gone>` is any term of the sense of that name. A word in
angle brackets that names no sense is that word itself: it is too common to give a failure away, so that drawn alerts
may hold it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scenarios.library import load_senses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Words = tuple[str, ...]
Span = tuple[int, int]

_TERM_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\*?")
_SENSE = re.compile(r"<([^<>\s]+)>")
_NEAR = 7
"""Most words between two parts of a term."""


def split_set(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


BARE_CONTRACTIONS = split_set(
    "isnt arent wasnt werent dont doesnt didnt cant couldnt wont wouldnt hasnt havent hadnt shouldnt"
)


class _Denial(NamedTuple):
    """What `not` or `no` stands for: the words that deny, whether contractions do, and what may follow them."""

    phrases: tuple[Words, ...]
    fillers: frozenset[str]


def _split(text: str) -> tuple[Words, ...]:
    return tuple(tuple(phrase.split()) for phrase in text.split(", "))


_MOST_FILLERS = 3
_DENIALS = {
    "not": _Denial(
        _split(
            "not, never, cannot, no longer, nobody, no one, none, nothing, unable to, without, fail* to, refus* to, "
            "stop*, forg* to"
        ),
        split_set(
            "yet been be being get gets got getting any anymore longer even actually properly "
            "correctly successfully have has had to the a an its it their them this that these "
            "those ever all fully really able most some both every each anything something new on "
            "in up at by"
        ),
    ),
    "no": _Denial(
        _split(
            "no, not, zero, 0, without, lack*, miss*, not enough, too few, insufficient, run* out of, ran out of, "
            "out of, short of, not have"
        ),
        split_set(
            "have get gets got find free more single a an any of the enough available valid usable healthy spare "
            "remaining left its their such new further other unused working"
        ),
    ),
}


_LONGEST_DENIAL = _MOST_FILLERS + max(len(phrase) for denial in _DENIALS.values() for phrase in denial.phrases)
"""In words, with the fillers."""


class _Term(NamedTuple):
    """A term: its parts, and the words and beginnings of words without which it stands nowhere."""

    parts: tuple[Words, ...]
    words: Words
    beginnings: Words

    @property
    def key(self) -> str:
        """The longest of those."""
        return max((*self.words, *self.beginnings), key=len)


class Mention(NamedTuple):
    """A place at which a term stands: the clause, and the words from `start` up to `end` of it."""

    clause: int
    start: int
    end: int
    apart: bool = False

    def list_words(self) -> Iterable[int]:
        """The places of its words in the clause; of a term whose parts stand apart, of the first and the last."""
        return (self.start, self.end - 1) if self.apart else range(self.start, self.end)


class Reading:
    """Clauses, with the places (clause, word) of every word and of every beginning of a word."""

    def __init__(self, clauses: Iterable[Words]) -> None:
        self.clauses = tuple(dict.fromkeys(clauses))
        self._words: dict[str, list[Span]] = {}
        for number, clause in enumerate(self.clauses):
            for index, word in enumerate(clause):
                self._words.setdefault(word, []).append((number, index))
        self._beginnings: dict[str, list[Span]] = {}
        for word, places in self._words.items():
            for end in range(1, len(word) + 1):
                self._beginnings.setdefault(word[:end], []).extend(places)
        self._parts: dict[Words, dict[int, list[Span]]] = {}
        self._stops: dict[int, list[int]] = {}

    @cached_property
    def _denials(self) -> dict[str, dict[Span, tuple[int, ...]]]:
        """By kind, where a denial begins and where it may end."""
        return {
            kind: {
                (number, index): tuple(index + length for length in lengths)
                for number, clause in enumerate(self.clauses)
                for index, word in enumerate(clause)
                if _list_phrases(kind, word)
                and (lengths := _pass_denial(clause[index : index + _LONGEST_DENIAL], kind))
            }
            for kind in _DENIALS
        }

    @cached_property
    def _denied(self) -> dict[str, dict[Span, int]]:
        """By kind, where a denial may end and where it begins."""
        return {
            kind: {(clause, end): start for (clause, start), ends in places.items() for end in ends}
            for kind, places in self._denials.items()
        }

    def find(self, group: tuple[str, ...]) -> set[Mention]:
        """Every place at which a term of a group stands, denied or not."""
        keyed = _key_terms(group)
        if keyed.keys().isdisjoint(self._beginnings):
            return set()
        return {
            mention
            for key in keyed.keys() & self._beginnings.keys()
            for term in keyed[key]
            if all(word in self._words for word in term.words)
            and all(beginning in self._beginnings for beginning in term.beginnings)
            for mention in self._find_term(term)
        }

    def _find_term(self, term: _Term) -> Iterator[Mention]:
        if len(term.parts) == 1:
            yield from (Mention(*place) for place in self._find_part(term.parts[0]))
            return
        parts = [self._group_by_clause(part) for part in term.parts]
        for clause in set.intersection(*map(set, parts)):
            yield from self._find_apart(clause, [places[clause] for places in parts])

    def _group_by_clause(self, part: Words) -> dict[int, list[Span]]:
        """The places of a part of a term by their clause. Many terms have a part in common."""
        places = self._parts.get(part)
        if places is None:
            places = self._parts[part] = {}
            for clause, start, end in self._find_part(part):
                places.setdefault(clause, []).append((start, end))
        return places

    def _find_apart(self, clause: int, parts: list[list[Span]]) -> Iterator[Mention]:
        """Where one place of each part stands near the next one, in any order, from the first start to the last end.

        Parts are put behind those that were put already, so that repeated words cost their number and not the
        number of ways to choose among them.
        """
        everything = (1 << len(parts)) - 1
        ordered = sorted((start, end, 1 << number) for number, places in enumerate(parts) for start, end in places)
        starts = [start for start, _, _ in ordered]
        reached = set(ordered)
        seen = set(reached)
        while reached:
            further: set[tuple[int, int, int]] = set()
            for first, behind, put in reached:
                if put == everything:
                    yield Mention(clause, first, behind, apart=True)
                    continue
                last = min(behind + _NEAR, self._find_denial(clause, behind))
                for _, end, part in ordered[bisect_left(starts, behind) : bisect_right(starts, last)]:
                    if not put & part:
                        further.add((first, end, put | part))
            reached = further - seen
            seen |= reached

    def _find_denial(self, clause: int, start: int) -> int:
        """Where the first word that denies stands in a clause from a word on; its length if there is none."""
        stops = self._stops.get(clause)
        if stops is None:
            words = self.clauses[clause]
            stops = self._stops[clause] = [len(words)] * (len(words) + 1)
            for index in range(len(words) - 1, -1, -1):
                stops[index] = index if denies(words[index]) else stops[index + 1]
        return stops[start]

    def _find_part(self, part: Words) -> Iterator[tuple[int, int, int]]:
        first, *rest = part
        if first in _DENIALS and not rest:
            yield from ((clause, start, start + 1) for (clause, start) in self._denials[first])
            return
        word = rest[0] if first in _DENIALS else first
        places = self._beginnings[word[:-1]] if word.endswith("*") else self._words[word]
        for clause, place in places:
            start = self._denied[first].get((clause, place), -1) if first in _DENIALS else place
            if start >= 0:
                end = self._match(part[1:] if first in _DENIALS else part, clause, place)
                if end >= 0:
                    yield clause, start, end

    def _match(self, part: Words, clause: int, start: int) -> int:
        """Where a part of a term ends that begins at a word, and -1 if it does not begin there."""
        words = self.clauses[clause]
        for number, form in enumerate(part):
            if form in _DENIALS:
                ends = self._denials[form].get((clause, start), ())
                return max((self._match(part[number + 1 :], clause, end) for end in ends), default=-1)
            if start >= len(words) or not _fits(form, words[start]):
                return -1
            start += 1
        return start


def denies(word: str) -> bool:
    """Whether a word denies what follows it."""
    return word in _DENYING or word.endswith("n't")


_DENYING = BARE_CONTRACTIONS | split_set(
    "not never cannot neither nor no without unlikely unrelated excluded excluding considered"
)


@lru_cache(maxsize=4096)
def _pass_denial(words: Words, kind: str) -> tuple[int, ...]:
    """How many words a denial may have that begins with the first of some words: its own, and the fillers behind it."""
    denial = _DENIALS[kind]
    lengths: list[int] = []
    for phrase in _list_phrases(kind, words[0]):
        length = len(phrase)
        here = words[:length]
        if len(here) == length and all(map(_fits, phrase[1:], here[1:])):
            lengths.append(length)
            for word in words[length : length + _MOST_FILLERS]:
                if word not in denial.fillers:
                    break
                lengths.append(lengths[-1] + 1)
    return tuple(lengths)


@lru_cache(maxsize=4096)
def _list_phrases(kind: str, word: str) -> tuple[Words, ...]:
    """The phrases of a denial that may begin with a word."""
    return tuple(
        phrase
        for phrase in _DENIALS[kind].phrases
        if _fits(phrase[0], word) or (phrase[0] == "not" and denies_verb(word))
    )


def denies_verb(word: str) -> bool:
    """Whether a word is a contraction with *not*."""
    return word.endswith("n't") or word in BARE_CONTRACTIONS or word == "cannot"


def _fits(form: str, word: str) -> bool:
    return word.startswith(form[:-1]) if form.endswith("*") else word == form


@lru_cache(maxsize=2048)
def _key_terms(group: tuple[str, ...]) -> dict[str, list[_Term]]:
    """The terms of a group by their key: most terms need not be looked at."""
    keyed: dict[str, list[_Term]] = {}
    for text in dict.fromkeys(plain for term in group for plain in _put_senses(term)):
        term = _parse(text)
        if term.words or term.beginnings:
            keyed.setdefault(term.key, []).append(term)
    return keyed


def _parse(text: str) -> _Term:
    parts = tuple(tuple(_TERM_WORD.findall(part.casefold().replace("’", "'"))) for part in text.split(" + "))
    needed = {word for part in parts for word in part} - _DENIALS.keys()
    return _Term(
        parts,
        tuple(word for word in needed if not word.endswith("*")),
        tuple(word[:-1] for word in needed if word.endswith("*")),
    )


def _put_senses(term: str) -> list[str]:
    """The terms that a term with a sense stands for: `pool + <exhausted>` for one of each word of that sense."""
    found = _SENSE.search(term)
    if found is None:
        return [term]
    meant = load_senses().get(found[1], (found[1],))
    return [plain for word in meant for plain in _put_senses(term.replace(found[0], word, 1))]
