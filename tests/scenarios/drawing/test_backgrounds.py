"""Without its fault a drawn system serves its users, has not much to spare, and pages nobody."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.drawing import draw
from scenarios.telemetry.pages import find_failing, find_pages
from scenarios.world import Run

pytestmark = pytest.mark.slow

_MINUTES = 20


@pytest.fixture(scope="module")
def run() -> Run:
    """Twelve draws without their faults, side by side."""
    run = Run(*(draw(7000 + number, 1 + number % 5).background for number in range(12)), noise=False)
    run.advance(60 * _MINUTES)
    return run


def test_it_serves_its_users(run: Run) -> None:
    for number, system in enumerate(run.layout.systems):
        failing = find_failing(run, 60 * _MINUTES, number)
        for journey in system.journeys:
            if journey.worth > 0.0:
                assert float(np.mean(failing[journey.name])) < 0.012, (system.name, journey.name)


def test_it_pages_nobody(run: Run) -> None:
    for number, system in enumerate(run.layout.systems):
        assert system.alerts
        assert not find_pages(run, 60 * _MINUTES, number), system.name


def test_it_has_not_much_to_spare(run: Run) -> None:
    """After a minute, before anything befalls it."""
    asked = np.bincount(run.layout.route_component, weights=run.record.get("arrived")[8]) > 0.0
    load = run.record.get("load")[8][asked]
    assert float(load.max()) < 0.75
    assert float(np.mean(load < 0.35)) < 0.03
