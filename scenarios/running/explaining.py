"""The explanations of a page that somebody's looks have left, and for each a look that excludes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.incident import Explanation
from scenarios.proofs.knowledge import list_left
from scenarios.running.wording import name_failure

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.incident import Item
    from scenarios.proofs.proof import Proof
    from scenarios.world import System


def list_explanations(
    proof: Proof, system: System, seen: Collection[Item], looked_at: Collection[str]
) -> tuple[Explanation, ...]:
    """The explanations other than the truth that some evidence leaves, those of what was `looked_at` first.

    Of the looks that exclude one, the first is chosen of these: at what was looked at, at what that calls or is called
    by, at the component that the explanation is about; and of those the one that excludes most of what is left.
    """
    left = list_left(proof, seen)
    near = _list_near(system, looked_at)
    power: dict[Item, int] = {}
    for _, looks in left:
        for item in looks:
            power[item] = power.get(item, 0) + 1

    def rank(item: Item, component: str) -> tuple[bool, bool, bool, int, Item]:
        place = item[1]
        return place not in looked_at, place not in near, place != component, -power[item], item

    found = [
        Explanation(component, name_failure(family), min(looks, key=lambda item: rank(item, component)))
        for (component, family), looks in left
    ]
    return tuple(sorted(found, key=lambda each: (each.service not in looked_at, each)))


def _list_near(system: System, components: Collection[str]) -> set[str]:
    """The components that some call, or are called by."""
    pairs = [(call.source.partition("/")[0], call.target.partition("/")[0]) for call in system.calls]
    return {name for pair in pairs if not set(pair).isdisjoint(components) for name in pair}
