"""How a trouble spread is told by what is worse than without it, in time, and from its root outwards."""

from __future__ import annotations

from scenarios.telemetry.spreading import find_felt, find_own, find_spread
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
    assert find_spread(run(), run(), "shop-db", AT, 900) == []


def test_what_a_store_does_to_its_callers_is_told_in_time() -> None:
    slow = run(Change(at=AT, what="work", target="shop-db", to=200.0))
    signs = find_spread(slow, run(), "shop-db", AT, 900)
    assert signs
    assert [sign.at for sign in signs] == sorted(sign.at for sign in signs)
    assert all(AT <= sign.at < 900 for sign in signs)
    assert any(sign.component == "shop-db" and "of what shop asks shop-db fails" in sign.said for sign in signs)


def test_nothing_is_told_of_what_is_as_bad_without_the_fault() -> None:
    slow = run(Change(at=AT, what="work", target="shop-db", to=200.0))
    assert find_spread(slow, slow, "shop-db", AT, 900) == []


def test_nothing_is_told_of_before() -> None:
    slow = run(Change(at=AT - 300.0, what="work", target="shop-db", to=200.0))
    assert all(sign.at >= AT for sign in find_spread(slow, run(), "shop-db", AT, 900))


def test_what_grows_is_told_with_the_most_that_it_comes_to() -> None:
    refused = run(Change(at=AT, what="shed", target="shop-db", to=0.8, over=120.0))
    (sign,) = (sign for sign in find_spread(refused, run(), "shop-db", AT, 900) if sign.component == "shop-db")
    assert sign.said.startswith("up to 80 % of what shop asks shop-db fails")
    assert 0.79 < sign.share < 0.81


def test_of_one_moment_what_is_nearest_to_the_root_is_told_first() -> None:
    broken = run(Change(at=AT, what="errors", target="shop-db", to=1.0))
    near, *_ = find_spread(broken, run(), "shop-db", AT, 900)
    assert near.component == "shop-db"


def test_a_trouble_that_a_component_has_by_itself_is_told_of_who_asks_and_who_is_asked() -> None:
    refused = run(Change(at=AT, what="shed", target="shop-db", to=0.8))
    for component in ("shop", "shop-db"):
        assert any("of what shop asks shop-db fails" in sign.said for sign in find_own(refused, component, AT, 900))
    assert find_own(refused, "somebody-else", AT, 900) == []


def test_what_users_feel_is_told_of_the_journey_of_which_most_fails() -> None:
    refused = run(Change(at=AT, what="shed", target="shop-db", to=0.8))
    felt = find_felt(refused, run(), ("buy",), AT, 900)
    assert felt is not None
    assert felt.at >= AT
    assert felt.said.endswith("of the requests of buy fail")
    assert find_felt(refused, refused, ("buy",), AT, 900) is None
    assert find_felt(run(), run(), ("buy",), AT, 900) is None


def test_of_several_calls_to_what_fails_the_same_is_told_once() -> None:
    parts = (
        {"name": "shop", "software": "go-service", "instances": 2, "routes": [{"name": "order", "work": 0.02}]},
        {
            "name": "shop-db",
            "software": "postgres",
            "routes": [{"name": "orders", "work": 0.004}, {"name": "stock", "work": 0.004}],
        },
    )
    calls = tuple(
        {"source": "shop/order", "target": f"shop-db/{route}", "deadline": 0.5, "pool": 20, "optional": True}
        for route in ("orders", "stock")
    )
    journeys = ({"name": "buy", "entry": "shop/order", "demand": 50.0, "deadline": 5.0, "worth": 1.0},)
    broken = Run(
        build(parts, calls, journeys=journeys, changes=(Change(at=AT, what="errors", target="shop-db", to=1),))
    )
    broken.advance(AT + 300.0)
    said = [sign.said for sign in find_own(broken, "shop-db", AT, 900)]
    assert said == ["100 % of what shop asks shop-db fails, because it answers with errors"]
