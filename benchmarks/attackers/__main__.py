"""Attacks drawn incidents in every way that there is: `scripts/attack [N [FIRST_SEED]]`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.attackers.collecting import collect
from benchmarks.attackers.learning import find_carriers, learn
from benchmarks.attackers.matrix import build_matrix
from benchmarks.attackers.pairs import find_rules
from benchmarks.attackers.population import print_changes, print_families, print_guesses, print_kinds
from benchmarks.attackers.reading import describe
from benchmarks.attackers.signs import print_guilt, print_signs
from benchmarks.attackers.tables import print_heading, print_row
from benchmarks.attackers.walking import RULES, add_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.attackers.collecting import Sighting
    from benchmarks.attackers.matrix import Matrix

_OWN = ("kind", "status", "logs", "metrics", "change times", "change kinds")
_NO_TOPOLOGY, _EVERYTHING = "own evidence, no calls", "everything, with places on the walk"
_SETS = {
    "page and names": ("names",),
    _NO_TOPOLOGY: _OWN,
    "own evidence and the health of own calls": (*_OWN, "own calls"),
    _EVERYTHING: ("names", *_OWN, "own calls", "places"),
}
_LEFT_OUT = {
    "time of changes": ("change times",),
    "kinds of changes": ("change kinds",),
    "all of changes": ("change times", "change kinds"),
    "changes and uptime": ("change times", "change kinds", "status"),
    "logs": ("logs",),
    "metrics": ("metrics",),
    "status": ("status",),
    "kind of component": ("kind",),
    "own calls": ("own calls",),
    "places": ("places",),
}


def main(count: int = 200, first: int = 0) -> None:
    """Collect incidents, and print what was found out about them."""
    began = time.perf_counter()
    drawn = collect(count, first)
    incidents = [seen for seen in drawn if seen.alert]
    print(
        f"{count} draws from seed {first} on: {len(incidents)} page because of the fault within half an hour; "
        f"{time.perf_counter() - began:.0f} s"
    )
    print_kinds(incidents)
    print_families(drawn)
    print()
    print_changes(incidents)
    print_guesses(incidents)
    print_guilt(incidents)
    told = [describe(seen) for seen in incidents]
    print_signs(incidents, told)
    print_heading("names the root, by a rule")
    for title, rule in RULES.items():
        print_row(
            title, [_judge(rule(seen, each), seen.root) for seen, each in zip(incidents, told, strict=True)], incidents
        )
    for seen, each in zip(incidents, told, strict=True):
        add_places(seen, each)
    matrix = build_matrix(incidents, told)
    _print_pairs(matrix, incidents)
    _print_learned(matrix, incidents)
    print(f"\n{time.perf_counter() - began:.0f} s")


def _judge(score: dict[str, float], root: str) -> float:
    best = max(score.values())
    tops = [name for name, value in score.items() if value >= best - 1e-12]
    return (root in tops) / len(tops)


def _print_pairs(matrix: Matrix, incidents: Sequence[Sighting]) -> None:
    some = matrix.pick((*_OWN, "own calls"))
    trained = np.arange(len(incidents)) % 2 == 0
    print(
        "\nrules over two features of a component itself: the best of all on half of the incidents, and on the others"
    )
    for rule in find_rules(some, trained):
        print(f"  {rule.found:>4.0%}  {rule.kept:>4.0%}  {rule.words}")


def _print_learned(matrix: Matrix, incidents: Sequence[Sighting]) -> None:
    print_heading("names the root, learned in four folds")
    for title, groups in _SETS.items():
        for learner in ("logistic", "boosting"):
            print_row(f"{title} · {learner}", learn(matrix.pick(groups), learner), incidents)
    for title in (_NO_TOPOLOGY, _EVERYTHING):
        _print_parts(title, _SETS[title], matrix, incidents)


def _print_parts(title: str, groups: Sequence[str], matrix: Matrix, incidents: Sequence[Sighting]) -> None:
    """What is left of a learner without each group of features, and with that alone; and which features carry it."""
    print_heading(f"{title} · boosting")
    for left_out, fewer in _LEFT_OUT.items():
        if set(fewer) & set(groups):
            print_row(f"  without {left_out}", learn(matrix.pick(groups, but=fewer), "boosting"), incidents)
    for group in groups:
        print_row(f"  only {group}", learn(matrix.pick((group,)), "boosting"), incidents)
    print("  what carries it: points lost when it is shuffled, of accuracy and of the root's part of the probability")
    for carrier in find_carriers(matrix.pick(groups)):
        print(f"  {100 * carrier.accuracy:>5.1f}  {100 * carrier.probability:>5.1f}  {carrier.name[:110]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
