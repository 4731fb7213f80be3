"""What a look excludes: calls speak both ways, what innocents show too speaks one way, what is near a boundary not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.proofs.certifying import find_certificates, find_least_left
from scenarios.proofs.exclusion import find_differences
from scenarios.proofs.signs import CHANGES, EVENTS, UNKNOWN, Signs
from scenarios.world import lay_out
from scenarios.world.reasons import Reason
from tests.scenarios.world.small import build

SHOP = build(
    [
        {"name": "shop", "software": "go-service", "routes": [{"name": "buy", "work": 0.01}]},
        {"name": "stock", "software": "go-service", "routes": [{"name": "take", "work": 0.01}]},
    ],
    [{"source": "shop/buy", "target": "stock/take", "deadline": 1, "pool": 10}],
    journeys=[{"name": "buy", "entry": "shop/buy", "demand": 5, "deadline": 3, "worth": 1}],
)
SHOP_PLACE, STOCK_PLACE = 0, 1


def write_signs(**given: Any) -> Signs:
    """The signs of one world in which all is as usual, but for what is given."""
    usual = {
        "levels": np.zeros((1, 2, 6), dtype=np.int8),
        "errors": np.zeros((1, 2), dtype=np.int8),
        "events": np.zeros((1, 2, len(EVENTS)), dtype=np.int8),
        "changes": np.zeros((1, 2, len(CHANGES)), dtype=np.int8),
        "failing": np.zeros((1, 1), dtype=np.int8),
        "reason": np.full((1, 1), len(Reason), dtype=np.int8),
    }
    for name, value in given.items():
        usual[name][0] = value
    return Signs(**usual)


def tell(truth: Signs, rival: Signs, look: str, place: int) -> bool:
    return bool(find_differences(truth, rival, lay_out([SHOP]))[look][0, place])


def test_a_worked_example() -> None:
    """Stock answers with errors in truth; with the rival it is not reached. The shop's calls tell them apart."""
    truth = write_signs(failing=3, reason=Reason.ERROR, errors=[3, 3])
    rival = write_signs(failing=3, reason=Reason.REFUSED, errors=[3, 0])
    assert tell(truth, rival, "check_dependencies", SHOP_PLACE)
    assert tell(truth, rival, "query_logs", SHOP_PLACE)
    assert not tell(truth, rival, "check_dependencies", STOCK_PLACE)
    assert not tell(truth, rival, "check_metrics", STOCK_PLACE)  # that it has errors excludes nothing
    assert tell(rival, truth, "check_metrics", STOCK_PLACE)  # that it has none excludes what must give it some


@pytest.mark.parametrize(
    ("shown", "missing"), [("changes", "check_recent_deploys"), ("events", "check_service_status")]
)
def test_a_sign_that_innocents_show_speaks_only_by_its_absence(shown: str, missing: str) -> None:
    with_sign = write_signs(**{shown: 1})
    assert tell(write_signs(), with_sign, missing, STOCK_PLACE)
    assert not tell(with_sign, write_signs(), missing, STOCK_PLACE)


def test_what_is_near_a_boundary_says_nothing() -> None:
    assert not tell(write_signs(failing=UNKNOWN), write_signs(failing=3), "check_dependencies", SHOP_PLACE)
    assert not tell(write_signs(failing=1), write_signs(failing=2), "check_dependencies", SHOP_PLACE)
    assert tell(write_signs(failing=1), write_signs(failing=3), "check_dependencies", SHOP_PLACE)


def test_certificates_are_the_smallest_sets_that_exclude_all() -> None:
    logs, metrics, calls = ("query_logs", "shop"), ("check_metrics", "stock"), ("check_dependencies", "shop")
    masks = {logs: 0b0011, metrics: 0b1100, calls: 0b0111}
    assert set(find_certificates(masks, 4)) == {frozenset({logs, metrics}), frozenset({metrics, calls})}
    assert find_certificates({logs: 0b0011}, 4) == ()
    assert find_least_left(masks, 4) == 1 + 1  # logs and calls of the shop leave one rival
