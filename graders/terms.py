"""Terms: how the lists of words that tell of a failure are written, and where such a term stands in a text.

A term is a run of words. `*` ends a word that is a stem. Parts joined by ` + ` stand near each other in any order.
`not` stands for every way to deny a verb (*isn't*, *never*, *unable to*) and `no` for every way to deny a noun
(*without*, *lacks*, *out of*), with small words after them. `<gone>` is any term of the sense of that name. A word in
angle brackets that names no sense is that word itself: it is too common to give a failure away, so that drawn alerts
may hold it.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scenarios.library import load_senses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Words = tuple[str, ...]
Span = tuple[int, int]

_TERM_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\*?")
_SENSE = re.compile(r"<([^<>\s]+)>")
_NEAR = 7
"""Most words between two parts of a term."""


def _split_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


BARE_CONTRACTIONS = _split_set(
    "isnt arent wasnt werent dont doesnt didnt cant couldnt wont wouldnt hasnt havent hadnt shouldnt"
)


class _Denial(NamedTuple):
    """What `not` or `no` stands for: the words that deny, whether contractions do, and what may follow them."""

    phrases: tuple[Words, ...]
    fillers: frozenset[str]


def _split(text: str) -> tuple[Words, ...]:
    return tuple(tuple(phrase.split()) for phrase in text.split(", "))


_MOST_FILLERS = 3
_LONGEST_DENIAL = 3
_DENIALS = {
    "not": _Denial(
        _split(
            "not, never, cannot, no longer, nobody, no one, none, nothing, unable to, without, fail* to, refus* to, "
            "stop*, forg* to"
        ),
        _split_set(
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
        _split_set(
            "have free more single a an any of the enough available valid usable healthy spare "
            "remaining left its their such new further other unused working"
        ),
    ),
}


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


class Reading(NamedTuple):
    """Clauses, with the places (clause, word) of every word and of every beginning of a word."""

    clauses: tuple[Words, ...]
    words: Mapping[str, list[Span]]
    beginnings: Mapping[str, list[Span]]

    @classmethod
    def of(cls, clauses: tuple[Words, ...]) -> Reading:
        words: dict[str, list[Span]] = {}
        for number, clause in enumerate(clauses):
            for index, word in enumerate(clause):
                words.setdefault(word, []).append((number, index))
        beginnings: dict[str, list[Span]] = {}
        for word, places in words.items():
            for end in range(1, len(word) + 1):
                beginnings.setdefault(word[:end], []).extend(places)
        return cls(clauses, words, beginnings)

    def find(self, group: tuple[str, ...]) -> set[Mention]:
        """Every place at which a term of a group stands, denied or not."""
        keyed = _key_terms(group)
        return {
            mention
            for key in keyed.keys() & self.beginnings.keys()
            for term in keyed[key]
            if all(word in self.words for word in term.words)
            and all(beginning in self.beginnings for beginning in term.beginnings)
            for mention in self._find_term(term)
        }

    def _find_term(self, term: _Term) -> Iterator[Mention]:
        first, *others = (self._find_part(part) for part in term.parts)
        if not others:
            yield from (Mention(*place) for place in first)
            return
        for places in itertools.product(first, *map(list, others)):
            clause = places[0][0]
            if all(place[0] == clause for place in places):
                ordered = sorted(place[1:] for place in places)
                if all(self._is_near(clause, left[1], right[0]) for left, right in itertools.pairwise(ordered)):
                    yield Mention(clause, ordered[0][0], ordered[-1][1], apart=True)

    def _find_part(self, part: Words) -> Iterator[tuple[int, int, int]]:
        if not set(part) - _DENIALS.keys():
            yield from self._find_denials()
            return
        anchor = next(index for index, word in enumerate(part) if word not in _DENIALS)
        word = part[anchor]
        places = self.beginnings[word[:-1]] if word.endswith("*") else self.words[word]
        for clause, place in places:
            words = self.clauses[clause]
            starts = range(max(0, place - _LONGEST_DENIAL - _MOST_FILLERS), place) if anchor else (place,)
            for start in starts:
                end = _match(part, words, start)
                if end > place:
                    yield clause, start, end

    def _find_denials(self) -> Iterator[tuple[int, int, int]]:
        for word, places in self.words.items():
            if denies(word):
                yield from ((clause, place, place + 1) for clause, place in places)

    def _is_near(self, clause: int, end: int, start: int) -> bool:
        return 0 <= start - end <= _NEAR and not any(map(denies, self.clauses[clause][end:start]))


def denies(word: str) -> bool:
    """Whether a word denies what follows it."""
    return word in _DENYING or word.endswith("n't")


_DENYING = BARE_CONTRACTIONS | _split_set(
    "not never cannot neither nor no without unlikely unrelated excluded excluding considered"
)


def _match(part: Words, words: Words, start: int) -> int:
    """Where a part of a term ends that begins at a word, and -1 if it does not begin there."""
    if not part:
        return start
    denial = _DENIALS.get(part[0])
    if denial is not None:
        ends = (_match(part[1:], words, after) for after in _pass_denial(denial, words, start))
        return next((end for end in ends if end >= 0), -1)
    if start < len(words) and _fits(part[0], words[start]):
        return _match(part[1:], words, start + 1)
    return -1


def _pass_denial(denial: _Denial, words: Words, start: int) -> Iterator[int]:
    """Where a denial that begins at a word may end: behind its words, and behind each of the fillers that follow."""
    for phrase in denial.phrases:
        after = start + len(phrase)
        here = words[start:after]
        if len(here) == len(phrase) and all(
            _fits(form, word) or (form == "not" and denies_verb(word)) for form, word in zip(phrase, here, strict=True)
        ):
            yield after
            while after < len(words) and words[after] in denial.fillers and after < start + len(phrase) + _MOST_FILLERS:
                after += 1
                yield after


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
