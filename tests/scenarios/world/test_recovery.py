"""With a fault taken out again a system comes back to the course that it has without it, within fifteen minutes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from scenarios.laws.returning import get_failing
from scenarios.world import Change, Run, System
from tests.scenarios.world.drawing import FEW
from tests.scenarios.world.faults import BEGINS, draw_faults

LASTS = 600.0
RETURNS = 900.0
MINUTES_COMPARED = 2
NEUTRAL = {"errors": 0.0, "loss": 0.0, "denied": 0.0}


def _get_p99(run: Run) -> list[float]:
    """The mean p99 at each journey's entry in the last two minutes."""
    rows = run.record.get("p99")[-4 * MINUTES_COMPARED :, run.layout.journey_entry]
    return [float(np.mean(column)) for column in rows.T]


def _check_return(drawn: tuple[System, Change]) -> None:
    system, fault = drawn
    gone = fault.model_copy(update={"at": BEGINS + LASTS, "to": NEUTRAL.get(fault.what, 1.0), "over": 0.0})
    runs = [Run(system.model_copy(update={"changes": changes}), noise=False) for changes in ((), (fault, gone))]
    for run in runs:
        run.advance(BEGINS + LASTS + RETURNS)
    healthy, healed = (get_failing(run, -4 * MINUTES_COMPARED) for run in runs)
    assert np.abs(healed - healthy).max() <= 0.01
    assert _get_p99(runs[1]) == pytest.approx(_get_p99(runs[0]), rel=0.2)


@pytest.mark.slow
@FEW
@given(draw_faults())
def test_a_system_returns_when_its_fault_is_gone(drawn: tuple[System, Change]) -> None:
    _check_return(drawn)
