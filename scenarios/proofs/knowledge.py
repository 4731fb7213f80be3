"""What somebody knows who has seen some of an incident: how many explanations of its page are left."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.incident import Item
    from scenarios.proofs.proof import Proof

_DIGITS = Context(prec=12)


class Knowledge(NamedTuple):
    """Of so many explanations at the start, the truth among them, so many are left. What looks alike is one."""

    start: int
    left: int

    @property
    def share(self) -> Fraction:
        """How much of what can be known is known: 0 of who excludes nothing, 1 of who excludes all but the truth."""
        return 1 - Fraction(_find_logarithm(self.left), _find_logarithm(self.start))


def find_knowledge(proof: Proof, seen: Collection[Item]) -> Knowledge:
    """What is known of an incident with a proof after some looks.

    Explanations that no look at all excludes are one with the truth.
    """
    known = {f"{look} {component}" for look, component in seen}
    excluded = others = 0
    for item, mask in proof.masks.items():
        others |= int(mask, 16)
        if item in known:
            excluded |= int(mask, 16)
    return Knowledge(others.bit_count() + 1, (others & ~excluded).bit_count() + 1)


def list_left(proof: Proof, seen: Collection[Item]) -> dict[tuple[str, str], list[Item]]:
    """The explanations other than the truth that are left after some looks, by suspect: the looks that exclude each."""
    masks = {
        (look, name): int(mask, 16) for item, mask in proof.masks.items() for look, _, name in [item.partition(" ")]
    }
    left: dict[tuple[str, str], list[Item]] = {}
    for number, suspect in enumerate(proof.suspects):
        looks = [item for item, mask in masks.items() if mask >> number & 1]
        if looks and not any(item in seen for item in looks):
            left[suspect] = looks
    return left


@cache
def _find_logarithm(number: int) -> int:
    """The natural logarithm of a whole number, in 10^-9: rounded from decimal digits, so the same everywhere."""
    return int((Decimal(number).ln(_DIGITS) * 10**9).to_integral_value())
