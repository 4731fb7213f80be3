"""A family strikes what it can strike, and changes nothing before its time."""

from __future__ import annotations

import pytest

from scenarios.faults import FAMILIES, Fault, list_targets, strike
from scenarios.generator.library import families
from scenarios.world import Run, System, load_system

AT = 120.0


@pytest.fixture(scope="module")
def system() -> System:
    return load_system("analytics-export").model_copy(update={"changes": ()})


def test_each_family_has_words() -> None:
    assert set(FAMILIES) <= set(families())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fault_acts_from_its_time_on(system: System, name: str) -> None:
    for target in list_targets(FAMILIES[name], system)[:2]:
        struck = Run(strike(system, Fault(family=name, component=target, strength=2, at=AT)))
        spared = Run(system)
        for run in (struck, spared):
            run.advance(AT + 300)
        before = int(AT // 15)
        same = [(struck.record.get(each) == spared.record.get(each)) for each in ("good", "sent", "memory", "p99")]
        assert all(each[:before].all() for each in same)
        assert not all(each[before:].all() for each in same)


def test_what_a_family_cannot_strike_is_refused(system: System) -> None:
    with pytest.raises(ValueError, match="does not strike 'api-gateway'"):
        strike(system, Fault(family="packet-loss", component="api-gateway", at=AT))
