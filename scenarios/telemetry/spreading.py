"""How a trouble spread: when each component was first seen to be unwell, by its callers or by how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.telemetry.numbers import format_percent, format_seconds
from scenarios.telemetry.pages import find_failing
from scenarios.telemetry.vantage import add_reasons, average
from scenarios.world.reasons import Reason
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from scenarios.world import Run
    from scenarios.world.layout import Floats

_NORMAL_TICKS = 20
_FAILING = 0.05
"""The share of calls more than normal that have to fail."""
_SLOWER = 3.0
"""From how many times its normal p99 a component is slow."""
_LEAST_SECONDS = 0.05
"""What takes less is not told as slow."""
_WORSE = 2.0
"""How many times as bad as in another run something has to be, so that it is due to what is different in this one."""
_LASTS = 2
"""Ticks for which it has to stay so."""
_TOGETHER = 60.0
"""Of what is seen of a component within so many seconds, the worst is told."""
_MOST = 6
_MOST_OWN = 2
_WORDS = {
    Reason.POOL: "no connection is free",
    Reason.BROKEN: "connections are closed",
    Reason.LOST: "nothing comes back",
    Reason.REFUSED: "connections are refused",
    Reason.FULL: "it takes no more",
    Reason.EXPIRED: "they wait too long in it",
    Reason.LATE: "answers come too late",
    Reason.ERROR: "it answers with errors",
    Reason.DENIED: "it does not accept who calls",
    Reason.UNRESOLVED: "its name is not resolved",
    Reason.FORBIDDEN: "it does not allow them",
    Reason.UNTRUSTED: "its certificate is not valid",
}


class Sign(NamedTuple):
    """What was first seen of a component, and at which second.

    Where calls to it fail, `share` says how many at the worst, and `caller` who made them.
    """

    at: float
    component: str
    said: str
    share: float = 0.0
    caller: str = ""


def find_spread(run: Run, without: Run, root: str, since: float, until: int) -> list[Sign]:
    """What a fault of a root was first seen to do between two seconds of a run, in its order; six signs at most.

    `without` is a run of the same system without the fault. What is not much worse than there has another cause. What
    is seen at once is told from the root outwards, along calls.
    """
    chosen = _choose([*_list_failing(run, without, since, until), *_list_slow(run, without, since, until)])
    distances = _measure_distances(run, root)
    far = len(distances)
    return sorted(chosen, key=lambda sign: (sign.at, distances.get(sign.component, far), sign.component))[:_MOST]


def _measure_distances(run: Run, root: str) -> dict[str, int]:
    """How many calls lie between a component and each that it is linked to by calls, in whichever direction."""
    calls = [(call.source.partition("/")[0], call.target.partition("/")[0]) for call in run.layout.systems[0].calls]
    distances, reached = {root: 0}, [root]
    for name in reached:
        for pair in calls:
            for other in pair if name in pair else ():
                if other not in distances:
                    distances[other] = distances[name] + 1
                    reached.append(other)
    return distances


def find_felt(run: Run, without: Run, journeys: Collection[str], since: float, until: int) -> Sign | None:
    """When requests of users began to fail by a fault, of that of some journeys of which most fail; None if none do."""
    failing, expected = find_failing(run, until), find_failing(without, until)
    worst: Sign | None = None
    for name in journeys:
        share, usual = np.array(failing[name]), np.array(expected[name])
        seen = _find_worsened(share, (share[:-1] + share[1:]) / _LASTS, usual, since)
        if seen is not None and (worst is None or seen.most > worst.share):
            worst = Sign(seen.tick * TICK, "", f"{seen.percent} of the requests of {name} fail", seen.most)
    return worst


def find_own(run: Run, component: str, since: float, until: int) -> list[Sign]:
    """What is seen between two seconds of a trouble that a component has by itself, the worst first; two at most."""
    signs = [*_list_failing(run, None, since, until), *_list_slow(run, None, since, until)]
    own = [sign for sign in signs if component in (sign.component, sign.caller)]
    said: dict[str, Sign] = {}  # a caller may make several calls, of which the same is said
    for sign in sorted(own, key=lambda sign: (-sign.share, sign.at)):
        said.setdefault(sign.said, sign)
    return list(said.values())[:_MOST_OWN]


def _choose(signs: Iterable[Sign]) -> list[Sign]:
    """One sign of each component."""
    chosen: dict[str, Sign] = {}
    for sign in sorted(signs):
        first = chosen.setdefault(sign.component, sign)
        if sign.share > first.share and sign.at - first.at <= _TOGETHER:
            chosen[sign.component] = sign
    return list(chosen.values())


class _Calls(NamedTuple):
    """The attempts of all calls, by tick: how many, how many of them failed, and these by reason."""

    sent: Floats
    total: Floats
    failed: Floats

    @classmethod
    def of(cls, run: Run, until: int) -> _Calls:
        sent, failed = (run.record.get(name, 0, int(until / TICK)) for name in ("sent", "failed"))
        return cls(sent, add_reasons(failed), failed)

    def find_shares(self, ticks: int = 1) -> Floats:
        """The share that failed, over so many ticks from each on."""
        end = len(self.sent) - ticks + 1
        sent, total = self.sent[:end] + 0.0, self.total[:end] + 0.0
        for later in range(1, ticks):
            sent, total = sent + self.sent[later : later + end], total + self.total[later : later + end]
        return np.where(sent > 0.0, np.minimum(1.0, total / np.maximum(sent, 1e-9)), 0.0)


def _list_failing(run: Run, without: Run | None, since: float, until: int) -> Iterator[Sign]:
    """When each call began to fail, how much of it did at the worst, and why."""
    layout, calls = run.layout, _Calls.of(run, until)
    others = None if without is None else _Calls.of(without, until)
    share, lasting = calls.find_shares(), calls.find_shares(_LASTS)
    expected = np.zeros_like(share) if others is None else others.find_shares()
    more = calls.failed if others is None else calls.failed - others.failed
    for call in range(share.shape[1]):
        seen = _find_worsened(share[:, call], lasting[:, call], expected[:, call], since)
        if seen is None:
            continue
        caller, callee = (
            layout.component_names[int(layout.route_component[place])]
            for place in (layout.call_source[call], layout.call_target[call])
        )
        reason = Reason(int(np.argmax(more[seen.worst, :, call])))
        said = f"{seen.percent} of what {caller} asks {callee} fails, because {_WORDS[reason]}"
        yield Sign(seen.tick * TICK, callee, said, seen.most, caller)


class _Worsened(NamedTuple):
    """From which tick on a share is too high, in which it is worst, and how much it is then, as text too."""

    tick: int
    worst: int
    most: float
    percent: str


def _find_worsened(share: Floats, lasting: Floats, expected: Floats, since: float) -> _Worsened | None:
    """When a share of failures became too high, by itself and by what is `expected`; `lasting` is it over two ticks."""
    usual = average(share[:_NORMAL_TICKS])
    tick = _find_first((share > usual + _FAILING) & (share > _WORSE * expected), since)
    if tick is None:
        return None
    worst = tick + int(np.argmax(lasting[tick:]))
    most = float(lasting[worst])
    return _Worsened(tick, worst, most, _say_most(most, float(lasting[tick])))


def _say_most(most: float, first: float) -> str:
    percent, begun = (format_percent(share).replace(".0 %", " %") for share in (most, first))
    return percent if percent in (begun, "100 %", "over 99.9 %") else f"up to {percent}"


def _list_slow(run: Run, without: Run | None, since: float, until: int) -> Iterator[Sign]:
    """When each component began to take much longer than it does normally, and how long at the worst."""
    layout, end = run.layout, int(until / TICK)
    p99 = run.record.get("p99", 0, end)
    expected = np.zeros_like(p99) if without is None else without.record.get("p99", 0, end)
    for route in range(p99.shape[1]):
        usual = average(p99[:_NORMAL_TICKS, route])
        slow = (p99[:, route] > max(_SLOWER * usual, _LEAST_SECONDS)) & (p99[:, route] > _WORSE * expected[:, route])
        tick = _find_first(slow, since)
        if tick is not None:
            name = layout.component_names[int(layout.route_component[route])]
            first, most = (format_seconds(float(value)) for value in (p99[tick, route], np.max(p99[tick:, route])))
            now = most if first == most else f"up to {most}"
            yield Sign(tick * TICK, name, f"{name} takes {now} at p99 (normal {format_seconds(usual)})")


def _find_first(unwell: np.ndarray[tuple[int], np.dtype[np.bool_]], since: float) -> int | None:
    """The first whole tick after a second from which on it is unwell: for a while, and for most of what follows."""
    for tick in range(-int(-since // TICK), len(unwell) - _LASTS + 1):
        if unwell[tick : tick + _LASTS].all() and 2 * np.count_nonzero(unwell[tick:]) > len(unwell) - tick:
            return tick
    return None
