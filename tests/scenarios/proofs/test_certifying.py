"""Certificates: the smallest sets of looks are found, whatever all looks together exclude."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from scenarios.proofs.certifying import MOST_LOOKS, find_certificates, find_least_left, find_left
from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from scenarios.incident import Item


def draw_masks(seed: int, looks: int, count: int, share: int) -> dict[Item, int]:
    """Looks each of which excludes about one of `share` rivals."""
    keys = hash_names(seed, [f"{look} {rival}" for look in range(looks) for rival in range(count)], "masks").tolist()
    masks: dict[Item, int] = {}
    for look in range(looks):
        row = keys[look * count : (look + 1) * count]
        masks["query_logs", f"c{look:02}"] = sum(1 << rival for rival, key in enumerate(row) if not key % share)
    return masks


def find_by_trying(masks: dict[Item, int], wanted: int) -> set[frozenset[Item]]:
    for size in range(1, MOST_LOOKS + 1):
        found = set()
        for chosen in combinations(masks, size):
            left = wanted
            for item in chosen:
                left &= ~masks[item]
            if not left:
                found.add(frozenset(chosen))
        if found:
            return found
    return set()


@pytest.mark.parametrize("seed", range(12))
def test_no_smaller_set_is_missed(seed: int) -> None:
    masks, count = draw_masks(seed, 9, 12, 2 + seed % 3), 12
    alike = find_left(masks, count)
    wanted = ((1 << count) - 1) & ~alike
    expected = find_by_trying(masks, wanted)
    found = set(find_certificates(masks, count, alike))
    assert found <= expected
    assert len(found) == min(12, len(expected))


def test_six_looks_of_which_each_is_needed_are_found_among_sixty() -> None:
    masks: dict[Item, int] = {("query_logs", f"c{n:02}"): 1 << n for n in range(6)}
    masks |= {("check_metrics", f"c{n:02}"): 0b111000 if n % 2 else 0b000111 for n in range(54)}
    masks |= {("query_logs", f"d{n}"): 1 << 6 + n for n in range(6)}
    found = find_certificates(masks, 12)
    assert found
    assert {len(each) for each in found} == {8}  # two that exclude three each, and six that exclude one


def test_what_is_alike_need_not_be_excluded() -> None:
    masks: dict[Item, int] = {("query_logs", "shop"): 0b0111}
    assert find_left(masks, 4) == 0b1000
    assert find_certificates(masks, 4) == ()
    assert find_certificates(masks, 4, 0b1000) == (frozenset(masks),)
    assert find_least_left(masks, 4) == 2
    assert find_least_left(masks, 4, 0b1000) == 1
