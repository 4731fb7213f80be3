"""Harm: what users of a system lose, weighed by what their journeys are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.telemetry.pages import find_failing
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from scenarios.world import Run
    from scenarios.world.layout import Floats


def find_harm(run: Run, until: int, system: int = 0) -> Floats:
    """The share of all worth that is not served well, in each finished tick: 0 to 1."""
    document = run.layout.systems[system]
    failing = find_failing(run, until, system)
    harm = np.zeros(int(until / TICK))
    whole = 0.0
    for journey in document.journeys:
        harm = harm + journey.worth * np.array(failing[journey.name])
        whole += journey.worth
    return np.asarray(harm / whole) if whole else harm


def measure_harm(harm: Floats, since: float, until: float) -> float:
    """The harm between two seconds, in minutes in which nobody is served."""
    total = 0.0
    for share in harm[int(since / TICK) : int(until / TICK)].tolist():
        total += share
    return total * TICK / 60.0


def average_harm(harm: Floats, since: float, until: float) -> float:
    """The mean harm between two seconds: 0 to 1."""
    return measure_harm(harm, since, until) * 60.0 / (until - since)
