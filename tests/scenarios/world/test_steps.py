"""Half the step gives the same classes: what users feel does not come from the length of a step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from scenarios.world import Change, Run, System
from tests.scenarios.world.drawing import FEW, MANY
from tests.scenarios.world.faults import BEGINS, draw_faults, get_failing

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


@pytest.mark.slow
@MANY
@given(draw_faults())
def test_half_the_step_gives_the_same_failures_in_many_systems(drawn: tuple[System, Change]) -> None:
    _check_half(drawn)
