"""What somebody knows who has seen some of an incident: how many explanations of its page are left."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from scenarios.proofs.second import list_suspicions

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.incident import Item
    from scenarios.proofs.proof import Proof

_DIGITS = Context(prec=12)


class Knowledge(NamedTuple):
    """Of so many explanations at the start, the truth among them, so many are left. What looks alike is one.

    Of an incident with two causes the `causes` say it of each; together the truth is counted once.
    """

    start: int
    left: int
    causes: tuple[Knowledge, ...] = ()

    @property
    def share(self) -> Fraction:
        """How much of what can be known is known: 0 of who excludes nothing, 1 of who excludes all but the truth.

        Of two causes it is the mean.
        """
        if self.causes:
            return sum((cause.share for cause in self.causes), Fraction(0)) / len(self.causes)
        return 1 - Fraction(_find_logarithm(self.left), _find_logarithm(self.start))


def find_knowledge(proof: Proof, seen: Collection[Item]) -> Knowledge:
    """What is known of an incident with a proof after some looks.

    Explanations that no look at all excludes are one with the truth.
    """
    found = []
    for number, suspicion in enumerate(list_suspicions(proof)):
        others = suspicion.find_all()
        left = others & ~suspicion.find_excluded(number, seen)
        found.append(Knowledge(others.bit_count() + 1, left.bit_count() + 1))
    if len(found) == 1:
        return found[0]
    start, left = (sum(each - 1 for each in counts) + 1 for counts in zip(*(each[:2] for each in found), strict=True))
    return Knowledge(start, left, tuple(found))


def list_left(proof: Proof, seen: Collection[Item]) -> list[tuple[tuple[str, str], list[Item]]]:
    """The explanations other than the truth that are left after some looks, and the looks that exclude each.

    With two causes a suspect may be left in place of either.
    """
    left: list[tuple[tuple[str, str], list[Item]]] = []
    for number, suspicion in enumerate(list_suspicions(proof)):
        excluded = suspicion.find_excluded(number, seen)
        for place, suspect in enumerate(suspicion.suspects):
            looks = [] if excluded >> place & 1 else suspicion.list_excluding(place)
            if looks:
                left.append((suspect, looks))
    return left


@cache
def _find_logarithm(number: int) -> int:
    """The natural logarithm of a whole number, in 10^-9: rounded from decimal digits, so the same everywhere."""
    return int((Decimal(number).ln(_DIGITS) * 10**9).to_integral_value())
