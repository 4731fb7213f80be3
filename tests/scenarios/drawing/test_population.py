"""Over many draws: which families and components are roots, and whom innocent changes befall."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from scenarios.drawing import Draw, draw
from scenarios.drawing.felt import find_felt
from scenarios.faults import FAMILIES, list_targets

if TYPE_CHECKING:
    from scenarios.world import System

pytestmark = pytest.mark.slow

_DRAWS = 500


@pytest.fixture(scope="module")
def draws() -> list[Draw]:
    return [draw(seed, 1 + seed % 5) for seed in range(_DRAWS)]


def _list_felt(system: System) -> list[str]:
    felt = find_felt(system)
    return [part.name for part in system.components if felt.measure(system, part.name) is not None]


def _list_changed(system: System) -> set[str]:
    """Components with an entry in their change log from the run."""
    owners = {flag: part.name for part in system.components for flag in part.flags}
    return {owners.get(change.target, change.target) for change in system.changes if change.note}


def test_each_family_is_drawn_about_as_often(draws: list[Draw]) -> None:
    assert {drawn.fault.family for drawn in draws[:400]} == set(FAMILIES)
    usual = _DRAWS / len(FAMILIES)
    counts = Counter(drawn.fault.family for drawn in draws)
    assert {name: count for name, count in counts.items() if not usual / 2.5 < count < usual * 2} == {}


def test_each_kind_is_the_root_about_as_often_as_it_could_be(draws: list[Draw]) -> None:
    roots: Counter[str] = Counter()
    expected: defaultdict[str, float] = defaultdict(float)
    for drawn in draws:
        system = drawn.background
        software = {part.name: part.software for part in system.components}
        felt = _list_felt(system)
        could = [name for name in list_targets(FAMILIES[drawn.fault.family], system) if name in felt]
        if could:
            roots[software[drawn.fault.component]] += 1
            for name in could:
                expected[software[name]] += 1 / len(could)
    assert {"envoy", "router", "postgres", "redis", "kafka"} <= set(roots)
    often = {name for name, count in expected.items() if count >= 12}
    assert {name: roots[name] / expected[name] for name in often if not 0.5 < roots[name] / expected[name] < 2} == {}


def test_changes_befall_roots_and_bystanders_alike(draws: list[Draw]) -> None:
    """Roots by their fault, bystanders by what is innocent: no root has both."""
    root = bystander = roots = bystanders = 0
    for drawn in draws:
        assert drawn.fault.component not in _list_changed(drawn.background)
        changed, felt = _list_changed(drawn.system), _list_felt(drawn.background)
        if drawn.fault.component in felt:
            roots += 1
            root += drawn.fault.component in changed
            bystanders += len(felt) - 1
            bystander += len(changed & set(felt) - {drawn.fault.component})
    assert 0.6 < (root / roots) / (bystander / bystanders) < 1.8


def test_the_fault_is_further_from_the_edge_where_it_is_harder(draws: list[Draw]) -> None:
    away: dict[int, list[int]] = {difficulty: [] for difficulty in range(1, 6)}
    for drawn in draws:
        far = find_felt(drawn.background).measure(drawn.background, drawn.fault.component)
        if far is not None:
            away[drawn.difficulty].append(far)
    average = [sum(values) / len(values) for values in away.values()]
    assert average[0] + 0.5 < average[4]
    assert all(min(values) == 0 for values in away.values())
