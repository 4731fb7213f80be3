"""What a clause denies: the words that deny what follows them, and those that rule out what stands before."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from graders.terms import Words, denies

if TYPE_CHECKING:
    from collections.abc import Collection

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


class _Cue(NamedTuple):
    """A denial: where it stands, and from where to where it holds, as positions in the clause."""

    start: int
    begins: int
    ends: int


class Denials:
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
def list_denials(clause: Words) -> Denials:
    """What a clause denies. It is kept, since the same clauses are read for many terms."""
    return Denials(clause)


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
    denials = list_denials(clause)
    return denials.reach(start) or denials.rule_out(end)


def has_denial_behind(clause: Words, end: int, spent: Collection[int]) -> bool:
    """Whether it is said of something that it is not so, as in *the disk isn't full*, by words that are not spent."""
    if clause[end : end + 1] and clause[end] in _COPULAS:
        end += 1
        return clause[end : end + 1] == ("not",) and end not in spent
    return not _NEGATED_COPULAS.isdisjoint(clause[end : end + 1]) and end not in spent
