"""What prose affirms. One predicate serves failure modes, rival families and the claims of a summary."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from graders.terms import Mention, Reading, Span, Words, denies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_BREAK = re.compile(r"\s-+\s|[–—→()\[\]{}]|[-=]+>")
_FORM_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\*?")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.;:?!](?=\s|$)|\n|,")

_ENDS = frozenset(".;:?!\n")
_CLAUSE_WORDS = frozenset(
    {"but", "because", "while", "instead", "so", "therefore", "hence", "thus", "since", "although", "though"}
    | {"whereas", "until", "after", "before", "causing", "leading", "making", "which"}
)
_CONJUNCTIONS = frozenset({"and", "or", "nor"})
_LONGEST_ITEM = {"and": 2, "or": 3, "nor": 3}
_LONGEST_MIDDLE_ITEM = 3

_CUE_PHRASES = frozenset(
    {("rather", "than"), ("ruled", "out"), ("ruling", "out"), ("rule", "out"), ("instead", "of"), ("false", "that")}
    | {("decided", "against"), ("nothing", "wrong"), ("next", "time")}
)
_INABILITY = frozenset({"cannot", "can't", "couldn't", "cant", "couldnt"})
_INABILITY_REACH = 3
"""They deny the verb that follows: *cannot log in with the stale password* says that the password is stale."""
_NOUN_CUES = frozenset({"no", "without"})
"""They deny what follows up to the verb: *without a time window exhausted memory* says that memory was exhausted."""
_DEED_CUES = frozenset({"don't", "doesn't", "didn't", "won't", "dont", "doesnt", "didnt", "wont"})
"""They deny up to *and*: *clients don't reuse sockets and run out of ports* says that the ports ran out."""
_CONDITIONS = frozenset({"if", "unless", "whether"})
"""A clause that begins with one of them states nothing."""
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
        "went fine",
        "stays up",
        "stayed up",
        "not the cause",
        "not the root cause",
        "not to blame",
    ]
)
_TRAILING_BY_FIRST = {
    first: tuple(denial for denial in _TRAILING_DENIALS if denial[0] == first)
    for first in {denial[0] for denial in _TRAILING_DENIALS}
}
_TRAILING_REACH = 4
_COPULAS = frozenset({"is", "are", "was", "were", "be", "been", "looks", "look", "looked", "seems", "seemed", "itself"})
_DESCRIBING = frozenset({"healthy", "harmless", "innocent", "unrelated"})
"""Before a noun they describe that: *the probe kills healthy instances* denies no probe."""
_NEGATED_COPULAS = frozenset({"isn't", "aren't", "wasn't", "weren't", "isnt", "arent", "wasnt", "werent"})
_WELL = frozenset({"fine", "ok", "okay", "normal", "correct", "intact", "healthy"})
"""What a thing is that has not failed, if a form of *to be* stands before it: *memory and disk are fine*."""
_PLENTY = frozenset({"spare", "plenty", "ample"})
"""They deny the want of what follows: *there are spare threads and file descriptors*."""

_LONGEST_TEXT = 4096
"""In characters, once compatibility forms are spelt out: a little more than the longest submission."""
_LONGEST_CLAUSE = 60
"""In words. It bounds the work that a text without punctuation can cause."""
_MOST_CLAUSES = 150
"""What stands further on is not read: no summary of the longest length that is written in sentences has as many."""


@lru_cache(maxsize=256)
def split_words(text: str) -> Words:
    """Words, commas and clause ends.

    NFKC, casefolded, format characters dropped, hyphens and underscores as spaces, possessive endings dropped; dashes,
    arrows and brackets as clause ends.
    """
    folded = unicodedata.normalize("NFKC", text)[:_LONGEST_TEXT].casefold().replace("’", "'")
    spaced = _BREAK.sub(" ; ", _drop_formatting(folded).replace("w/o", "without")).replace("_", " ").replace("-", " ")
    words = _WORD.findall(spaced)
    if "'s" in spaced:
        words = [word.removesuffix("'s") for word in words]
    return tuple(word for index, word in enumerate(words) if word != "," or words[index - 1 : index] != [","])


def _drop_formatting(text: str) -> str:
    if text.isascii():
        return text
    return text.translate({ord(character): "" for character in set(text) if unicodedata.category(character) == "Cf"})


