"""How far a verb reaches: over filler and other names, to what it was done to."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from graders.kin import PASSIVE, list_all_nouns
from graders.prose import measure_longest, walk_named
from graders.terms import split_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graders.terms import Span, Words

FILLER = split_set(
    "the then and also both its our all of to service services pod pods instance instances deployment database feature"
    " flag flags cache caches for in order finally lastly first second third next followed by afterwards on from at"
    " latest bad deploy release back up out off has have had"
)
_OWN_VERB = split_set("came went began is was were are has had have could can did does recovers recovered returned")
_STRAY_WORDS = 1
"""How many further words a verb reaches over: *the failing payment-service*, *was promptly restarted*."""


@cache
def list_filler(action: str) -> frozenset[str]:
    """What stands between a verb and its target: filler, and what the verb can be about."""
    return FILLER | list_all_nouns(action)


def find_reached(
    words: Words, verb: Span, places: Mapping[str, list[Span]], names: tuple[str, ...], filler: frozenset[str]
) -> Iterator[str]:
    """Which of the names at some places stand in the reach of a verb of a clause."""
    start, end = verb
    reach = (end, _find_end_of_reach(words, end, names, filler))
    is_active = words[start].endswith("ing")
    for name, spots in places.items():
        if any(
            _is_behind(words, spot, reach, names, filler)
            or (not is_active and _is_before(words, spot, start, names, filler | PASSIVE))
            for spot in spots
        ):
            yield name


def _is_behind(words: Words, place: Span, reach: Span, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    """Whether a place stands behind a verb, in its reach, and has no verb of its own: *restarted the api*."""
    start, end = place
    behind, stop = reach
    return (
        behind <= start < stop
        and _OWN_VERB.isdisjoint(words[end : end + 1])
        and _only_filler(words[behind:start], names, filler)
    )


def _is_before(words: Words, place: Span, verb: int, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    """Whether a place stands before a verb in the passive: *the api was restarted*."""
    return is_passive(words[place[1] : verb], names, filler)


def _find_end_of_reach(words: Words, start: int, names: tuple[str, ...], filler: frozenset[str]) -> int:
    """From where on more than filler and names surely stands between a place and the words behind it.

    A name that is cut short is none, so that words are judged for good only where the longest name has its end.
    """
    surplus = _find_surplus(words, start, names, filler)
    return len(words) + 1 if surplus is None else surplus + max(1, measure_longest(names))


def is_passive(between: Words, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    return not PASSIVE.isdisjoint(between) and _only_filler(between, names, filler)


def _only_filler(words: Words, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    """Whether next to nothing but filler and other names stands between."""
    return _find_surplus(words, 0, names, filler) is None


def _find_surplus(words: Words, start: int, names: tuple[str, ...], filler: frozenset[str]) -> int | None:
    """The first word from a place on that is one too many: neither filler nor a name, nor what a verb reaches over."""
    strays, covered = 0, start
    behind_all = ("", (len(words), len(words)))
    for _, (here, end) in chain(walk_named(words, names, start), [behind_all]):
        for index in range(covered, here):
            if words[index] not in filler and not words[index].lstrip("rv").isdigit():
                strays += 1
                if strays > _STRAY_WORDS or words[index].endswith("ed"):
                    return index
        covered = max(covered, end)
    return None
