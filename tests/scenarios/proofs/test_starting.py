"""From when on what is struck plays otherwise, and that a background goes on from there."""

from __future__ import annotations

import pytest

from scenarios.faults import Fault, strike
from scenarios.proofs.starting import Beginnings, find_parting
from scenarios.world import Run, System, load_system

AT = 903.0


@pytest.fixture(scope="module")
def calm() -> System:
    system = load_system("analytics-export")
    idle = tuple(part.model_copy(update={"jobs": (), "flags": ()}) for part in system.components)
    return system.model_copy(update={"components": idle, "changes": ()})


def test_most_faults_change_nothing_before_they_strike(calm: System) -> None:
    for family in ("bad-release", "wrong-load-shedding", "latent-feature-flag"):
        assert find_parting(calm, strike(calm, Fault(family=family, component="order-service", at=AT))) == AT


def test_the_flag_of_a_job_is_set_before_it_begins(calm: System) -> None:
    parting = find_parting(calm, strike(calm, Fault(family="migration-lock", component="order-service", at=AT)))
    assert AT - 300.0 <= parting <= AT - 60.0


def test_what_has_a_name_that_was_known_differs_from_the_start(calm: System) -> None:
    fault = Fault(family="migration-lock", component="order-service", at=AT)
    struck = strike(calm, fault)
    assert find_parting(struck, strike(struck, fault)) == 0.0


def test_a_background_goes_on_from_a_moment_and_from_an_earlier_one(calm: System) -> None:
    struck = strike(calm, Fault(family="bad-release", component="order-service", at=AT))
    beginnings = Beginnings(calm)
    alone = Run(struck, noise=False)
    alone.advance(1200)
    for moment in (AT, 300.0):
        run = beginnings.go_on([calm, struck], moment)
        assert run.time <= moment < run.time + run.state.step
        run.advance(1200 - run.time)
        width = alone.record.get("good").shape[1]
        assert (run.record.get("good")[:, width:] == alone.record.get("good")).all()
