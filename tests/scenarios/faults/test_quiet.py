"""What is quiet does what its family does, and so little of it that nobody notices."""

from __future__ import annotations

from scenarios.drawing import draw
from scenarios.faults import FAMILIES, Fault, list_targets, strike, strike_as
from scenarios.faults.quiet import load_quiet, quieten


def _take_most(low: float, high: float) -> float:
    assert low < high
    return high


def test_each_family_has_a_quiet_form_that_strikes_where_it_does() -> None:
    system = draw(7000, 5).background
    struck = set()
    for name, family in FAMILIES.items():
        for component in list_targets(family, system)[:1]:
            fault = Fault(family=name, component=component, strength=2, at=600.0, seed=5)
            quiet = strike_as(system, fault, quieten(family, _take_most, 1.1))
            assert quiet != strike(system, fault)
            loud = {(change.at, change.target) for change in strike(system, fault).changes if change.note}
            assert {(change.at, change.target) for change in quiet.changes if change.note} == loud, name
            struck.add(name)
    assert len(struck) > 25


def test_nobody_gets_more_work_than_there_is_room_for() -> None:
    for family in FAMILIES.values():
        quiet = quieten(family, _take_most, 1.1)
        if quiet.release is not None:
            assert max(quiet.release.work) <= 1.1
            assert max(quiet.release.keeps) == 0.0
        assert all(max(shift.to) <= 1.1 for shift in quiet.shifts if shift.what in ("work", "scans", "skew"))
        assert {shift.what for shift in quiet.shifts} <= load_quiet()["shifts"].keys()
