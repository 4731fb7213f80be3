"""Repairs: the shortest sequences of operations after which users are served again and stay so, found by running them.

"No shorter one was found" is said of the operations in `list_deeds` and of sequences of at most `MOST_DEEDS`.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

from scenarios.incident import WATCH_SECONDS
from scenarios.proofs.harm import average_harm, find_harm, measure_harm
from scenarios.proofs.reading import open_run
from scenarios.world import OPERATIONS, OperationError
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from scenarios.proofs.operating import Deed
    from scenarios.world import Run

Deeds = tuple["Deed", ...]

LASTINGS = (30 * 60, 60 * 60, 120 * 60, 240 * 60)
"""Seconds for which a repair may have to last. What lasts for the longest is taken to last for good."""
MOST_DEEDS = 4
SPACING = 120
"""Seconds from one operation to the next."""
BATCH = 48
"""Lanes that run side by side."""
_KEPT = 8
"""Sequences of a length that the search goes on from: those with which users lost least."""
WELL = 0.01
"""The harm more than without the fault that counts as well."""
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
        return len(self.deeds) + -int(-max(0.0, self.back - SPACING * len(self.deeds)) // WATCH_SECONDS)


class Found(NamedTuple):
    """What a search found, and how many lanes ran.

    `mending` are the sequences of the shortest length that mend it for as long as the longest of `LASTINGS`. `judged`
    says for each of them how doing nothing went until then, and every sequence that looked as if it had mended it.
    """

    mending: tuple[Deeds, ...]
    judged: Mapping[int, Mapping[Deeds, Lane]]
    lanes: int

    def shows_relapses(self, lasts: int) -> bool:
        """Whether within so many seconds all is still well after those repairs alone that stay."""
        return all(lane.well == (deeds in self.mending) for deeds, lane in self.judged[lasts].items())


def search_repairs(pair: Run, deeds: Sequence[Deed]) -> Found:
    """The repairs of a system, begun now. `pair` runs it and, behind it, the same without the fault.

    A sequence is found by what users live through in the shortest of `LASTINGS`, and taken if all is still well at the
    end of the longest.
    """
    begin = int(pair.time)
    level, frontier = [_Played(pair, pair, ((),))], list[Deeds]([()])
    known: dict[Deeds, Lane] = {}
    judged: dict[int, dict[Deeds, Lane]] = {lasts: {} for lasts in LASTINGS}
    mending = list[Deeds]()
    count = 1
    for depth in range(MOST_DEEDS):
        tried = list(_extend(frontier, deeds))
        level = list(_play_level(level, frontier, tried, begin + LASTINGS[0]))
        for played in level:
            known |= {lane.deeds: lane for lane in _judge_lanes(played, begin, LASTINGS[0])}
        lanes = [known[each] for each in tried]
        well = [lane.deeds for lane in lanes if lane.well]
        for played in level:
            wanted = {*well, ()} if depth == 0 else set(well)
            for lasts, held in _hold(played, wanted, begin):
                judged[lasts][held.deeds] = held
        mending = [each for each in well if judged[LASTINGS[-1]][each].well]
        count += len(lanes) + len(well)
        if mending or not tried:
            break
        frontier = [lane.deeds for lane in sorted(lanes, key=lambda lane: (lane.harm, lane.deeds))[:_KEPT]]
    return Found(tuple(mending), judged, count)


def accept_repairs(lanes: Iterable[Lane], nothing: Lane) -> tuple[Lane, ...]:
    """Those of some repairs that cost users little more than the best one, the best first."""
    ranked = sorted(lanes, key=lambda lane: (lane.harm, lane.deeds))
    if not ranked:
        return ()
    best = ranked[0].harm
    most = best + _DEARER * max(0.0, nothing.harm - best)
    return tuple(lane for lane in ranked if lane.harm <= most)


def play_lanes(pair: Run, repairs: Sequence[Deeds], lasts: int, spacing: int = SPACING) -> dict[Deeds, Lane]:
    """What comes of doing nothing and of some repairs, begun now, after so many seconds.

    Their operations begin `spacing` seconds after each other.
    """
    begin = int(pair.time)
    lanes = ((), *repairs)
    run = pair.pick([*[0] * len(lanes), 1])
    for turn in range(max(len(deeds) for deeds in lanes)):
        for place, deeds in enumerate(lanes):
            if turn < len(deeds):
                begin_deed(run, deeds[turn], place)
        run.advance(spacing)
    run.advance(begin + lasts - run.time)
    return {lane.deeds: lane for lane in _judge_lanes(_Played(run, run, lanes), begin, lasts)}


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
            begin_deed(run, deeds[-1], place)
    run.advance(SPACING)
    after = run.fork()
    run.advance(until - run.time)
    return _Played(after, run, some)


def _hold(played: _Played, wanted: Container[Deeds], begin: int) -> Iterator[tuple[int, Lane]]:
    """What becomes of some of those lanes, after each time that a repair may have to last."""
    places = [place for place, deeds in enumerate(played.lanes) if deeds in wanted]
    if not places:
        return
    run = played.end.pick([*places, len(played.lanes)])
    run.advance(begin + LASTINGS[-1] - run.time)
    held = _Played(run, run, tuple(played.lanes[place] for place in places))
    for lasts in LASTINGS:
        yield from ((lasts, lane) for lane in _judge_lanes(held, begin, lasts))


def _judge_lanes(played: _Played, begin: int, lasts: int) -> Iterator[Lane]:
    """How lanes went from a second on that ran so many seconds or more."""
    end, third = begin + lasts, lasts / 3
    opened = open_run(played.end)
    without = average_harm(find_harm(opened, end, len(played.lanes)), end - third, end)
    for place, deeds in enumerate(played.lanes):
        harm = find_harm(opened, end, place)
        well = average_harm(harm, end - third, end) <= without + WELL
        back = max([tick + 1 for tick, share in enumerate(harm.tolist()) if share > without + WELL], default=0)
        yield Lane(deeds, measure_harm(harm, begin, end), well, max(0.0, back * TICK - begin))


def begin_deed(run: Run, deed: Deed, place: int) -> None:
    """Begin an operation in one of the systems of a run, if that is possible."""
    try:
        run.order(*deed, system=place)
    except OperationError as error:  # a target that is gone meanwhile
        if deed[0] not in OPERATIONS:
            raise ValueError(f"{deed[0]} is no operation") from error
