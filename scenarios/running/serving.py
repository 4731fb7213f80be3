"""Which cause a remediation serves, of an incident that has two, and whether one is repaired."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from scenarios.proofs.harm import find_harm, measure_harm
from scenarios.proofs.reading import open_run
from scenarios.proofs.second import CAUSES, name_sighting
from scenarios.world import OperationError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scenarios.incident import Item
    from scenarios.proofs.operating import Deed
    from scenarios.proofs.proof import Proof
    from scenarios.proofs.second import SecondCause
    from scenarios.running.shared import Ordered, Orders, SharedRuns

BOTH = frozenset(range(CAUSES))


class Serving:
    """The causes of an incident with two, by their numbers.

    Args:
        proof: the proof of the incident.
        second: what it says of the second cause.
        alone: the runs of the system with each cause as the only one.
    """

    def __init__(self, proof: Proof, second: SecondCause, alone: Sequence[SharedRuns]) -> None:
        self._lasts = proof.lasts
        every = {deed for repair in proof.repairs for deed in repair}
        self._operations = (every - {*second.operations}, {*second.operations})
        self._repairs = proof.repairs
        self._alone = alone

    def find_served(self, orders: Orders, order: Ordered, least: float) -> frozenset[int]:
        """The causes that an order serves which is part of a repair, or saves users something.

        It serves the cause whose repairs it is part of; else those alone with which it saves users more minutes than
        `least`. What saves them something with neither may serve both.
        """
        deed = (order.operation, order.target)
        part_of = frozenset(number for number in BOTH if deed in self._operations[number])
        served = part_of or frozenset(number for number in BOTH if self._save(number, orders, order) > least)
        return served or BOTH

    def is_mended(self, cause: int, deeds: Collection[Deed]) -> bool:
        """Whether some operations that were effective have repaired a cause."""
        own = self._operations[cause]
        return any(all(deed in deeds for deed in repair if deed in own) for repair in self._repairs)

    def count_sighting(self, item: Item, served: Collection[int], deeds: Collection[Deed]) -> frozenset[Item]:
        """The evidence that a look counts as when some causes were served by then, by some effective operations."""
        if not served:
            return frozenset({item})
        return frozenset(
            name_sighting(item, number, later=any(self.is_mended(other, deeds) for other in BOTH - {number}))
            for number in BOTH.difference(served)
        )

    def _save(self, number: int, orders: Orders, order: Ordered) -> float:
        """The minutes that an order saves users where a cause is the only one."""
        run = self._alone[number].fork(orders, order.at).pick([0, 0])
        with suppress(OperationError):
            run.order(order.operation, order.target, 1, order.number)
        run.advance(self._lasts)
        end, opened = order.at + self._lasts, open_run(run)
        without, done = (measure_harm(find_harm(opened, end, place), order.at, end) for place in (0, 1))
        return without - done
