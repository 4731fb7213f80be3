"""Each family harms users, does not mend itself, and is mended by what an engineer would do, all by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from scenarios.faults import FAMILIES, Fault, list_targets, strike
from scenarios.faults.notes import load_notes
from scenarios.telemetry.pages import find_failing
from scenarios.world import Run
from tests.scenarios.faults.market import CASES, build_market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.world import System

pytestmark = pytest.mark.slow

AT = 300.0
FELT = 600.0
ACT = AT + FELT + 60.0
SPACING = 120.0
END = ACT + 1500.0
_LATE = slice(-20, None)
"""Ticks of the last five minutes."""


@pytest.fixture(scope="module")
def market() -> System:
    return build_market()


@pytest.fixture(scope="module")
def lanes(market: System) -> Mapping[str, dict[str, list[float]]]:
    """The failing shares of each journey: of the healthy market, and with each family, left alone and mended."""
    struck = {
        name: strike(market, Fault(family=name, component=CASES[name].component, strength=2, at=AT))
        for name in FAMILIES
    }
    names = ["healthy", *struck, *(f"{name} mended" for name in struck)]
    run = Run(market, *struck.values(), *struck.values())
    run.advance(ACT)
    for step in range(4):
        for place, (name, system) in enumerate(struck.items(), 1 + len(struck)):
            _act(run, system, name, step, place)
        run.advance(SPACING)
    run.advance(END - run.time)
    return {name: find_failing(run, int(END), place) for place, name in enumerate(names)}


def _act(run: Run, system: System, family: str, step: int, place: int) -> None:
    case = CASES[family]
    if step >= len(case.deeds):
        return
    operation, target, *number = case.deeds[step]
    owner = next(component for component in system.components if component.name == case.component)
    job = owner.jobs[-1].name if owner.jobs else ""
    flag = owner.flags[-1] if owner.flags else ""
    run.order(operation, target.format(job=job, flag=flag), place, number[0] if number else None)


def _find_worst(failing: dict[str, list[float]], ticks: slice, *, checks: bool) -> float:
    """The share that failed most in any tick: of the journeys of users, or of the check if that is what failed."""
    names = ("probe",) if checks else ("browse", "order")
    return max(max(failing[name][ticks]) for name in names)


def test_the_market_is_healthy(lanes: Mapping[str, dict[str, list[float]]]) -> None:
    assert _find_worst(lanes["healthy"], slice(None), checks=False) < 0.01
    assert _find_worst(lanes["healthy"], slice(None), checks=True) < 0.01


@pytest.mark.parametrize("name", FAMILIES)
def test_users_feel_it_soon(lanes: Mapping[str, dict[str, list[float]]], name: str) -> None:
    soon = slice(int(AT / 15), int((AT + FELT) / 15))
    checks = name == "synthetic-check-failure"
    assert _find_worst(lanes[name], slice(0, soon.start), checks=checks) < 0.01
    assert _find_worst(lanes[name], soon, checks=checks) > 0.1


def test_users_feel_nothing_of_a_check_that_fails(lanes: Mapping[str, dict[str, list[float]]]) -> None:
    assert _find_worst(lanes["synthetic-check-failure"], slice(None), checks=False) < 0.01


@pytest.mark.parametrize("name", FAMILIES)
def test_it_does_not_mend_itself(lanes: Mapping[str, dict[str, list[float]]], name: str) -> None:
    release = FAMILIES[name].release
    # Processes that die for their memory come back for a while.
    last = slice(-60, None) if release is not None and release.fills[2] else _LATE
    assert _find_worst(lanes[name], last, checks=name == "synthetic-check-failure") > 0.1


@pytest.mark.parametrize("name", FAMILIES)
def test_an_engineer_mends_it(lanes: Mapping[str, dict[str, list[float]]], name: str) -> None:
    assert 1 <= len(CASES[name].deeds) <= 4
    mended = lanes[f"{name} mended"]
    assert _find_worst(mended, _LATE, checks=name == "synthetic-check-failure") < 0.01
    assert _find_worst(mended, _LATE, checks=False) < 0.01


def test_a_stronger_fault_harms_no_less(market: System) -> None:
    """All of them in one run, which costs a quarter of a run for each family."""
    faults = [
        Fault(family=name, component=CASES[name].component, strength=strength, at=60.0)
        for name in FAMILIES
        for strength in (0, 1, 2)
    ]
    run = Run(*(strike(market, fault) for fault in faults))
    run.advance(1260)
    failing = [find_failing(run, 1260, place) for place in range(len(faults))]
    harm = [float(np.mean([np.mean(shares) for shares in each.values()])) for each in failing]
    weak, usual, strong = harm[0::3], harm[1::3], harm[2::3]
    found = dict(zip(FAMILIES, zip(weak, usual, strong, strict=True), strict=True))
    assert {name: each for name, each in found.items() if each[0] > each[1] + 0.05 or each[1] > each[2] + 0.05} == {}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_case_strikes_what_the_family_can(market: System, name: str) -> None:
    assert CASES[name].component in list_targets(FAMILIES[name], market)
    assert not FAMILIES[name].entry or len(load_notes()[FAMILIES[name].entry]) >= 3
