"""Attackers of drawn incidents: what they see is there, and what gives a root away is found."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.attackers.collecting import collect
from benchmarks.attackers.matrix import Matrix, build_matrix, credit
from benchmarks.attackers.pairs import find_rules
from benchmarks.attackers.reading import describe
from benchmarks.attackers.walking import RULES, walk

COMPONENTS = 5


def _plant(incidents: int) -> Matrix:
    """Roots have the most of the first feature, as others do, and of those the least of the second."""
    dice = np.random.default_rng(3)
    count = incidents * COMPONENTS
    values = dice.random((count, 4))
    is_root = np.zeros(count, dtype=np.int64)
    for first in range(0, count, COMPONENTS):
        own = np.arange(COMPONENTS) / COMPONENTS
        dice.shuffle(own)
        values[first : first + COMPONENTS, 0] = np.minimum(own, 0.6)
        values[first : first + COMPONENTS, 1] = own
        is_root[first + int(np.argmax(np.where(own < 0.8, own, -1.0)))] = 1
    names = tuple(f"{name} (rank)" for name in ("capped", "plain", "noise", "more noise"))
    return Matrix(values, names, ("own",) * 4, np.repeat(np.arange(incidents), COMPONENTS), is_root)


def test_a_rule_that_gives_the_root_away_is_found_and_holds_elsewhere() -> None:
    matrix = _plant(40)
    best = find_rules(matrix, np.arange(40) % 2 == 0)[0]
    assert best.words == "most own: capped then least own: plain"
    assert (best.found, best.kept) == (1.0, 1.0)


def test_a_guess_among_equals_is_a_part_of_one() -> None:
    incident = np.array([0, 0, 0, 1, 1])
    is_root = np.array([0, 1, 0, 0, 1])
    assert credit(np.array([0.2, 0.2, 0.1, 0.9, 0.3]), is_root, incident) == [0.5, 0.0]


@pytest.mark.slow
def test_attackers_see_what_players_do() -> None:
    paged = [seen for seen in collect(10, 300) if seen.alert]
    assert len(paged) >= 5
    told = [describe(seen) for seen in paged]
    matrix = build_matrix(paged, told)
    assert matrix.is_root.sum() == len(paged)
    for seen, each in zip(paged, told, strict=True):
        assert seen.root in seen.strikable[seen.family]
        assert walk(seen)[0] in seen.alert["affected_services"]
        for title, rule in RULES.items():
            assert rule(seen, each).keys() == seen.looks.keys(), title
        ages = [groups["change times"]["minutes from change to page"] for groups in each.values()]
        assert min(ages) >= 0.0
