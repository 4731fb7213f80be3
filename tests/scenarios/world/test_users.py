"""Users who are answered after the deadline of their journey are not served well, and nobody is lost in the count."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.telemetry.pages import find_failing
from scenarios.world import Change, Run
from tests.scenarios.world.small import build


@pytest.mark.parametrize(("work", "least", "most"), [(1.0, 0.0, 0.02), (6.0, 0.03, 0.9), (60.0, 0.9, 1.0)])
def test_late_answers_fail(work: float, least: float, most: float) -> None:
    api = {"name": "api", "software": "go-service", "routes": [{"name": "pay", "work": 0.05}]}
    journey = {"name": "pay", "entry": "api/pay", "demand": 20, "deadline": 1.0}
    slow = Change(at=60, what="work", target="api", to=work)
    run = Run(build([api], [], journeys=[journey], changes=[slow]), noise=False)
    run.advance(600)
    (shares,) = find_failing(run, 600).values()
    assert shares[2] < 0.02
    assert least <= shares[-1] <= most
    good, failed, arrived = (run.record.get(name)[:, 0] for name in ("users_good", "users_failed", "arrived"))
    assert np.abs(good + failed - arrived).max() < 1e-6 * arrived.max()
