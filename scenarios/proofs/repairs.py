"""Repairs: the shortest sequences of operations after which users are served again and stay so, found by running them.

"No shorter one was found" is said of the operations in `list_deeds` and of sequences of at most `MOST_DEEDS`.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

from scenarios.proofs.harm import average_harm, find_harm, measure_harm
from scenarios.proofs.reading import open_run
from scenarios.world import OPERATIONS, OperationError
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.proofs.operating import Deed
    from scenarios.world import Run

Deeds = tuple["Deed", ...]

MOST_DEEDS = 4
SPACING = 120
"""Seconds from one operation to the next."""
BATCH = 48
"""Lanes that run side by side."""
_KEPT = 8
"""Sequences of a length that the search goes on from: those with which users lost least."""
_WELL = 0.01
"""The harm more than without the fault that counts as well."""
_WAIT_SECONDS = 300.0
"""Who waits lets so much time pass in one step."""
_DEARER = 0.25
"""A repair is accepted if it costs users at most this share more of what can be avoided than the best one."""


class Lane(NamedTuple):
    """A sequence of operations from a second on, what users lost until the end, and whether all is well then.

    From `back` seconds after that second on they were served as without the fault, for as long as it ran.
    """

    deeds: Deeds
    harm: float
    well: bool
    back: float

    def count_steps(self) -> int:
        """The steps of who does this and waits until it can be seen that it helped: a wait takes five minutes."""
        return len(self.deeds) + -int(-max(0.0, self.back - SPACING * len(self.deeds)) // _WAIT_SECONDS)


class Found(NamedTuple):
    """What a search found: the accepted repairs, best first, what doing nothing costs, and how many lanes ran.

    `mending` are all sequences of the shortest length that mend it, whatever they cost.
    """

    accepted: tuple[Lane, ...]
    mending: tuple[Lane, ...]
    nothing: Lane
    lanes: int


def search_repairs(pair: Run, deeds: Sequence[Deed], lasts: int, holds: int) -> Found:
    """The accepted repairs of a system, begun now. `pair` runs it and, behind it, the same without the fault.

    A sequence is found by what users live through in `lasts` seconds from now on, and taken if all is still well after
    `holds`.
    """
    begin = int(pair.time)
    level, frontier = [_Played(pair, pair, ((),))], list[Deeds]([()])
    known, mended = dict[Deeds, Lane](), list[Lane]()
    count = 1
    for _ in range(MOST_DEEDS):
        tried = list(_extend(frontier, deeds))
        level = list(_play_level(level, frontier, tried, begin + lasts))
        for played in level:
            known |= {lane.deeds: lane for lane in _judge_all(played, begin)}
        lanes = [known[each] for each in tried]
        well = [lane for lane in lanes if lane.well]
        held = {lane.deeds: lane for played in level for lane in _hold(played, well, begin, holds)}
        mended = [lane for lane in well if held[lane.deeds].well]
        count += len(lanes) + len(well)
        if mended or not tried:
            break
        frontier = [lane.deeds for lane in sorted(lanes, key=lambda lane: (lane.harm, lane.deeds))[:_KEPT]]
    return Found(_accept(mended, known[()]), tuple(mended), known[()], count)


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


class _Played(NamedTuple):
    """Lanes that ran side by side, and behind them the system without the fault.

    They stand `after` their last operation, when the next one may follow, and at their `end`.
    """

    after: Run
    end: Run
    lanes: tuple[Deeds, ...]


def _extend(frontier: Sequence[Deeds], deeds: Sequence[Deed]) -> Iterator[Deeds]:
    return ((*before, deed) for before in frontier for deed in deeds if deed not in before)


def _play_level(
    level: Sequence[_Played], frontier: Sequence[Deeds], tried: Sequence[Deeds], until: int
) -> Iterator[_Played]:
    """Each lane goes on from what it extends, as that stood when it was time for the next operation."""
    for played in level:
        parents = [place for place, deeds in enumerate(played.lanes) if deeds in frontier]
        if not parents:
            continue
        mine = [played.lanes[place] for place in parents]
        parent = played.after.pick([*parents, len(played.lanes)])
        wanted = [deeds for deeds in tried if deeds[:-1] in mine]
        if () in mine:
            wanted = [(), *wanted]
        for first in range(0, len(wanted), BATCH):
            some = tuple(wanted[first : first + BATCH])
            yield _play(parent, [mine.index(deeds[:-1]) for deeds in some], some, until)


def _play(parent: Run, places: Sequence[int], some: tuple[Deeds, ...], until: int) -> _Played:
    run = parent.pick([*places, len(parent.layout.systems) - 1])
    for place, deeds in enumerate(some):
        if deeds:
            _order(run, deeds[-1], place)
    run.advance(SPACING)
    after = run.fork()
    run.advance(until - run.time)
    return _Played(after, run, some)


def _hold(played: _Played, well: Sequence[Lane], begin: int, holds: int) -> Iterator[Lane]:
    """What becomes of those lanes that are well so far."""
    wanted = {lane.deeds for lane in well}
    places = [place for place, deeds in enumerate(played.lanes) if deeds in wanted]
    if not places:
        return iter(())
    run = played.end.pick([*places, len(played.lanes)])
    run.advance(begin + holds - run.time)
    return _judge_all(_Played(run, run, tuple(played.lanes[place] for place in places)), begin)


def _judge_all(played: _Played, begin: int) -> Iterator[Lane]:
    opened, end = open_run(played.end), int(played.end.time)
    third = (end - begin) / 3
    without = average_harm(find_harm(opened, end, len(played.lanes)), end - third, end)
    for place, deeds in enumerate(played.lanes):
        harm = find_harm(opened, end, place)
        well = average_harm(harm, end - third, end) <= without + _WELL
        back = max([tick + 1 for tick, share in enumerate(harm.tolist()) if share > without + _WELL], default=0)
        yield Lane(deeds, measure_harm(harm, begin, end), well, max(0.0, back * TICK - begin))


def _order(run: Run, deed: Deed, place: int) -> None:
    try:
        run.order(*deed, system=place)
    except OperationError as error:  # a target that is gone meanwhile
        if deed[0] not in OPERATIONS:
            raise ValueError(f"{deed[0]} is no operation") from error


def _accept(mended: Sequence[Lane], nothing: Lane) -> tuple[Lane, ...]:
    if not mended:
        return ()
    ranked = sorted(mended, key=lambda lane: (lane.harm, lane.deeds))
    best = ranked[0].harm
    most = best + _DEARER * max(0.0, nothing.harm - best)
    return tuple(lane for lane in ranked if lane.harm <= most)
