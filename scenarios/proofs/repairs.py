"""Repairs: the shortest sequences of operations after which users are served again and stay so, found by running them.

"No shorter one was found" is said of the operations in `list_deeds` and of sequences of at most `MOST_DEEDS`.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

from scenarios.proofs.harm import average_harm, find_harm, measure_harm
from scenarios.world import OPERATIONS, OperationError, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.proofs.operating import Deed
    from scenarios.world import System

Deeds = tuple["Deed", ...]

MOST_DEEDS = 4
SPACING = 120
"""Seconds from one operation to the next."""
BATCH = 32
"""Lanes that run side by side."""
_KEPT = 8
"""Sequences of a length that the search goes on from: those with which users lost least."""
_WELL = 0.01
"""The harm more than without the fault that counts as well."""
_DEARER = 0.25
"""A repair is accepted if it costs users at most this share more of what can be avoided than the best one."""


class Lane(NamedTuple):
    """A sequence of operations from a second on, what users lost until the end, and whether all is well then."""

    deeds: Deeds
    harm: float
    well: bool


class Found(NamedTuple):
    """What a search found: the accepted repairs, best first, what doing nothing costs, and how many lanes ran.

    `mending` are all sequences of the shortest length that mend it, whatever they cost.
    """

    accepted: tuple[Lane, ...]
    mending: tuple[Lane, ...]
    nothing: Lane
    lanes: int


def search_repairs(
    system: System, background: System, deeds: Sequence[Deed], begin: int, lasts: int, holds: int
) -> Found:
    """The accepted repairs of a system, begun at a second.

    A sequence is found by what users live through in `lasts` seconds from then on, and taken if all is still well after
    `holds`.
    """
    without, nothing = _run_without(system, background, begin, lasts)
    later, _ = _run_without(system, background, begin, holds)
    frontier, mended = [nothing], list[Lane]()
    count = 1
    for _ in range(MOST_DEEDS):
        tried = list(_extend(frontier, deeds))
        lanes = list(_run_in_batches(system, tried, begin, lasts, without))
        well = [lane for lane in lanes if lane.well]
        held = _run_in_batches(system, [lane.deeds for lane in well], begin, holds, later)
        mended = [lane for lane, after in zip(well, held, strict=True) if after.well]
        count += len(lanes) + len(well)
        if mended or not tried:
            break
        frontier = sorted(lanes, key=lambda lane: (lane.harm, lane.deeds))[:_KEPT]
    return Found(_accept(mended, nothing), tuple(mended), nothing, count)


def order_stages(accepted: Sequence[Lane], everything: Sequence[Deeds]) -> tuple[tuple[Deed, ...], ...]:
    """The best repair in stages: those of its operations may change places that do in some accepted repair."""
    best = accepted[0].deeds
    orders = [deeds for deeds in everything if sorted(deeds) == sorted(best)]
    stages: list[tuple[Deed, ...]] = []
    left = list(best)
    while left:
        first = [deed for deed in left if any(_is_next(order, deed, left) for order in orders)]
        free = [deed for deed in first if _commutes(deed, left, orders)] or first[:1]
        stages.append(tuple(free))
        left = [deed for deed in left if deed not in free]
    return tuple(stages)


def _is_next(order: Deeds, deed: Deed, left: Sequence[Deed]) -> bool:
    return next(each for each in order if each in left) == deed


def _commutes(deed: Deed, left: Sequence[Deed], orders: Sequence[Deeds]) -> bool:
    """Whether an operation may stand at any place among those that may stand first too."""
    firsts = [each for each in left if any(_is_next(order, each, left) for order in orders)]
    wanted = list(permutations(firsts))
    heads = {tuple(each for each in order if each in firsts) for order in orders}
    return deed in firsts and all(head in heads for head in wanted)


def _extend(frontier: Sequence[Lane], deeds: Sequence[Deed]) -> Iterator[Deeds]:
    return ((*lane.deeds, deed) for lane in frontier for deed in deeds if deed not in lane.deeds)


def _run_in_batches(system: System, tried: Sequence[Deeds], begin: int, lasts: int, without: float) -> Iterator[Lane]:
    for first in range(0, len(tried), BATCH):
        some = tried[first : first + BATCH]
        run = _play(system, some, begin, lasts)
        for place, deeds in enumerate(some):
            yield _judge(run, place, deeds, begin, lasts, without)


def _run_without(system: System, background: System, begin: int, lasts: int) -> tuple[float, Lane]:
    """The mean harm without the fault over the last third, and the lane in which nothing is done."""
    end = begin + lasts
    without = average_harm(find_harm(_play(background, [()], begin, lasts), end), end - lasts / 3, end)
    return without, _judge(_play(system, [()], begin, lasts), 0, (), begin, lasts, without)


def _play(system: System, some: Sequence[Deeds], begin: int, lasts: int) -> Run:
    """A run in which each of the lanes does its operations from a second on."""
    run = Run(*(system for _ in some))
    run.advance(begin)
    for step in range(max(len(deeds) for deeds in some)):
        for place, deeds in enumerate(some):
            if step < len(deeds):
                _order(run, deeds[step], place)
        run.advance(SPACING)
    run.advance(begin + lasts - run.time)
    return run


def _order(run: Run, deed: Deed, place: int) -> None:
    try:
        run.order(*deed, system=place)
    except OperationError as error:  # a target that is gone meanwhile
        if deed[0] not in OPERATIONS:
            raise ValueError(f"{deed[0]} is no operation") from error


def _judge(run: Run, place: int, deeds: Deeds, begin: int, lasts: int, without: float) -> Lane:
    end = begin + lasts
    harm = find_harm(run, end, place)
    well = average_harm(harm, end - lasts / 3, end) <= without + _WELL
    return Lane(deeds, measure_harm(harm, begin, end), well)


def _accept(mended: Sequence[Lane], nothing: Lane) -> tuple[Lane, ...]:
    if not mended:
        return ()
    ranked = sorted(mended, key=lambda lane: (lane.harm, lane.deeds))
    best = ranked[0].harm
    most = best + _DEARER * max(0.0, nothing.harm - best)
    return tuple(lane for lane in ranked if lane.harm <= most)
