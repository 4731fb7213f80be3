"""What a remediation was worth: the system runs on with it, without it, and with what would have been best.

All of them run on the same noise. Lane N is the incident in which nothing is done, lane Z the system without its fault.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from fractions import Fraction
from itertools import combinations
from threading import Lock
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from scenarios.incident import LossCurve, Losses
from scenarios.progress import Outcome
from scenarios.proofs.confirming import find_least_loss
from scenarios.proofs.harm import average_harm, find_harm, measure_harm
from scenarios.proofs.operating import LOSES_MESSAGES, list_deeds
from scenarios.proofs.proving import find_last_start
from scenarios.proofs.reading import open_run
from scenarios.proofs.repairs import SPACING, WELL
from scenarios.running.shared import MINUTE, Ordered, Orders, SharedRuns
from scenarios.world import OPERATIONS, OperationError, Run
from scenarios.world.operations import find_targets
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.proofs.operating import Deed
    from scenarios.proofs.proof import Proof
    from scenarios.running.serving import Serving
    from scenarios.world import System
    from scenarios.world.layout import Floats

_LEAST_SHARE = 0.1
"""Nothing is measured over a time in which less than this, in minutes or as a share of all that a repair saves, is left
to save."""
_ALL, _NOTHING = 0.97, 0.03
"""A share from here on is all of it, and up to here nothing."""
_EXACT = 10**6
_DRAWN_BEFORE = 300
"""Losses are drawn from so many seconds before the page on."""
_MOST_DRAWN = 100
"""The most values of a curve; beyond so many minutes each is of two or more, as a review is to stay small."""
_THOUSAND = 1000

Lane = tuple[Ordered, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")


class Verdict(NamedTuple):
    """What a remediation was, and how many operations are left after it until users are served again for good.

    It `acts_on_cause` if it belongs to a repair, or saves users something: who does that has chosen what to believe.
    `serves` are the numbers of the causes that it then acts on, of an incident with two.
    """

    outcome: Outcome
    left: int
    acts_on_cause: bool = True
    serves: frozenset[int] = frozenset()


class Traced(NamedTuple):
    """What users lose in three lanes, from second `since` on: each share is the mean of so many `minutes`.

    The accepted `repair` of the best lane is begun at the first look.
    """

    since: int
    minutes: int
    actual: LossCurve
    nothing: LossCurve
    best: LossCurve
    repair: tuple[Deed, ...]


class _End(NamedTuple):
    """Which share of what could be saved is saved from a second on, None if too little is left, and what is lost.

    Then both lanes, the one that was left and the one in which nothing is done, as they are drawn.
    """

    share: float | None
    losses: Losses
    actual: _Curve
    nothing: _Curve


class _Curve(NamedTuple):
    """A curve in few bytes: its shares in thousandths."""

    shares: array[int]
    lost: float

    def unpack(self) -> LossCurve:
        return LossCurve(tuple(share / _THOUSAND for share in self.shares), self.lost)


class _Known(Generic[Key, Value]):
    """What was found once, for as many of the latest questions as are kept: some kB each.

    An episode that is played again after its incident was put away asks the same again, and each takes a second.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def find(self, key: Key, look: Callable[[], Value]) -> Value:
        """The value of a key, which is looked for if it is not known."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = look()
        with self._lock:
            self._values[key] = value
            if len(self._values) > _MOST_KNOWN:
                self._values.popitem(last=False)
        return value


_MOST_KNOWN = 10_000
_VERDICTS: _Known[tuple[str, Orders, Ordered, int], Verdict] = _Known()
_ENDS: _Known[tuple[str, Orders, int], _End] = _Known()
_BESTS: _Known[tuple[str, int], tuple[_Curve, tuple[Deed, ...]]] = _Known()


class Judge:
    """Judges what is done about a proved incident.

    Args:
        name: what tells the incident and its proof from all others.
        background: the system without its fault.
        root: the component that is struck.
        proof: what is known to repair it.
        struck_at: the second of the fault.
        runs: the runs of the incident.
        without: those of the background.
        serving: which cause a remediation serves, if there are two.
        second_root: the other component that is struck then.
    """

    def __init__(
        self,
        name: str,
        background: System,
        root: str,
        proof: Proof,
        struck_at: float,
        runs: SharedRuns,
        without: SharedRuns,
        serving: Serving | None = None,
        second_root: str = "",
    ) -> None:
        self.struck_at = struck_at
        self.serving = serving
        self._name = name
        self._background = background
        self._roots = {root, second_root}
        self._proof = proof
        self._runs = runs
        self._without = without
        self._harm_without: Floats | None = None
        self._saved = proof.harm_of_nothing - proof.harm_of_best
        self._repairs: tuple[tuple[Deed, ...], ...] = proof.repairs or ((),)  # to do nothing, where there is none

    @property
    def lasts(self) -> int:
        """The seconds after which a repair is judged."""
        return self._proof.lasts

    @property
    def is_calm(self) -> bool:
        """Whether there is nothing to repair."""
        return self._proof.calm is not None

    @property
    def distance(self) -> int:
        """The operations of the shortest repair."""
        return min(map(len, self._repairs))

    def judge(self, orders: Orders, order: Ordered, nearest: int) -> Verdict:
        """What an order was after others, when `nearest` is the fewest operations that were ever left."""
        known, key = self._look_up(orders, order), (self._name, orders, order, nearest)
        return known or _VERDICTS.find(key, lambda: self._weigh(orders, order, nearest))

    def measure(self, orders: Orders, at: int, mended_at: int | None) -> Fraction:
        """The share of what could be saved for users at a second that what was ordered until then saves, 0 to 1.

        It is the smaller one of that over all of the time after which the incident is judged and over its last third.
        If nothing was left to save by then, it is asked of the second at which the last effective remediation was over.
        Where there is nothing to repair, it is all of it if users lose no more than if nothing is done.
        """
        if self.is_calm:
            end = self._find_end(orders, at)
            return Fraction(end.actual.lost - end.nothing.lost <= find_least_loss(self._saved))
        share = self._find_end(orders, at).share
        if share is None and mended_at is not None:
            share = self._find_end(orders, mended_at).share
        return _settle(share or 0.0)

    def is_well(self, orders: Orders, at: int, seconds: int) -> bool:
        """Whether users have lost no more for so many seconds than they would without the fault, or next to nothing.

        Whoever is blocked is lost too, but some are worth so little that to block them is a repair.
        """
        actual, without = (
            average_harm(find_harm(run, at), at - seconds, at)
            for run in (self._runs.get(orders, at), self._without.get((), at))
        )
        return actual <= without + WELL

    def find_losses(self, orders: Orders, at: int) -> Losses:
        """What users lose from a second on, after what was ordered until then."""
        return self._find_end(orders, at).losses

    def trace(self, orders: Orders, at: int) -> Traced:
        """What users lose from shortly before the page until it is judged how the system was left at a second.

        Beside it, the same with nothing done, and with the accepted repair that is best from the first look on.
        """
        end = self._find_end(orders, at)
        best, repair = _BESTS.find((self._name, at), lambda: self._play_best(at))
        since, minutes = self._find_span(at)
        return Traced(since, minutes, end.actual.unpack(), end.nothing.unpack(), best.unpack(), repair)

    def has_traced(self, orders: Orders, at: int) -> bool:
        """Whether `trace` has nothing to play."""
        return (self._name, orders, at) in _ENDS and (self._name, at) in _BESTS

    def _find_end(self, orders: Orders, at: int) -> _End:
        return _ENDS.find((self._name, orders, at), lambda: self._play_end(orders, at))

    def _look_up(self, orders: Orders, order: Ordered) -> Verdict | None:
        """The verdict on a repair of one operation, as its proof has it: it mends whenever it is the first."""
        repair = ((order.operation, order.target),)
        is_late = order.at > find_last_start(self._proof.fired)
        if orders or is_late or order.number is not None or repair not in self._repairs:
            return None
        return Verdict(Outcome.EFFECTIVE, 0)

    def _weigh(self, orders: Orders, order: Ordered, nearest: int) -> Verdict:
        """The verdict on an order by what comes of it, and of which causes that is said."""
        found = self._try(orders, order, nearest)
        if self.serving is None or not found.acts_on_cause:
            return found
        least = max(_LEAST_SHARE, _LEAST_SHARE * self._saved)
        return found._replace(serves=self.serving.find_served(orders, order, least))

    def _try(self, orders: Orders, order: Ordered, nearest: int) -> Verdict:
        parts = sorted({part for count in range(nearest) for part in self._list_parts(count)})
        follow = [tuple(Ordered(order.at, *deed) for deed in part) for part in parts] or [()]
        count = len(follow)
        run = self._play(orders, order.at, [*follow, *((order, *part) for part in follow)])
        if run is None:
            return Verdict(Outcome.WRONG, nearest, acts_on_cause=False)
        end = order.at + self._proof.lasts
        harms = [find_harm(run, end, place) for place in range(2 * count)]
        well = [self._is_well(harm, order.at) for harm in harms]
        # The part in which nothing follows is the first.
        before = _count_fewest(follow, well[:count], nearest)
        left = _count_fewest(follow, well[count:], nearest)
        if left < min(nearest, before):
            return Verdict(Outcome.EFFECTIVE, left)
        lost = measure_harm(harms[count], order.at, end) - measure_harm(harms[0], order.at, end)
        planned = any((order.operation, order.target) in repair for repair in self._repairs)
        acts = planned or -lost > max(_LEAST_SHARE, _LEAST_SHARE * self._saved)
        is_step = planned and nearest > 0 and order.number is None and any(well[count:])
        if not is_step and (
            lost > find_least_loss(self._saved)
            or _purges(run, order, count)
            or (not planned and self._disturbs(orders, order))
        ):
            return Verdict(Outcome.WRONG, nearest, acts)
        return Verdict(Outcome.INEFFECTIVE, nearest, acts)

    def _list_parts(self, count: int) -> Iterator[tuple[Deed, ...]]:
        """The parts of accepted repairs that have so many operations, in their order."""
        for repair in self._repairs:
            yield from combinations(repair, count)

    def _play(self, orders: Orders, at: int, lanes: Sequence[Lane], until: int | None = None) -> Run | None:
        """Lanes that run on side by side from a second on; None if the first order of one cannot be carried out."""
        run = self._runs.fork(orders, at).pick([0] * len(lanes))
        for turn in range(max(map(len, lanes))):
            for place, lane in enumerate(lanes):
                if turn < len(lane) and not _order(run, lane[turn], place) and turn == 0:
                    return None
            run.advance(SPACING)
        run.advance((at + self._proof.lasts if until is None else until) - run.time)
        return open_run(run)

    def _is_well(self, harm: Floats, at: int) -> bool:
        end = at + self._proof.lasts
        third = self._proof.lasts / 3
        without = self._find_harm_without(end)
        return average_harm(harm, end - third, end) <= average_harm(without, end - third, end) + WELL

    def _find_harm_without(self, until: int) -> Floats:
        """What users lose without the fault. Only that is kept of a run of hours."""
        if self._harm_without is None or len(self._harm_without) * TICK < until:
            end = max(until, find_last_start(self._proof.fired) + self._proof.lasts)
            run = Run(self._background)
            run.advance(end)
            self._harm_without = find_harm(open_run(run), end)
        return self._harm_without

    def _disturbs(self, orders: Orders, order: Ordered) -> bool:
        """Whether something disruptive is done to what has no trouble and no part in this one."""
        operation = OPERATIONS.get(order.operation)
        if operation is None or not operation.disruptive:
            return False
        run, without = self._runs.fork(orders, order.at), self._without.fork((), order.at)
        troubled = {*self._roots, *_list_changed(self._background, order.at)}
        deeds = [*list_deeds(run, without), *(deed for repair in self._repairs for deed in repair)]
        for deed in deeds:
            troubled |= _find_components(run, *deed)
        return troubled.isdisjoint(_find_components(run, order.operation, order.target))

    def _play_end(self, orders: Orders, at: int) -> _End:
        lasts, repairs = self._proof.lasts, self._repairs
        end = at + lasts
        actual = self._play(orders, at, [()])
        others = self._play((), at, [(), *(tuple(Ordered(at, *deed) for deed in repair) for repair in repairs)])
        if actual is None or others is None:
            raise RuntimeError(f"a repair of {self._background.name} cannot be begun at second {at}")
        mine = find_harm(actual, end)
        nothing, *repaired = (find_harm(others, end, place) for place in range(len(repairs) + 1))
        least = max(_LEAST_SHARE, _LEAST_SHARE * self._saved)
        shares = []
        for since in (float(at), end - lasts / 3):
            kept = measure_harm(nothing, since, end)
            left = kept - max(measure_harm(harm, since, end) for harm in repaired)
            if left >= least * (end - since) / lasts:
                shares.append((kept - measure_harm(mine, since, end)) / left)
        lost, kept, *best = (measure_harm(harm, at, end) for harm in (mine, nothing, *repaired))
        losses = Losses(lasts // 60, lost, kept, min(best))
        return _End(min(shares, default=None), losses, self._draw(mine, at), self._draw(nothing, at))

    def _play_best(self, at: int) -> tuple[_Curve, tuple[Deed, ...]]:
        """The accepted repair by which users lose least that is begun at the first look, and what they lose."""
        repairs, first, end = self._repairs, self._proof.first_look, at + self._proof.lasts
        lanes = [tuple(Ordered(first, *deed) for deed in repair) for repair in repairs]
        run = self._play((), first, lanes, end)
        if run is None:
            raise RuntimeError(f"a repair of {self._background.name} cannot be begun at second {first}")
        curves = [self._draw(find_harm(run, end, place), at) for place in range(len(repairs))]
        best = min(range(len(curves)), key=lambda place: curves[place].lost)
        return curves[best], repairs[best]

    def _draw(self, harm: Floats, at: int) -> _Curve:
        """What is drawn of the harm of a lane, if an episode ends at a second."""
        since, minutes = self._find_span(at)
        end, step = at + self._proof.lasts, minutes * MINUTE
        shares = (average_harm(harm, begin, min(begin + step, end)) for begin in range(since, end, step))
        return _Curve(array("H", [round(share * _THOUSAND) for share in shares]), measure_harm(harm, since, end))

    def _find_span(self, at: int) -> tuple[int, int]:
        """The second from which on a loss is drawn if an episode ends at a second, and how many minutes are one."""
        since = max(0, self._proof.fired - _DRAWN_BEFORE) // MINUTE * MINUTE
        minutes = (at + self._proof.lasts - since) // MINUTE
        return since, -(-minutes // _MOST_DRAWN)


def _count_fewest(lanes: Sequence[Lane], well: Sequence[bool], otherwise: int) -> int:
    """The orders of the shortest lane that ends well."""
    return min((len(lane) for lane, is_well in zip(lanes, well, strict=True) if is_well), default=otherwise)


def _settle(share: float) -> Fraction:
    if share >= _ALL:
        return Fraction(1)
    return Fraction(0) if share <= _NOTHING else Fraction(round(share * _EXACT), _EXACT)


def _order(run: Run, order: Ordered, place: int) -> bool:
    """Begin an operation in one of the systems of a run, and whether it can be begun."""
    try:
        run.order(order.operation, order.target, place, order.number)
    except OperationError:
        return False
    return True


def _purges(run: Run, order: Ordered, system: int) -> bool:
    """Whether messages are lost for good by an order that is carried out in one of the systems of a run."""
    if order.operation != LOSES_MESSAGES:
        return False
    components = len(run.layout.systems[0].components)
    return any(
        event.what == LOSES_MESSAGES
        and event.component // components == system
        and float(event.details["messages"]) > 0
        for event in run.state.events
        if event.at >= order.at
    )


def _find_components(run: Run, operation: str, target: str) -> set[str]:
    """The components of a run of one system that an operation on a target is about."""
    declared = OPERATIONS[operation]
    place = find_targets(run.layout, run.state, declared.target, 0).get(target)
    if place is None:
        return set()
    return {run.layout.component_names[each] for each in declared.find_components(run.layout, run.state, place)}


def _list_changed(background: System, until: int) -> Iterator[str]:
    """The components that something innocent has changed by a second, with a trouble of their own it may be."""
    names = {component.name for component in background.components}
    for change in background.changes:
        if change.at <= until and change.target in names and not (change.what == "shed" and change.to == 0.0):
            yield change.target
