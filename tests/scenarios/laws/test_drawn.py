"""Drawn systems keep the laws in an honest, a random and a hostile play."""

from __future__ import annotations

import os

import pytest
from hypothesis import given

from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.laws import LAWS, Subject, find_breaches
from scenarios.running.incident import RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import REMEDIATIONS
from scenarios.world import Call, Component, Job, Journey, Route, System
from tests.scenarios.world.drawing import MANY, draw_systems

_ASKED = set(LAWS) - {"bytes", "return", "step"}
"""All but what has tests of its own, and what only the document of an incident states."""
_BEGINS = 240.0


if "WORLD_SYSTEMS" in os.environ:  # in the wide run and in `scripts/laws-check`: what is drawn hangs on what is loaded

    @pytest.mark.slow
    @MANY
    @given(draw_systems())
    def test_a_drawn_system_keeps_the_laws(system: System) -> None:
        plan = tuple(("restart_service", component.name) for component in system.components[:3])
        found = find_breaches(Subject("drawn", system, _BEGINS, plan), _ASKED)
        assert not any(found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "difficulty"), [(6003, 4)])
def test_a_drawn_incident_keeps_the_laws(seed: int, difficulty: int) -> None:
    drawn = draw(seed, difficulty)
    subject = Subject(drawn.name, drawn.system, drawn.fault.at + 420.0, (("restart_service", drawn.fault.component),))
    found = find_breaches(subject, _ASKED)
    assert not any(found.values()), found


def test_the_plan_of_an_incident_is_told_in_operations() -> None:
    of_runbook = (
        key
        for key, (_, proof) in list_proofs().items()
        if proof.calm is None and proof.repairs[0][0][0] not in REMEDIATIONS
    )
    seed, difficulty = min(of_runbook, key=lambda key: (key[1], key[0]))
    incident = Catalogue().get(f"GEN2-RP-D{difficulty}-{seed}").incident
    assert isinstance(incident, RunningIncident)
    honest = Subject.of_incident(incident).play_honestly()
    orders = [(move.name, move.target) for move in honest.moves if not move.is_look]
    assert orders == list(list_proofs()[seed, difficulty].proof.repairs[0])


def test_no_counter_falls_below_nothing_by_rounding() -> None:
    """In a system that was found by drawing, attempts that failed once came to less than none."""
    parts = [("coredns", 3, 0.004), ("envoy", 3, 0.2), ("nginx", 1, 0.004), ("nginx", 5, 0.03), ("redis", 1, 0.0004)]
    parameters: dict[int, dict[str, float]] = {
        1: {"connections": 0.0, "start_seconds": 60.0, "automatic_starts": 0.0},
        3: {"checks_connections": 0.0},
        5: {"automatic_starts": 0.0},
    }
    jobs = {
        1: (60.0, 33.0, 20.0, 30.0, 300.0),
        2: (300.0, 33.0, 250.0, 30.0, 0.0),
        4: (300.0, 200.0, 20.0, 30.0, 300.0),
    }
    jobs[5] = (60.0, 200.0, 250.0, 5.0, 10.0)
    components = tuple(
        Component(
            name=f"c{place}",
            software=software,
            instances=instances,
            routes=(
                Route(
                    name="r0",
                    work=work,
                    cpu=0.0 if place == 5 else 4e-5 if place == 4 else work,
                    errors=0.003 if place == 4 else 0.0,
                ),
            ),
            flags=(f"flag-{place}",) if place in jobs else (),
            jobs=(_batch(place, *jobs[place]),) if place in jobs else (),
            parameters=parameters.get(place, {}),
        )
        for place, (software, instances, work) in enumerate([*parts, ("envoy", 5, 0.2)])
    )
    calls = (
        Call(source="c0/r0", target="c3/r0", weight=0.01, deadline=8, attempts=3, pool=100),
        Call(source="c0/r0", target="c2/r0", weight=2, deadline=0.2, pool=100, optional=True),
        Call(source="c3/r0", target="c4/r0", weight=2, deadline=0.2, pool=0.5),
        Call(source="c3/r0", target="c5/r0", weight=0.01, deadline=0.001, attempts=2, pool=0.5, optional=True),
        Call(source="c4/r0", target="c5/r0", deadline=0.001, pool=8),
    )
    journeys = tuple(
        Journey(name=f"j{place}", entry=f"c{place}/r0", demand=demand, deadline=10)
        for place, demand in enumerate((900.0, 60.0, 0.05))
    )
    system = System(name="drawn", components=components, calls=calls, journeys=journeys, seed=22)
    plan = tuple(("restart_service", component.name) for component in components[:3])
    assert find_breaches(Subject("drawn", system, _BEGINS, plan), {"conservation"}) == {"conservation": []}


def _batch(place: int, every: float, first: float, lasts: float, retry: float, memory: float) -> Job:
    return Job(
        name="batch",
        store="c4",
        flag=f"flag-{place}",
        every=every,
        first=first,
        lasts=lasts,
        retry=retry,
        memory_rate=memory,
    )
