"""The honest searcher follows what it has seen, and needs more looks the farther the cause is."""

from __future__ import annotations

from scenarios.proofs.searching import LONGEST, Search, count_looks
from scenarios.world import AlertRule
from tests.scenarios.world.small import build

NAMES = ("shop", "stock", "store", "letters")
CHAIN = build(
    [{"name": name, "software": "go-service", "routes": [{"name": "do", "work": 0.01}]} for name in NAMES],
    [
        {"source": "shop/do", "target": "stock/do", "deadline": 1, "pool": 10},
        {"source": "stock/do", "target": "store/do", "deadline": 1, "pool": 10},
    ],
    journeys=[{"name": "buy", "entry": "shop/do", "demand": 5, "deadline": 3, "worth": 1}],
)
RULE = AlertRule(name="BuyFailing", journeys=("buy",), above=0.1)
SUSPECTS = (("", ""), *((name, "bad-release") for name in NAMES))
UNWELL: dict[str, tuple[str, ...]] = {"shop": ("stock",), "stock": ("store",)}


def search(masks: dict[tuple[str, str], int], unwell: dict[str, tuple[str, ...]] = UNWELL, alike: int = 0) -> int:
    return count_looks(Search(CHAIN, RULE, SUSPECTS, masks, unwell, alike), 7)


def test_looks_where_it_pages_come_first() -> None:
    everything = (1 << len(SUSPECTS)) - 1
    near = search(dict.fromkeys([(look, "shop") for look in ("check_metrics", "query_logs")], everything))
    assert 1 <= near <= 2
    middle = search({("query_logs", "stock"): everything})
    far = search({("query_logs", "store"): everything})
    assert near < middle < far
    assert 4 <= middle <= 6
    assert 7 <= far <= 9


def test_what_is_not_shown_unwell_is_looked_at_later() -> None:
    everything = (1 << len(SUSPECTS)) - 1
    followed = search({("check_recent_deploys", "letters"): everything})
    assert followed > search({("query_logs", "store"): everything})
    assert search({("query_logs", "store"): everything}, {}) > search({("query_logs", "store"): everything})


def test_nobody_finds_what_no_look_tells() -> None:
    only = 0b01111
    assert search({("query_logs", "shop"): only}) == LONGEST
    assert search({("query_logs", "shop"): only}, alike=0b10000) <= 3