@lru_cache(maxsize=4096)
def _compile_forms(forms: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of the forms, the longest first, as whole words in words joined by spaces; `*` ends a stem."""
    alternatives = {re.escape(" ".join(_FORM_WORD.findall(form.casefold()))).replace(r"\*", r"\S*") for form in forms}
    return re.compile(rf"(?<!\S)(?:{'|'.join(sorted(alternatives, key=lambda form: (-len(form), form)))})(?!\S)")


def find_occurrences(words: Words, *forms: str) -> Iterator[tuple[int, int]]:
    """Every place, as (start, end), at which a name or a form of a verb begins in a run of words."""
    text = " ".join(words)
    pattern = _compile_forms(forms)
    match = pattern.search(text)
    while match is not None:
        start = text.count(" ", 0, match.start())
        yield start, start + match[0].count(" ") + 1
        match = pattern.search(text, match.start() + 1)


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


class _Read(NamedTuple):
    """A text that was read: its clauses, and what each of them denies."""

    reading: Reading
    denials: tuple[_Denials, ...]


@lru_cache(maxsize=256)
def _read(text: str) -> _Read:
    reading = Reading(split_clauses(text))
    return _Read(reading, tuple(map(_list_denials, reading.clauses)))


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


class _Cue(NamedTuple):
    """A denial: where it stands, and from where to where it holds, as positions in the clause."""

    start: int
    begins: int
    ends: int


class _Denials:
    """What a clause denies: its cues, and the words that rule out what stands before them.

    What is asked for a place is kept, since terms are found at the same places again and again.
    """

    def __init__(self, clause: Words) -> None:
        self._clause = clause
        self._cues = _find_cues(clause)
        self._reaching: dict[int, frozenset[int]] = {}
        self._ruled_out: dict[int, bool] = {}
        self._well = [index for index, pair in enumerate(pairwise(clause)) if pair[0] in _COPULAS and pair[1] in _WELL]
        self._trailing = [
            (index, denial[0] in _DESCRIBING)
            for index, word in enumerate(clause)
            for denial in _TRAILING_BY_FIRST.get(word, ())
            if clause[index : index + len(denial)] == denial
        ]

    def reach(self, start: int, spent: Collection[int] = ()) -> bool:
        """Whether a cue that is not spent holds at a place."""
        reaching = self._reaching.get(start)
        if reaching is None:
            reaching = frozenset(cue.start for cue in self._cues if cue.begins <= start < cue.ends)
            self._reaching[start] = reaching
        return not reaching.issubset(spent) if spent else bool(reaching)

    def rule_out(self, end: int) -> bool:
        """Whether the words from a place on rule out what stands before it."""
        ruled_out = self._ruled_out.get(end)
        if ruled_out is None:
            ruled_out = self._ruled_out[end] = any(
                end <= index <= end + _TRAILING_REACH - 2 for index in self._well
            ) or any(
                end <= index < end + _TRAILING_REACH and (not describes or self._is_predicate(end, index))
                for index, describes in self._trailing
            )
        return ruled_out

    def _is_predicate(self, end: int, index: int) -> bool:
        """Whether a word is said of what stands before it, and not of a noun behind it."""
        return index + 1 == len(self._clause) or not _COPULAS.isdisjoint(self._clause[end:index])


@lru_cache(maxsize=1024)
def _list_denials(clause: Words) -> _Denials:
    return _Denials(clause)


def _find_cues(clause: Words) -> tuple[_Cue, ...]:
    found = [
        _Cue(index, index + 1, _measure_reach(clause, index))
        for index, word in enumerate(clause)
        if word not in _NOUN_CUES and denies(word) and clause[index : index + 2] != ("not", "only")
    ]
    found += [
        _Cue(index, index + 2, len(clause)) for index, pair in enumerate(pairwise(clause)) if pair in _CUE_PHRASES
    ]
    nouns = [index for index, word in enumerate(clause) if word in _NOUN_CUES or word in _PLENTY]
    if nouns:
        verbs = [index for index, word in enumerate(clause) if word.endswith("ed") or word in _VERBS_BEYOND_ED]
        relatives = [index for index, word in enumerate(clause) if word == "that"]
        found += [_Cue(index, index + 1, _measure_noun_reach(clause, index, verbs, relatives)) for index in nouns]
    if clause[0] in _CONDITIONS:
        found.append(_Cue(0, 0, len(clause)))
    return tuple(found)


def _measure_reach(clause: Words, cue: int) -> int:
    word = clause[cue]
    if word in _INABILITY:
        return cue + 1 + _INABILITY_REACH
    if word in _DEED_CUES and "and" in clause[cue + 2 :]:
        return clause.index("and", cue + 2)
    return len(clause)


def _measure_noun_reach(clause: Words, cue: int, verbs: list[int], relatives: list[int]) -> int:
    """Where the reach of *no* or *without* ends: before the verb behind its noun, if there is one."""
    if not _EVIDENCE.isdisjoint(clause[cue + 1 : cue + 4]):
        return len(clause)
    if clause[cue + 1 : cue + 2] == ("longer",):
        return cue + 3
    stops = [*relatives[bisect_left(relatives, cue + 2) :][:1], *verbs[bisect_left(verbs, cue + 3) :][:1]]
    return min(stops, default=len(clause))


def is_denied(clause: Words, start: int, end: int) -> bool:
    """Whether what stands at (start, end) of a clause is denied there.

    It is when a cue stands before it in the clause without being part of it, or when the next words rule it out.
    """
    denials = _list_denials(clause)
    return denials.reach(start) or denials.rule_out(end)


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
    reading: Reading, denials: tuple[_Denials, ...], mention: Mention, spent: Mapping[int, set[int]]
) -> bool:
    clause = mention.clause
    here = spent.get(clause, ())
    return denials[clause].reach(mention.start, here) or _has_denial_behind(reading.clauses[clause], mention.end, here)


def _has_denial_behind(clause: Words, end: int, spent: Collection[int]) -> bool:
    """Whether it is said of something that it is not so, as in *the disk isn't full*, by words that are not spent."""
    if clause[end : end + 1] and clause[end] in _COPULAS:
        end += 1
        return clause[end : end + 1] == ("not",) and end not in spent
    return not _NEGATED_COPULAS.isdisjoint(clause[end : end + 1]) and end not in spent


def _list_spent(denials: tuple[_Denials, ...], groups: Iterable[Iterable[Mention]]) -> dict[int, set[int]]:
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


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, ended by `.` `?` `!` before a space, or by a newline."""
    return [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part.strip()][:_MOST_CLAUSES]
