"""Half the step gives the same classes: what users feel does not come from the length of a step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from scenarios.laws.returning import get_failing
from scenarios.world import Change, Run, System
from tests.scenarios.world.drawing import FEW
from tests.scenarios.world.faults import BEGINS, draw_faults
from tests.scenarios.world.small import build

MINUTES = 10
TOLERATED = 0.05


def _check_half(drawn: tuple[System, Change]) -> None:
    system, fault = drawn
    failing = []
    for step in (5.0, 2.5):
        run = Run(system.model_copy(update={"changes": (fault,)}), noise=False, step=step)
        run.advance(60 * MINUTES)
        failing.append([get_failing(run, 4 * minute, 4 * minute + 4) for minute in range(MINUTES)])
    edges = range(int(BEGINS // 60) - 1, int((BEGINS + fault.over) // 60) + 2)
    for minute, (whole, half) in enumerate(zip(*failing, strict=True)):
        if minute not in edges:
            assert np.abs(whole - half).max() <= TOLERATED, f"minute {minute}: {whole} and {half}"


@pytest.mark.slow
@FEW
@given(draw_faults())
def test_half_the_step_gives_the_same_failures(drawn: tuple[System, Change]) -> None:
    _check_half(drawn)


def test_a_crowded_caller_of_what_never_answers_does_not_swing_with_the_step() -> None:
    """Its slots are held by those who wait; were they all free in the next step, the step would set the pace."""
    system = build(
        [
            {"name": "shop", "software": "jvm-service", "routes": [{"name": "buy", "work": 0.004, "cpu": 0.004}]},
            {"name": "store", "software": "postgres", "instances": 5, "routes": [{"name": "read", "work": 0.0004}]},
        ],
        [{"source": "shop/buy", "target": "store/read", "deadline": 8, "pool": 200, "optional": True}],
        journeys=[{"name": "buy", "entry": "shop/buy", "demand": 680, "deadline": 10}],
    )
    fault = Change(at=BEGINS, what="slots", target="store", to=0.0)
    _check_half((system, fault))
