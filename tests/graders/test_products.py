"""Points that are a product say all of their factors, so that whoever reads them can compute them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import DIAGNOSTICS
from tests.proved import name_cause, name_repair, play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graders import Grade
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action

*_, DRAW = min(
    (proof.lasts, difficulty, (seed, difficulty))
    for (seed, difficulty), (_, proof) in list_proofs().items()
    if {len(each) for each in proof.repairs} == {1} and len(proof.certificates[0]) > 1
)


@pytest.fixture(scope="module")
def repair() -> Scenario:
    return Catalogue().get(name_repair(DRAW))


@pytest.fixture(scope="module")
def cause() -> Scenario:
    return Catalogue().get(name_cause(DRAW))


def grade_play(scenario: Scenario, actions: Sequence[Action]) -> Grade:
    ended = play(scenario, actions)
    assert ended.grade is not None
    return ended.grade


def compute(written: str) -> float:
    """A product as a sentence tells it: numbers, what each stands for in brackets, and signs."""
    bare = re.sub(r" \([a-z ]+\)", "", written).replace("×", "*").replace("÷", "/").replace("−", "-")
    assert re.fullmatch(r"[\d.+*/() -]+", bare), bare
    return float(eval(bare))  # noqa: S307 - digits, signs and brackets


def check_products(grade: Grade) -> int:
    """How many points say their product; each has to come to the points, and to stand in the sentence."""
    found = 0
    for point in grade.breakdown:
        for reason in point.reasons:
            if reason.code == "product":
                found += 1
                written = str(reason.facts["factors"])
                assert compute(written) == pytest.approx(float(point.points), abs=2e-4)
                assert f"{written} = {float(point.points):.4f}" in point.reason
    return found


def test_a_repair_after_one_look(repair: Scenario) -> None:
    perfect = play_perfectly(repair.incident, repair.task)
    first = next(action for action in perfect if action.name in DIAGNOSTICS)
    others = [action for action in perfect if action.name not in DIAGNOSTICS]
    recovery = perfect[-2]
    grade = grade_play(repair, [*[first] * 10, *others[:-1], recovery, others[-1]])
    assert check_products(grade) == 3
    efficiency = next(point for point in grade.breakdown if point.name == "efficiency")
    assert re.search(r"0\.30 × \S+ \(known\) × \S+ \(saved\) × \S+ \(steps\) = ", efficiency.reason)


def test_a_cause_after_one_look(cause: Scenario) -> None:
    first, *_, answer = play_perfectly(cause.incident, cause.task)
    assert check_products(grade_play(cause, [first, answer])) >= 2


def test_a_wrong_service(cause: Scenario) -> None:
    first, *_ = play_perfectly(cause.incident, cause.task)
    other = next(name for name in cause.incident.services if name != cause.incident.truth.service)
    wrong = parse_action("submit_root_cause", {"service": other, "failure_mode": "its disk is full"})
    assert check_products(grade_play(cause, [first, wrong])) == 1


def test_what_is_all_earned_needs_no_product(cause: Scenario) -> None:
    assert check_products(grade_play(cause, play_perfectly(cause.incident, cause.task))) == 0


def test_how_much_is_known_says_how_it_follows_from_what_is_left(cause: Scenario) -> None:
    first, *_, answer = play_perfectly(cause.incident, cause.task)
    grade = grade_play(cause, [first, answer])
    assert re.search(r"\(1 − ln \d+ ÷ ln \d+\)", grade.breakdown[0].reason)
