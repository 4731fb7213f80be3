"""What metrics show: quantities of a component, its routes and its calls, in each of some finished ticks.

The units stand in `scenarios.world.software.QUANTITIES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.telemetry.wavering import waver
from scenarios.world.reasons import Reason
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scenarios.telemetry.vantage import CallOfRun, Vantage
    from scenarios.world.layout import Floats

_LEAST = 1e-6
"""Requests in a tick that are as good as none."""
_ROUNDED = 1e-6
"""A share that is nearer to none or all is that: the rest comes from rounding."""
_OF_USERS = ("users_failed", "rejected", "done", "good", "full", "expired", "refused")
_HOP = 0.0004
"""Seconds from one host of a zone to another and back, with both of their stacks."""
_READING = 0.003
"""The part of the work of a request that is to read one answer, for which a crowded caller has to find a moment."""
_TAIL = 0.015
"""By which part the p99 that a caller measures is above that of the callee at most: it reads slow answers late."""
_SOONER = 0.04
"""By which part the mean is below the longest wait at most, if nearly all wait so long: a few are answered."""
_FEW_PROBES, _STACK = 0.15, 0.03
"""The parts by which what probes find is lower in a minute than it is, at most: shares, and times."""
_BLUR = 0.02
"""The part by which a quantile of a minute is lower than that of all requests at most."""
_NEAR = 0.9
"""How near what a caller measures may come to what it takes itself, from what the callee takes."""
_IDLE, _HANDLING = 0.003, 0.00005
"""Processors that a process takes at least: when nobody asks for anything, and seconds for reading a request."""
_STOPPED_EARLY = 0.035
"""The part of its processors that a process may miss in a tick: quotas are given out in slices of a period."""
SLOW = (Reason.LOST, Reason.EXPIRED, Reason.LATE)
"""Reasons for which a caller has waited until its deadline."""
_REASONS = {reason.name.lower(): reason for reason in Reason}
_UNTAKEN = ("full", "too_many")
"""Names of the reason that a callee took no more, by what it said."""
_OF_CLIENTS = ("too_many", "denied", "forbidden")
"""Reasons for which a callee answers with a status below 500."""
_UNANSWERED = tuple(reason for reason in Reason if reason not in (Reason.LATE, Reason.ERROR))
"""Reasons for which the callee did no work."""


GAUGES = frozenset({"instances", "up", "connections", "queue"})
"""Quantities of which a sample is what they stand at, in whole numbers."""
WATCHED = frozenset({"instances", "up", "starts", "kills"})
"""Quantities that somebody else tells of a process: they are known while it does not run."""
COUNTERS = frozenset(
    {"arrived", "good", "committed", "rolled_back", "bad", "answered_badly", "asked", "rejected", "barred"}
    | {"left", "client_errors", "limited", "server_errors", "turned_away", "too_many", "sent", "failed"}
)
"""Quantities that are counted, in a second."""
LATENCIES = frozenset({"mean", "p50", "p90", "p99", "call_p99"})
"""Quantities of what was answered: 0 says that nothing was."""


def _read_level(name: str) -> Callable[[Vantage, slice], Floats]:
    whole = name in ("running", "connections", "queue")

    def read(seen: Vantage, ticks: slice) -> Floats:
        level = seen.get(name, ticks.start, ticks.stop)[:, seen.place]
        return np.asarray(np.floor(level + 0.5) if whole else level)

    return read


def _probe(name: str, misses: float) -> Callable[[Vantage, slice], Floats]:
    """A level that is found with some probes in a tick, which miss a part of it at most, and nothing of all."""

    def read(seen: Vantage, ticks: slice) -> Floats:
        level = seen.get(name, ticks.start, ticks.stop)[:, seen.place]
        chance = waver(seen, f"{seen.component.name}/{name}", ticks, every=4)
        return np.asarray(level * (1.0 - misses * chance * np.maximum(0.0, 1.0 - level)))

    return read


def _find_up(seen: Vantage, ticks: slice) -> Floats:
    return np.minimum(1.0, seen.get("running", ticks.start, ticks.stop)[:, seen.place])


def _find_processors(seen: Vantage, ticks: slice) -> Floats:
    """What requests and the collection of garbage take. Who may not have more is stopped a little before that."""
    computed = seen.get("computed", ticks.start, ticks.stop)[:, seen.place] / TICK
    taken = computed + seen.get("collecting", ticks.start, ticks.stop)[:, seen.place]
    done, running = (seen.get(name, ticks.start, ticks.stop) for name in ("done", "running"))
    least = _IDLE * running[:, seen.place]
    for route in seen.routes:
        least = least + _HANDLING * done[:, route] / TICK
    taken = np.maximum(taken, least)
    return np.asarray(taken * (1.0 - _STOPPED_EARLY * waver(seen, f"{seen.component.name}/processors", ticks, every=4)))


def _count_events(what: str) -> Callable[[Vantage, slice], Floats]:
    """How often something happened, in a minute."""

    def count(seen: Vantage, ticks: slice) -> Floats:
        counts = np.zeros(ticks.stop - ticks.start)
        for event in seen.list_events():
            tick = int(event.at // TICK) - ticks.start
            if event.what == what and event.details.get("again", 1) and 0 <= tick < len(counts):
                counts[tick] += 60.0 / TICK
        return counts

    return count


OF_COMPONENT: Mapping[str, Callable[[Vantage, slice], Floats]] = {
    "instances": _read_level("running"),
    "up": _find_up,
    "memory": _read_level("memory"),
    "connections": _read_level("connections"),
    "queue": _read_level("queue"),
    "processors": _find_processors,
    "link_loss": _probe("link_loss", _FEW_PROBES),
    "link_latency": _probe("link_latency", _STACK),
    "unanswered": _probe("unanswered", _FEW_PROBES),
    "starts": _count_events("start"),
    "kills": _count_events("oom"),
}
"""Quantities of a component as a whole."""


def _count_per_second(*names: str) -> Callable[[Vantage, slice, Sequence[int]], Floats]:
    def count(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
        total = np.zeros(ticks.stop - ticks.start)
        for name in names:
            rows = seen.get(name, ticks.start, ticks.stop)
            for route in routes:
                total = total + rows[:, route]
        return total / TICK

    return count


def _count_bad(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    good = _count_per_second("good")(seen, ticks, routes)
    return np.asarray(_count_per_second("done", "full", "expired")(seen, ticks, routes) - good)


def _count_turned_away(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    denied = count_denied(seen, ticks, routes) + count_denied(seen, ticks, routes, Reason.FORBIDDEN)
    rejected = _count_per_second("rejected")(seen, ticks, routes) - _count_per_second("barred")(seen, ticks, routes)
    return np.asarray(np.maximum(0.0, rejected - denied / TICK))


def _count_too_many(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    turned_away = _count_turned_away(seen, ticks, routes)
    return np.asarray(turned_away + _count_per_second("full")(seen, ticks, routes))


def _count_cancelled(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    """Requests whose caller waited no longer, while they were worked on."""
    failed = seen.get("failed", ticks.start, ticks.stop)
    total = np.zeros(len(failed))
    for call in seen.incoming:
        if call.target_route in routes:
            total = total + failed[:, Reason.LATE, call.place]
    return np.asarray(total / TICK)


def _count_committed(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    good = _count_per_second("good")(seen, ticks, routes)
    return np.asarray(np.maximum(0.0, good - _count_cancelled(seen, ticks, routes)))


def _count_rolled_back(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    ended = _count_answered_badly(seen, ticks, routes) + _count_per_second("expired")(seen, ticks, routes)
    return np.asarray(ended + _count_cancelled(seen, ticks, routes))


def count_gone(seen: Vantage, ticks: slice, route: int) -> Floats:
    """Users that a route would have answered well, and that were gone by then. Nobody knows where users also await a
    message, or where other components call.
    """
    entering = [journey for journey in seen.system.journeys if journey.entry == seen.layout.route_names[route]]
    called = any(call.target_route == route for call in seen.incoming)
    if called or not entering or any(journey.awaits is not None for journey in entering):
        return np.zeros(ticks.stop - ticks.start)
    rows = {name: seen.get(name, ticks.start, ticks.stop)[:, route] for name in _OF_USERS}
    gone = rows["users_failed"] - rows["rejected"] - (rows["done"] - rows["good"])
    gone = np.minimum(rows["good"], gone - rows["full"] - rows["expired"] - rows["refused"])
    return np.asarray(np.where(gone > _ROUNDED * (1.0 + rows["good"]), gone, 0.0))


def _count_left(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    total = _count_per_second("expired")(seen, ticks, routes)
    for route in routes:
        total = total + count_gone(seen, ticks, route) / TICK
    return np.asarray(total)


def _count_server_errors(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    total = _count_per_second("full")(seen, ticks, routes)
    for given_up, refused in _list_given_up(seen, ticks, routes, _OF_CLIENTS):
        total = total + (given_up - refused)
    return np.asarray(total)


def _count_client_errors(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    total = _count_per_second("rejected")(seen, ticks, routes)
    for _, refused in _list_given_up(seen, ticks, routes, _OF_CLIENTS):
        total = total + refused
    return np.asarray(total)


def _count_limited(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    total = _count_turned_away(seen, ticks, routes)
    for _, shed in _list_given_up(seen, ticks, routes, ("too_many",)):
        total = total + shed
    return np.asarray(total)


def _list_given_up(
    seen: Vantage, ticks: slice, routes: Sequence[int], reasons: Sequence[str]
) -> Iterator[tuple[Floats, Floats]]:
    """The requests that each call gave up in a second, and those of them for some reasons."""
    rows, failed = (seen.get(name, ticks.start, ticks.stop) for name in ("given_up", "failed"))
    of_any = [Reason.FULL if name in _UNTAKEN else _REASONS[name] for name in reasons]
    for call in seen.outgoing:
        given_up = rows[:, call.place] / TICK
        if call.source_route not in routes or not np.count_nonzero(given_up):
            continue
        if not any(np.count_nonzero(failed[:, reason, call.place]) for reason in of_any):
            yield given_up, np.zeros(len(given_up))
            continue
        whole, some = (_count_failed(seen, ticks, [call], names) for names in ((), reasons))
        yield given_up, given_up * np.minimum(1.0, some / np.maximum(whole, _LEAST))


def _count_answered_badly(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    done, good = (_count_per_second(name)(seen, ticks, routes) for name in ("done", "good"))
    return np.asarray(np.maximum(0.0, done - good))


def count_denied(seen: Vantage, ticks: slice, routes: Sequence[int], reason: Reason = Reason.DENIED) -> Floats:
    """Attempts of callers that routes did not accept because of who they are, or did not allow."""
    failed = seen.get("failed", ticks.start, ticks.stop)
    total = np.zeros(len(failed))
    for call in seen.incoming:
        if call.target_route in routes:
            total = total + failed[:, reason, call.place]
    return total


def find_shed(seen: Vantage, ticks: slice, call: CallOfRun) -> Floats:
    """Of the attempts of a call that its callee did not take, the share that it told to come again later: status 429.

    A service says so of what it sheds, and that it is unavailable when it is full. A third party says 429 of both, and
    what does not speak HTTP has words of its own.
    """
    target = seen.layout.components[call.target].kind
    if target.kernel != "server" or target.runs_on == "elsewhere":
        return np.full(ticks.stop - ticks.start, float(target.kernel == "server"))
    route = call.target_route
    failed = seen.get("failed", ticks.start, ticks.stop)
    rejected, barred, arrived = (
        seen.get(name, ticks.start, ticks.stop)[:, route] for name in ("rejected", "barred", "arrived")
    )
    reached = seen.get("reached", ticks.start, ticks.stop)
    shed, came, untaken = rejected - barred, np.zeros(len(failed)), np.zeros(len(failed))
    for place in np.nonzero(seen.layout.call_target == route)[0].tolist():
        shed = shed - failed[:, Reason.DENIED, place] - failed[:, Reason.FORBIDDEN, place]
        came, untaken = came + reached[:, place], untaken + failed[:, Reason.FULL, place]
    # Users that come there themselves are shed as well.
    shed = shed * np.minimum(1.0, came / np.maximum(arrived + rejected, _LEAST))
    share = np.minimum(1.0, np.maximum(0.0, shed) / np.maximum(untaken, _LEAST))
    return np.asarray(np.where(share < _ROUNDED, 0.0, np.where(share > 1.0 - _ROUNDED, 1.0, share)))


def _find_latest(name: str) -> Callable[[Vantage, slice, Sequence[int]], Floats]:
    def find(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
        latency, done = seen.get(name, ticks.start, ticks.stop), seen.get("done", ticks.start, ticks.stop)
        latest = np.zeros(len(latency))
        for route in routes:
            blur = _find_blur(seen, ticks, latency, route)
            if name != "p50":  # a higher quantile stays above it
                blur = np.minimum(blur, latency[:, route] - seen.get("p50", ticks.start, ticks.stop)[:, route])
            told = latency[:, route] - blur
            latest = np.maximum(latest, np.where(done[:, route] > _LEAST, told, 0.0))
        return latest

    return find


def _find_blur(seen: Vantage, ticks: slice, latency: Floats, route: int) -> Floats:
    """By how much a quantile of a minute comes out lower: it is taken from the requests that there were.

    Never by so much that a route would be faster than what it waits for, as its caller measures that.
    """
    value = latency[:, route]
    room = _BLUR * value
    for call in seen.outgoing:
        if call.source_route == route:
            answered = latency[:, call.target_route]
            heard = np.minimum(answered + _NEAR * np.maximum(0.0, value - answered), call.deadline)
            room = np.minimum(room, 0.5 * np.maximum(0.0, value - heard))
    return np.asarray(room * waver(seen, seen.layout.route_names[route], ticks, every=4))


def _find_mean(seen: Vantage, ticks: slice, routes: Sequence[int]) -> Floats:
    """The mean latency of what was done, from the quantiles. What callers do not wait for any more is cancelled."""
    longest = max((call.deadline for call in seen.incoming), default=np.inf)
    done = seen.get("done", ticks.start, ticks.stop)
    total, count = np.zeros(len(done)), np.zeros(len(done))
    for route in routes:
        total = total + done[:, route] * _find_mean_of(seen, ticks, route)
        count = count + done[:, route]
    most = longest * (1.0 - _SOONER * waver(seen, f"{seen.component.name}/mean", ticks, every=4))
    return np.asarray(np.where(count > _LEAST, np.minimum(total / np.maximum(count, _LEAST), most), 0.0))


def _find_mean_of(seen: Vantage, ticks: slice, route: int) -> Floats:
    p50, p90, p99 = (seen.get(name, ticks.start, ticks.stop)[:, route] for name in ("p50", "p90", "p99"))
    return np.asarray(0.575 * p50 + 0.245 * p90 + 0.055 * p99)


OF_ROUTES: Mapping[str, Callable[[Vantage, slice, Sequence[int]], Floats]] = {
    "arrived": _count_per_second("arrived"),
    "asked": _count_per_second("arrived", "rejected"),
    "rejected": _count_per_second("rejected"),
    "barred": _count_per_second("barred"),
    "good": _count_per_second("good"),
    "committed": _count_committed,
    "rolled_back": _count_rolled_back,
    "bad": _count_bad,
    "answered_badly": _count_answered_badly,
    "left": _count_left,
    "client_errors": _count_client_errors,
    "limited": _count_limited,
    "server_errors": _count_server_errors,
    "turned_away": _count_turned_away,
    "too_many": _count_too_many,
    "mean": _find_mean,
    "p50": _find_latest("p50"),
    "p90": _find_latest("p90"),
    "p99": _find_latest("p99"),
}
"""Quantities of some routes: added up, or that of the slowest."""


def _count_sent(seen: Vantage, ticks: slice, calls: Sequence[CallOfRun], _: Sequence[str]) -> Floats:
    rows = seen.get("sent", ticks.start, ticks.stop)
    total = np.zeros(len(rows))
    for call in calls:
        total = total + rows[:, call.place]
    return np.asarray(total / TICK)


def _count_failed(seen: Vantage, ticks: slice, calls: Sequence[CallOfRun], reasons: Sequence[str]) -> Floats:
    rows = seen.get("failed", ticks.start, ticks.stop)
    total = np.zeros(len(rows))
    if not reasons:
        whole = seen.count_failed(ticks.start, ticks.stop)
        for call in calls:
            total = total + whole[:, call.place]
        return np.asarray(total / TICK)
    for call in calls:
        failed = rows[:, :, call.place]
        for name in reasons:
            of_name = count_of(seen, ticks, call, name) if name in _UNTAKEN else failed[:, _REASONS[name]]
            total = total + of_name
    return np.asarray(total / TICK)


def count_of(seen: Vantage, ticks: slice, call: CallOfRun, name: str) -> Floats:
    """Failed attempts of a call in each tick for a reason by its name; `too_many`: the callee has shed them."""
    failed = seen.get("failed", ticks.start, ticks.stop)[:, :, call.place]
    if name not in _UNTAKEN:
        return np.asarray(failed[:, _REASONS[name]])
    untaken = failed[:, Reason.FULL]
    if not np.count_nonzero(untaken):
        return np.asarray(untaken)
    shed = find_shed(seen, ticks, call)
    return np.asarray(untaken * (shed if name == "too_many" else 1.0 - shed))


def _find_call_p99(seen: Vantage, ticks: slice, calls: Sequence[CallOfRun], _: Sequence[str]) -> Floats:
    """The deadline, if more than a hundredth has waited for so long."""
    sent, failed = seen.get("sent", ticks.start, ticks.stop), seen.get("failed", ticks.start, ticks.stop)
    latency = seen.get("p99", ticks.start, ticks.stop)
    latest = np.zeros(len(sent))
    for call in calls:
        slow = failed[:, Reason.POOL, call.place]
        for reason in SLOW:
            slow = slow + failed[:, reason, call.place]
        heard = latency[:, call.target_route] + _find_way(seen, ticks, call)
        mine = np.where(slow > 0.01 * sent[:, call.place], call.deadline, np.minimum(heard, call.deadline))
        answered = sent[:, call.place] - _count_unanswered(failed, call)
        # Of calls that are all refused a few are lost now and then: they have no latency that would be told.
        told = (answered > _LEAST) | ((slow > _LEAST) & (slow > 0.01 * sent[:, call.place]))
        latest = np.maximum(latest, np.where(told, mine, 0.0))
    return latest


def _find_way(seen: Vantage, ticks: slice, call: CallOfRun) -> Floats:
    """What a caller measures beside the p99 of the callee: the network, its own processors, and a tail of its own.

    That is never so much that who waits for the call would be faster than it.
    """
    answered, waiting = (
        seen.get("p99", ticks.start, ticks.stop)[:, route] for route in (call.target_route, call.source_route)
    )
    load = seen.get("load", ticks.start, ticks.stop)[:, call.source]
    chance = waver(seen, "/".join(seen.layout.call_names[call.place]), ticks)
    crowded = _READING * float(seen.layout.route_work[call.source_route]) * load / np.maximum(1.0 - load, 0.08)
    own = _HOP * (0.6 + 0.8 * chance) + crowded + _TAIL * answered * chance
    way = seen.get("delay", ticks.start, ticks.stop)[:, call.place] + own
    room = _NEAR * (waiting - answered)
    return np.asarray(np.where(room > 0.0, np.minimum(way, room), way))


def _count_unanswered(failed: Floats, call: CallOfRun) -> Floats:
    total = np.zeros(len(failed))
    for reason in _UNANSWERED:
        total = total + failed[:, reason, call.place]
    return total


def _find_in_use(seen: Vantage, ticks: slice, calls: Sequence[CallOfRun], _: Sequence[str]) -> Floats:
    """Connections that are at work, after Little's law."""
    sent, failed = seen.get("sent", ticks.start, ticks.stop), seen.get("failed", ticks.start, ticks.stop)
    running = seen.get("running", ticks.start, ticks.stop)[:, seen.place]
    kept = running * seen.get("kept", ticks.start, ticks.stop)[:, seen.place]
    total = np.zeros(len(sent))
    for call in calls:
        mean = _find_mean_of(seen, ticks, call.target_route)
        slow = np.zeros(len(sent))
        for reason in SLOW:
            slow = slow + failed[:, reason, call.place]
        answered = np.maximum(0.0, sent[:, call.place] - _count_unanswered(failed, call) - slow)
        mean = mean + seen.get("delay", ticks.start, ticks.stop)[:, call.place]
        busy = (answered * np.minimum(mean, call.deadline) + slow * call.deadline) / TICK
        size = running * seen.get_pool(call)
        total = total + np.where(failed[:, Reason.POOL, call.place] > _LEAST, size, np.minimum(busy + kept, size))
    return total


OF_CALLS: Mapping[str, Callable[[Vantage, slice, Sequence[CallOfRun], Sequence[str]], Floats]] = {
    "sent": _count_sent,
    "failed": _count_failed,
    "call_p99": _find_call_p99,
    "in_use": _find_in_use,
}
"""Quantities of some calls: added up, or that of the slowest. The last argument are reasons of failures."""
