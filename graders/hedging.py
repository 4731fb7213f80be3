"""Hedging: the other failures that a text affirms beside the true one, so that one of them is right."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from graders.prose import affirms, find_affirmed, mentions_all, split_words
from graders.terms import Reading
from scenarios.generator.library import families
from scenarios.library import load_failure_families

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scenarios.incident import Truth

Ideas = tuple[tuple[str, ...], ...]

TOO_MANY = 3
"""With so many failures beside the true one a text is worth nothing."""
_FLAGGED = "a feature flag was turned on"
_PREVAILS = Fraction(5, 4)
"""With more words than this for each that affirms the truth, a text says that another one failed."""


class _Fault(NamedTuple):
    """A fault family as prose tells it: its ideas, the failure family that it belongs to first, and the others.

    `flagged` says that a feature flag brings it about.
    """

    ideas: Ideas
    failure: str
    consequences: frozenset[str]
    flagged: bool


class Hedges(NamedTuple):
    """What a text affirms beside the true failure.

    `named` are all failures, by name. `sharing` are those that take their share of the points: failure families, and
    the fault families that at least as many words affirm as the truth. `prevails` says that far more words affirm
    another one.
    """

    named: tuple[str, ...]
    sharing: tuple[str, ...]
    prevails: bool


@cache
def _list_faults() -> dict[str, _Fault]:
    return {
        name: _Fault(
            family.words.concepts, family.words.families[0], frozenset(family.words.families[1:]), bool(family.flag)
        )
        for name, family in families().items()
    }


def read_lists() -> None:
    """Read the lists of what failures are told by. The first grade that needs them reads them otherwise."""
    for family in load_failure_families().values():
        affirms("Nothing failed.", *family.terms)
    for fault in _list_faults().values():
        find_affirmed("Nothing failed.", fault.ideas)


@lru_cache(maxsize=512)
def find_kin(ideas: Ideas, failures: frozenset[str]) -> frozenset[str]:
    """The fault families that are no hedges beside a failure.

    Those are itself, its declared consequences, its siblings (the families all of whose ideas can be said in terms of
    the failure's own), and, if a feature flag may have brought it about, those that say no more than that.
    """
    own = next((fault for fault in _list_faults().values() if fault.ideas == ideas), None)
    consequences, flagged = (failures, True) if own is None else (own.consequences, own.flagged)
    return frozenset(
        name
        for name, fault in _list_faults().items()
        if fault.failure in consequences
        or _can_say(ideas, fault.ideas)
        or (flagged and all(find_affirmed(_FLAGGED, fault.ideas).groups))
    )


def _find_harmless(truth: Truth) -> frozenset[str]:
    """The fault families that are no hedges beside the truth: its kin, and those that tell a symptom which was there.

    Of the true failure family itself the others stay hedges: they are other causes of the same.
    """
    kin = find_kin(truth.concepts, truth.families)
    symptoms = truth.symptoms - truth.families
    if not symptoms:
        return kin
    return kin | {name for name, fault in _list_faults().items() if fault.failure in symptoms}


def _can_say(ideas: Ideas, others: Ideas) -> bool:
    return all(map(_spell_out(ideas).find, others))


@lru_cache(maxsize=512)
def _spell_out(ideas: Ideas) -> Reading:
    """All terms of ideas, read as a clause each."""
    return Reading(split_words(re.sub(r"[*+<>]", "", term)) for group in ideas for term in group)


def find_hedges(text: str, truth: Truth) -> Hedges:
    """What a text affirms beside the true failure: failure families, and fault families in full.

    A fault family that belongs to a failure family among them is not counted again. What is beyond the first
    `TOO_MANY` is not looked for.
    """
    failures = list(islice(_find_failures(text, truth), TOO_MANY))
    own = find_affirmed(text, truth.concepts).words
    said = dict(islice(_find_faults(text, truth, failures), TOO_MANY - len(failures)))
    return Hedges(
        named=tuple(sorted({*failures, *said})),
        sharing=tuple(sorted({*failures, *(name for name, words in said.items() if words >= own)})),
        prevails=any(words > _PREVAILS * own for words in said.values()),
    )


def _find_failures(text: str, truth: Truth) -> Iterator[str]:
    for name, family in load_failure_families().items():
        if name not in truth.families and name not in truth.symptoms and affirms(text, *family.terms):
            yield name


def _find_faults(text: str, truth: Truth, failures: list[str]) -> Iterator[tuple[str, int]]:
    kin = _find_harmless(truth)
    for name, fault in _list_faults().items():
        if name not in kin and fault.failure not in failures and mentions_all(text, fault.ideas):
            said = find_affirmed(text, fault.ideas)
            if all(said.groups):
                yield name, said.words


def keep_affirmed(text: str, names: Iterable[str]) -> list[str]:
    """Those of some fault families of which a text affirms an idea."""
    return [name for name in names if any(find_affirmed(text, _list_faults()[name].ideas).groups)]


def count_equals(text: str, truth: Truth, share: Fraction) -> int:
    """How many fault families, other than kin of the truth, have at least this share of their ideas affirmed."""
    kin = _find_harmless(truth)
    return sum(
        Fraction(sum(find_affirmed(text, fault.ideas).groups), len(fault.ideas)) >= share
        for name, fault in _list_faults().items()
        if name not in kin
    )
