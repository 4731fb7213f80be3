"""How a trouble spread is told from the component that it began at, along calls, in time."""

from __future__ import annotations

from scenarios.telemetry.spreading import find_spread
from scenarios.world import Change, Run
from tests.scenarios.world.small import build

AT = 600.0


def run(*changes: Change) -> Run:
    parts = (
        {
            "name": "shop",
            "software": "go-service",
            "instances": 2,
            "routes": [{"name": "order", "work": 0.02}],
        },
        {"name": "shop-db", "software": "postgres", "routes": [{"name": "orders", "work": 0.004}]},
    )
    calls = ({"source": "shop/order", "target": "shop-db/orders", "deadline": 0.5, "pool": 20},)
    journeys = ({"name": "buy", "entry": "shop/order", "demand": 50.0, "deadline": 5.0, "worth": 1.0},)
    played = Run(build(parts, calls, journeys=journeys, changes=changes))
    played.advance(AT + 300.0)
    return played


def test_nothing_is_told_of_what_is_well() -> None:
    assert find_spread(run(), "shop-db", AT, 900) == []


def test_what_a_store_does_to_its_callers_is_told_in_time() -> None:
    slow = run(Change(at=AT, what="work", target="shop-db", to=200.0))
    signs = find_spread(slow, "shop-db", AT, 900)
    assert signs
    assert [sign.at for sign in signs] == sorted(sign.at for sign in signs)
    assert all(AT <= sign.at < 900 for sign in signs)
    assert any(sign.component == "shop-db" and "of what shop asks shop-db fails" in sign.said for sign in signs)


def test_nothing_is_told_of_what_has_no_way_to_the_root() -> None:
    slow = run(Change(at=AT, what="work", target="shop-db", to=200.0))
    assert find_spread(slow, "somebody-else", AT, 900) == []


def test_nothing_is_told_of_before() -> None:
    slow = run(Change(at=AT - 300.0, what="work", target="shop-db", to=200.0))
    assert all(sign.at >= AT for sign in find_spread(slow, "shop-db", AT, 900))
