"""Certificates: the smallest sets of looks that leave one class of suspects."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenarios.incident import Certificate, Item

MOST_LOOKS = 8
MOST_CERTIFICATES = 12
MOST_NODES = 100_000
"""Partial sets that are tried for one size. If they do not do, the set that was found step by step is the only one."""

_Looks = list[tuple["Item", int]]


def find_left(masks: Mapping[Item, int], count: int) -> int:
    """The rivals, as a mask, that all looks together do not exclude."""
    left = (1 << count) - 1
    for mask in masks.values():
        left &= ~mask
    return left


def find_certificates(masks: Mapping[Item, int], count: int, alike: int = 0) -> tuple[Certificate, ...]:
    """The smallest sets of looks that together exclude all of `count` rivals, but those that are `alike`, a mask.

    Empty if none of at most `MOST_LOOKS` does. No smaller set is missed: within `MOST_NODES`, every one is tried.
    """
    wanted = ((1 << count) - 1) & ~alike
    useful = [(item, mask & wanted) for item, mask in masks.items() if mask & wanted]
    useful.sort(key=lambda entry: (-entry[1].bit_count(), entry[0]))
    greedy = _cover_greedily(useful, wanted)
    if not greedy:
        return ()
    for size in range(1, min(len(greedy), MOST_LOOKS) + 1):
        search = _Search(useful, size)
        found = list(islice(dict.fromkeys(search.extend((), wanted)), MOST_CERTIFICATES))
        if found:
            return tuple(found)
        if search.nodes >= MOST_NODES:
            break
    return (frozenset(greedy),) if len(greedy) <= MOST_LOOKS else ()


def find_least_left(masks: Mapping[Item, int], count: int, alike: int = 0) -> int:
    """How many classes, the truth and what is `alike` being one, all looks at one component leave at least."""
    return min(count_left_by_component(masks, count, alike).values(), default=1 + count - alike.bit_count())


def count_left_by_component(masks: Mapping[Item, int], count: int, alike: int = 0) -> dict[str, int]:
    """How many classes all looks at each component leave, of the components at which some look tells anything."""
    of_component: dict[str, int] = {}
    for (_, component), mask in masks.items():
        of_component[component] = of_component.get(component, 0) | mask & ~alike
    others = count - alike.bit_count()
    return {component: 1 + others - mask.bit_count() for component, mask in of_component.items()}


def _cover_greedily(useful: Sequence[tuple[Item, int]], wanted: int) -> list[Item]:
    """Looks each of which excludes most of what is left; none if all of them do not do."""
    chosen: list[Item] = []
    while wanted:
        item, mask = max(useful, key=lambda entry: (entry[1] & wanted).bit_count(), default=(None, 0))
        if item is None or not mask & wanted:
            return []
        chosen.append(item)
        wanted &= ~mask
    return chosen


class _Search:
    """A search for all sets of one size: it goes on with the looks that exclude the rival that fewest do."""

    def __init__(self, useful: _Looks, size: int) -> None:
        self._useful = useful
        self._size = size
        self.nodes = 0

    def extend(self, chosen: tuple[Item, ...], wanted: int) -> Iterator[Certificate]:
        if not wanted:
            yield frozenset(chosen)
            return
        most = max((mask & wanted).bit_count() for _, mask in self._useful)
        if (self._size - len(chosen)) * most < wanted.bit_count():
            return
        for item, mask in min(self._list_choices(wanted), key=len):
            if self.nodes >= MOST_NODES:
                return
            self.nodes += 1
            yield from self.extend((*chosen, item), wanted & ~mask)

    def _list_choices(self, wanted: int) -> Iterator[_Looks]:
        """For each rival that is left, the looks that exclude it."""
        while wanted:
            lowest = wanted & -wanted
            wanted ^= lowest
            yield [(item, mask) for item, mask in self._useful if mask & lowest]
