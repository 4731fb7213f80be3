"""How much of the failure-mode points the best constant text earns over generated incidents, found with the lists open.

Run with `python -m benchmarks.constant_text`, or with a number of incidents (400 unless arguments), the first seed (0),
restarts of the search (4) and its own seed (0). The search knows every term of every list. It begins with nothing or
with the terms of a few families, adds, exchanges and takes out clauses of one or two terms as long as that pays, and
prints the best text with its share of the points.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue
from scenarios.generator.library import families
from scenarios.library import load_failure_families, load_senses
from scenarios.vocabulary import FAILURE_MODE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.incident import Truth

INCIDENTS = 400
RESTARTS = 4
TRIES = 500
"""Changes tried in a row without a gain before a search stops."""


_WHOLE, _SINGLE = 0.45, 0.9
"""Up to which draws a clause says a whole family, and up to which one idea; beyond them it is a term of failures."""
_TAKE_OUT, _EXCHANGE = 0.2, 0.55
_TWICE = 0.3


class Found(NamedTuple):
    """A text, and the share of the failure-mode points that it earns, from 0 to 1."""

    share: float
    text: str


def count_truths(seeds: Sequence[int]) -> dict[Truth, int]:
    """The truths of generated incidents, told apart by their words, and how often each comes."""
    catalogue = Catalogue()
    counted: Counter[tuple[object, ...]] = Counter()
    truths: dict[tuple[object, ...], Truth] = {}
    for seed in seeds:
        truth = catalogue.get_generated("root_cause_analysis", seed, 1 + seed % 5).incident.truth
        key = (truth.concepts, truth.families)
        truths.setdefault(key, truth)
        counted[key] += 1
    return {truths[key]: count for key, count in counted.items()}


def measure_text(text: str, truths: Mapping[Truth, int]) -> float:
    """The share of the failure-mode points that a text earns over the truths, from 0 to 1."""
    earned = sum(count * float(match_failure_mode(text, truth)[0]) for truth, count in truths.items())
    return earned / sum(truths.values())


def list_clauses() -> dict[str, list[list[str]]]:
    """By family, what its ideas can be said with: the terms of each group as people write them."""
    return {
        name: [[_spell(term) for term in group] for group in family.words.concepts]
        for name, family in families().items()
    }


def _spell(term: str) -> str:
    for name, meant in load_senses().items():
        term = term.replace(f"<{name}>", meant[0])
    return re.sub(r"[*<>]", "", term).replace(" + ", " ")


def search_text(truths: Mapping[Truth, int], chance: random.Random, tries: int = TRIES) -> Found:
    """The best text of one search, by its share of the points."""
    clauses = list_clauses()
    loose = [_spell(term) for family in load_failure_families().values() for term in family.terms]
    names = list(clauses)

    def draw_clause() -> str:
        kind = chance.random()
        groups = clauses[chance.choice(names)]
        if kind < _WHOLE:
            return " ".join(chance.choice(group) for group in groups)
        if kind < _SINGLE:
            return chance.choice(chance.choice(groups))
        return chance.choice(loose)

    def change(clauses: list[str]) -> list[str]:
        other = list(clauses)
        move = chance.random()
        if other and move < _TAKE_OUT:
            other.pop(chance.randrange(len(other)))
        elif other and move < _EXCHANGE:
            other[chance.randrange(len(other))] = draw_clause()
        else:
            other.insert(chance.randint(0, len(other)), draw_clause())
        return other

    said = [draw_clause() for _ in range(chance.choice((0, 1, 3, 8)))]
    best = measure_text(_join(said), truths)
    idle = 0
    while idle < tries:
        other = change(change(said) if chance.random() < _TWICE else said)
        idle += 1
        if len(_join(other)) <= FAILURE_MODE_LIMIT and (share := measure_text(_join(other), truths)) >= best:
            idle = 0 if share > best else idle
            best, said = share, other
    return Found(best, _join(said))


def _join(clauses: Sequence[str]) -> str:
    return "; ".join(clauses)


def main() -> None:
    """Search and print."""
    given = [int(argument) for argument in sys.argv[1:]]
    incidents, first, restarts, seed = (*given, *(INCIDENTS, 0, RESTARTS, 0)[len(given) :])
    truths = count_truths(range(first, first + incidents))
    print(f"{incidents} incidents of {len(truths)} families; the commonest comes {max(truths.values())} times")
    for restart in range(restarts):
        found = search_text(truths, random.Random(f"{seed}:{restart}"))  # noqa: S311 - a seeded search
        print(f"{found.share:6.1%}  {len(found.text)} characters: {found.text}")


if __name__ == "__main__":
    main()
