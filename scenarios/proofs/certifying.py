"""Certificates: the smallest sets of looks that leave one suspect, and how an honest searcher gets there."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenarios.incident import Certificate, Item

MOST_LOOKS = 5
MOST_CERTIFICATES = 12
_MOST_TRIED = 40
"""Looks that are combined."""


def find_certificates(masks: Mapping[Item, int], count: int) -> tuple[Certificate, ...]:
    """The smallest sets of looks that together exclude all of `count` rivals, the first in order. Empty if none do."""
    everything = (1 << count) - 1
    useful = _choose_useful(masks)
    for size in range(1, MOST_LOOKS + 1):
        found = list(_find_of_size(useful, everything, size))
        if found:
            return tuple(found[:MOST_CERTIFICATES])
    return ()


def find_least_left(masks: Mapping[Item, int], count: int) -> int:
    """How many suspects, the truth among them, all looks at one component leave at least."""
    of_component: dict[str, int] = {}
    for (_, component), mask in masks.items():
        of_component[component] = of_component.get(component, 0) | mask
    return 1 + min((count - mask.bit_count() for mask in of_component.values()), default=count)


def _choose_useful(masks: Mapping[Item, int]) -> list[tuple[Item, int]]:
    """The looks that exclude most."""
    return sorted(masks.items(), key=lambda entry: (-entry[1].bit_count(), entry[0]))[:_MOST_TRIED]


def _find_of_size(useful: Sequence[tuple[Item, int]], everything: int, size: int) -> Iterator[Certificate]:
    for chosen in combinations(useful, size):
        excluded = 0
        for _, mask in chosen:
            excluded |= mask
        if excluded == everything:
            yield frozenset(item for item, _ in chosen)
