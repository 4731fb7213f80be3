"""A family strikes what it can strike, and changes nothing before its time."""

from __future__ import annotations

import pytest

from scenarios.faults import FAMILIES, Fault, list_targets, strike
from scenarios.generator.library import families
from scenarios.world import Call, Component, Route, Run, System, load_system
from tests.slow import mark_slow_after

AT = 120.0


@pytest.fixture(scope="module")
def system() -> System:
    return load_system("analytics-export").model_copy(update={"changes": ()})


def test_each_family_has_words() -> None:
    assert set(FAMILIES) <= set(families())


@pytest.fixture(scope="module")
def spared(system: System) -> Run:
    """The system without a fault."""
    run = Run(system)
    run.advance(AT + 300)
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "name"), mark_slow_after(len(FAMILIES), [(place, name) for place in range(2) for name in FAMILIES])
)
def test_a_fault_acts_from_its_time_on(system: System, spared: Run, place: int, name: str) -> None:
    for target in list_targets(FAMILIES[name], system)[place : place + 1]:
        struck = Run(strike(system, Fault(family=name, component=target, strength=2, at=AT)))
        struck.advance(spared.time)
        before = int(AT // 15)
        same = [(struck.record.get(each) == spared.record.get(each)) for each in ("good", "sent", "memory", "p99")]
        assert all(each[:before].all() for each in same)
        assert not all(each[before:].all() for each in same)


def test_what_a_family_cannot_strike_is_refused(system: System) -> None:
    with pytest.raises(ValueError, match="does not strike 'api-gateway'"):
        strike(system, Fault(family="packet-loss", component="api-gateway", at=AT))


def test_what_others_run_gets_no_release(system: System) -> None:
    acquirer = Component(name="acquirer", software="third-party", routes=(Route(name="pay", work=0.1),))
    larger = system.model_copy(update={"components": (*system.components, acquirer)})
    striking = {name for name, family in FAMILIES.items() if "acquirer" in list_targets(family, larger)}
    assert not {name for name in striking if FAMILIES[name].release is not None}
    called = larger.model_copy(
        update={
            "calls": (
                *larger.calls,
                Call(source="payment-service/pay", target="acquirer/pay", deadline=2, pool=10),
            )
        }
    )
    assert "acquirer" in list_targets(FAMILIES["third-party-outage"], called)


def test_no_job_works_on_a_cache(system: System) -> None:
    parts = {part.name: part for part in system.components}
    cache = parts["redis-cache"].model_copy(update={"parameters": {"hit_ratio": 0.9}})
    others = [part for part in system.components if part.name != "redis-cache"]
    cached = system.model_copy(update={"components": (*others, cache)})
    targets = list_targets(FAMILIES["unbounded-export"], cached)
    assert "order-service" in targets
    assert not {"catalog-service", "search-service"} & set(targets)
