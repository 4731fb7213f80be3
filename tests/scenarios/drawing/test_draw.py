"""What is drawn of a seed is the same everywhere, and nothing like what is drawn of the next."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import pytest

from scenarios.drawing import Draw, draw
from scenarios.drawing.apart import is_kept_apart
from scenarios.drawing.choosing import SIZES
from scenarios.drawing.placing import ONSET
from scenarios.faults import FAMILIES, strike
from scenarios.generator.draw import kept_apart
from scenarios.generator.ids import PlainIds
from scenarios.generator.library import archetypes, families
from scenarios.generator.naming import OUT_OF_DISTRIBUTION, SPLITS, Name
from tests.slow import count_examples

_PRINT = """
from hashlib import sha256
from scenarios.drawing import draw
for seed in range(6):
    drawn = draw(seed, 1 + seed % 5)
    print(sha256((drawn.system.model_dump_json() + drawn.fault.model_dump_json()).encode()).hexdigest())
"""


def _print_in_process(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", _PRINT], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def _list_numbers(drawn: Draw) -> set[float]:
    system = drawn.background
    numbers = [route.work for part in system.components for route in part.routes]
    return {*numbers, *(journey.demand for journey in system.journeys)}


@pytest.mark.slow
def test_a_seed_gives_the_same_bytes_in_two_processes() -> None:
    first = _print_in_process("1")
    assert len(set(first.split())) == 6
    assert _print_in_process("2") == first


@pytest.mark.slow
def test_adjacent_seeds_share_nothing_recognisable() -> None:
    draws = [draw(seed, 3) for seed in range(500, 540)]
    pairs = list(pairwise(draws))
    for drawn, after in pairs:
        assert len(_list_numbers(drawn) & _list_numbers(after)) <= 0.25 * len(_list_numbers(drawn))
        assert drawn.background.seed != after.background.seed
        assert drawn.background.begins != after.background.begins
    same_business = [a for a, b in pairs if a.background.name.split("-")[0] == b.background.name.split("-")[0]]
    same_family = [a for a, b in pairs if a.fault.family == b.fault.family]
    assert len(same_business) < len(pairs) / 3
    assert len(same_family) < len(pairs) / 4


@pytest.mark.slow
@pytest.mark.parametrize("difficulty", range(1, 6))
def test_a_draw_is_of_its_difficulty(difficulty: int) -> None:
    least, most = SIZES[difficulty]
    for seed in range(6):
        drawn = draw(seed, difficulty)
        system = drawn.background
        assert least <= len(system.components) <= most
        assert ONSET[0] <= drawn.fault.at <= ONSET[1]
        assert sum(round(1000 * journey.worth) for journey in system.journeys) == 1000
        assert {name for rule in system.alerts for name in rule.journeys} >= {
            journey.name for journey in system.journeys if journey.worth > 0.0
        }
        assert drawn.system == strike(system, drawn.fault)
        assert not any(drawn.fault.component in rule.name for rule in system.alerts)


def test_two_causes_differ_and_all_but_their_own_seeds_have_one() -> None:
    for number, difficulty in ((0, 4), (1, 5)):
        drawn = draw((3 << 48) + (1 << 40) + number, difficulty)
        assert drawn.second is not None
        assert drawn.second.family != drawn.fault.family
        assert drawn.second.component not in {drawn.fault.component, *(each.component for each in drawn.look_alikes)}
        assert 0 <= drawn.second.at - drawn.fault.at <= 240
        assert drawn.system == strike(strike(drawn.background, drawn.fault), drawn.second)
        assert draw((3 << 48) + number, difficulty).second is None
    assert draw((3 << 48) + (1 << 40), 3).second is None
    assert draw(1 << 40, 4).second is None


def test_a_difficulty_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1 to 5"):
        draw(1, 6)


def test_nothing_changes_while_what_is_normal_is_seen() -> None:
    for seed in range(20):
        changes = draw(seed, 1 + seed % 5).background.changes
        # A flag may be set some minutes before the job behind it runs.
        assert min((change.at for change in changes if change.what != "flag"), default=300.0) >= 300.0


@pytest.mark.slow
@pytest.mark.parametrize("split", [*SPLITS, None])
def test_what_is_out_of_distribution_occurs_in_one_split_only(split: str | None) -> None:
    draws = [draw(seed, 1 + seed % 5, split=split) for seed in range(count_examples(25, least=10))]
    apart = {_is_apart(drawn) for drawn in draws}
    assert apart == {split == OUT_OF_DISTRIBUTION}


def test_the_split_is_that_of_the_seed() -> None:
    first = {name: split.region << 48 for name, split in SPLITS.items()}
    for name, seed in first.items():
        assert _is_apart(draw(seed, 2)) == (name == OUT_OF_DISTRIBUTION)
        assert draw(seed, 2) == draw(seed, 2, split=name)


def _is_apart(drawn: Draw) -> bool:
    return is_kept_apart(drawn.fault.family, drawn.background.name.split("-")[0])


def test_both_generators_keep_the_same_apart() -> None:
    for family in FAMILIES.keys() & families().keys():
        for business in archetypes():
            assert is_kept_apart(family, business.archetype) == kept_apart(families()[family], business)


def test_a_draw_is_found_again_by_its_name() -> None:
    drawn = draw(77, 4)
    assert drawn.name == PlainIds().incident(Name("root_cause_analysis", 77, 4, generator="2"))
    found = PlainIds().parse(drawn.name.upper().replace("-D", "-RCA-D", 1))
    assert found is not None
    assert draw(found.seed, found.difficulty) == drawn
