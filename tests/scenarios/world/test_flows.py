"""What a component gets done."""

from __future__ import annotations

import pytest

from scenarios.world import Run
from tests.scenarios.world.small import build


def test_full_component_does_what_its_slots_allow() -> None:
    """Who waits for a slot holds none: a component that gets twice what it can do works no slower for that."""
    parameters = {"slots": 8, "queue": 1000, "patience": 2}
    run = Run(
        build(
            [
                {
                    "name": "shop",
                    "software": "go-service",
                    "routes": [{"name": "buy", "work": 0.05}],
                    "parameters": parameters,
                }
            ],
            [],
            journeys=[{"name": "buy", "entry": "shop/buy", "demand": 200, "deadline": 3}],
        ),
        noise=False,
    )
    run.advance(300)
    done = float(run.record.get("done")[-1, 0]) / 15
    assert done == pytest.approx(8 / (0.05 * 1.424), rel=1e-6)  # own work takes 1.424 medians on average
