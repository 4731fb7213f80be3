"""Which operations of the repairs of an incident with two causes serve which of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.faults import strike
from scenarios.proofs.repairs import play_lanes
from scenarios.world import Run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from scenarios.faults import Fault
    from scenarios.proofs.operating import Deed
    from scenarios.proofs.repairs import Deeds
    from scenarios.world import System


def find_needed(background: System, fault: Fault, repairs: Sequence[Deeds], begin: int, lasts: int) -> set[Deed] | None:
    """The operations of some repairs that are still needed where a fault is the only cause.

    None if an operation is needed in one of the repairs and not in another, or those that are needed do not mend it.
    """
    pair = Run(strike(background, fault), background)
    pair.advance(begin - pair.time)
    without = {repair: [_leave_out(repair, {deed}) for deed in repair] for repair in repairs}
    tried = dict.fromkeys(shorter for some in without.values() for shorter in some if shorter)
    lanes = play_lanes(pair, list(tried), lasts)
    needed: set[Deed] = set()
    spared: set[Deed] = set()
    for repair, some in without.items():
        for deed, shorter in zip(repair, some, strict=True):
            (spared if lanes[shorter].well else needed).add(deed)
    alone = [own for repair in repairs if (own := keep(repair, needed))]
    mended = play_lanes(pair, alone, lasts) if alone else {}
    if needed & spared or not alone or not all(mended[own].well for own in alone):
        return None
    return needed


def keep(repair: Deeds, some: Collection[Deed]) -> Deeds:
    """The operations of a repair that are among some, in their order."""
    return tuple(deed for deed in repair if deed in some)


def find_saved(pair: Run, repair: Deeds, parts: Sequence[Deeds], lasts: int) -> Iterator[float]:
    """The share of what a repair saves that each of some parts of it saves, all begun now."""
    lanes = play_lanes(pair, [repair, *parts], lasts)
    nothing, all_of_it = lanes[()].harm, lanes[repair].harm
    for part in parts:
        yield (nothing - lanes[part].harm) / (nothing - all_of_it)


def _leave_out(repair: Deeds, some: Collection[Deed]) -> Deeds:
    return tuple(deed for deed in repair if deed not in some)
