"""How much of the failure-mode points the best constant text earns over generated incidents, found with the lists open.

Run with `python -m benchmarks.constant_text`, or with a number of incidents (400 unless arguments), the first seed (0),
restarts of the search (4) and its own seed (0). The search knows every term of every list, what people answered, and
the words that speak most for each failure by their weights. It begins with the best of some texts, adds, exchanges and
takes out clauses as long as that pays, and prints the best text with its share of the points.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.answers.__main__ import FILES, FOLDER
from graders import nearness
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


_CLAUSES = {"family": 0.2, "idea": 0.2, "failure": 0.05, "sentence": 0.2, "answer": 0.1, "stems": 0.25}
"""How often a clause says a whole family, one idea, a term of failures, a part of an answer, all, or heavy words."""
_HEAVY = 40
"""Stems of each failure that the search takes, those that speak most for it."""
_STARTS = 25
_TAKE_OUT, _EXCHANGE = 0.2, 0.55
_AGAIN = 0.3


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


@cache
def _list_answers() -> list[str]:
    """Right answers by people, and the sentences in which families say what fails."""
    lines = [json.loads(line) for name in FILES for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
    told = [line["text"] for line in lines if line["kind"] == "right"]
    return told + [said for family in families().values() for said in (family.words.answer, *family.words.also) if said]


@cache
def _list_heavy() -> list[list[str]]:
    """The words that speak most for each failure, as they stand or denied."""
    table = json.loads(nearness.TABLE.read_text("utf-8"))
    heavy = []
    for place in range(len(table["failures"])):
        stems = sorted(table["weights"], key=lambda stem: -table["weights"][stem][place])[:_HEAVY]
        heavy.append([f"no {stem[1:]}" if stem.startswith("!") else stem for stem in stems])
    return heavy


class _Writer:
    """Draws clauses, and changes texts by them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ideas = list(list_clauses().values())
        self._loose = [_spell(term) for family in load_failure_families().values() for term in family.terms]

    def draw_clause(self) -> str:
        choose = self._chance.choice
        match self._chance.choices(list(_CLAUSES), list(_CLAUSES.values()))[0]:
            case "family":
                return " ".join(map(choose, choose(self._ideas)))
            case "idea":
                return choose(choose(choose(self._ideas)))
            case "failure":
                return choose(self._loose)
            case "sentence":
                return choose(re.split(r"[.;]\s|, ", choose(_list_answers())))
            case "stems":
                return " ".join(self._chance.sample(choose(_list_heavy()), choose((1, 2, 4))))
        return choose(_list_answers())

    def start(self) -> list[str]:
        return [self.draw_clause() for _ in range(self._chance.choice((1, 1, 3, 8)))]

    def change(self, clauses: list[str]) -> list[str]:
        other = list(clauses)
        move = self._chance.random()
        if other and move < _TAKE_OUT:
            other.pop(self._chance.randrange(len(other)))
        elif other and move < _EXCHANGE:
            other[self._chance.randrange(len(other))] = self.draw_clause()
        else:
            other.insert(self._chance.randint(0, len(other)), self.draw_clause())
        return self.change(other) if self._chance.random() < _AGAIN else other


def search_text(truths: Mapping[Truth, int], chance: random.Random, tries: int = TRIES) -> Found:
    """The best text of one search, by its share of the points."""
    writer = _Writer(chance)

    def measure(clauses: list[str]) -> float:
        text = _join(clauses)
        return measure_text(text, truths) if len(text) <= FAILURE_MODE_LIMIT else 0.0

    said = max((writer.start() for _ in range(_STARTS)), key=measure)
    best, idle = measure(said), 0
    while idle < tries:
        other = writer.change(said)
        idle += 1
        if (share := measure(other)) >= best:
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
