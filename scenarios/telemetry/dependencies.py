"""check_dependencies: how the calls of a component and those to it fare, as callers have counted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.telemetry.metrics import find_quiet
from scenarios.telemetry.numbers import format_percent, format_seconds, format_sensibly
from scenarios.telemetry.quantities import OF_CALLS, SLOW
from scenarios.telemetry.vantage import average
from scenarios.vocabulary.diagnostics import CallPath, Dependencies
from scenarios.world.reasons import Reason
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.telemetry.vantage import CallOfRun, Vantage
    from scenarios.vocabulary.diagnostics import Health
    from scenarios.world.system import Journey

_TICKS_OF_MINUTE = 4
_KEPT_MINUTES = 30
"""Over how many minutes it is told since when calls fail, as far as logs go back."""
_HALF = 0.5
_TICKS = 8
"""Two minutes, over which calls are counted."""
_LEAST = 1e-3
"""Calls a second that are as good as none."""
_DEGRADED, _FAILING, _DOWN = 0.01, 0.2, 0.995
"""Shares of failed attempts from which a path is called so."""
_TOLD = 0.0005
"""A share of failed attempts below this is not told."""
_NEARLY_ALL = 0.95
"""From which part of the failures a reason is told as that of all."""
_SLOWER = 2.0
"""From how many times its normal p99 a path is degraded."""

_REASONS = (*(reason.name.lower() for reason in Reason), "too_many")
_REFUSALS = (
    *(reason.name.lower() for reason in Reason if reason not in (*SLOW, Reason.POOL, Reason.LATE, Reason.ERROR)),
    "too_many",
)
"""Reasons for which a call fails at once, so that it says nothing of how long others take."""
_WORDS = {
    "pool": "no connection free in the pool",
    "broken": "connection is closed",
    "lost": "timed out",
    "refused": "connection refused",
    "full": "answered that it is too busy",
    "too_many": "answered that it sheds load",
    "expired": "timed out",
    "late": "timed out",
    "error": "answered with an error",
    "denied": "credentials not accepted",
    "forbidden": "not allowed",
    "unresolved": "name could not be resolved",
    "untrusted": "certificate is not valid",
}
"""What a caller says of a failed call, if its software has no words of its own."""


def show_dependencies(seen: Vantage) -> Dependencies:
    """What a component calls and what calls it, over the last two minutes."""
    return Dependencies(
        service=seen.component.name,
        as_of=seen.as_of,
        calls=tuple(_describe(seen, name, calls) for name, calls in _group(seen.outgoing, "target_name").items()),
        called_by=(
            *(_describe(seen, name, calls) for name, calls in _group(seen.incoming, "source_name").items()),
            *(_describe_users(seen, name, route) for name, route in _list_entering(seen)),
        ),
    )


def _list_entering(seen: Vantage) -> Iterator[tuple[str, int]]:
    """The journeys and clients whose requests enter here, each with its route: an edge tells them apart."""
    names = (f"{seen.component.name}/{route.name}" for route in seen.component.routes)
    places = dict(zip(names, seen.routes, strict=True))
    for journey in seen.system.journeys:
        if journey.entry in places:
            yield name_outside(journey), places[journey.entry]


def name_outside(journey: Journey) -> str:
    """Who calls from outside: the users of a journey, or a client that is none."""
    return f"users of {journey.name}" if journey.worth else f"client {journey.name}"


def _describe_users(seen: Vantage, name: str, route: int) -> CallPath:
    recent, quiet = slice(seen.ticks - _TICKS, seen.ticks), find_quiet(seen)
    (rate, failed), (usual, _) = (_count_users(seen, route, ticks) for ticks in (recent, quiet))
    share = failed / rate if rate >= _LEAST else 0.0
    fails = f"{format_percent(share)} fail" if share >= _TOLD else "none fail"
    detail = f"{format_sensibly(rate)} requests/s from outside (normal {format_sensibly(usual)}), {fails}"
    return CallPath(service=name, health=_judge(share, slower=False), detail=detail)


def _count_users(seen: Vantage, route: int, ticks: slice) -> tuple[float, float]:
    """The requests of users of a route that ended in some ticks, and those that failed, by second."""
    good, failed = (
        average(seen.get(name, ticks.start, ticks.stop)[:, route]) / TICK for name in ("users_good", "users_failed")
    )
    return good + failed, failed


def _group(calls: Sequence[CallOfRun], by: str) -> dict[str, list[CallOfRun]]:
    groups: dict[str, list[CallOfRun]] = {}
    for call in calls:
        groups.setdefault(getattr(call, by), []).append(call)
    return groups


def _describe(seen: Vantage, name: str, calls: list[CallOfRun]) -> CallPath:
    recent, quiet = slice(seen.ticks - _TICKS, seen.ticks), find_quiet(seen)
    rate, usual = (average(OF_CALLS["sent"](seen, ticks, calls, ())) for ticks in (recent, quiet))
    normal = f"(normal {format_sensibly(usual)})"
    if rate < _LEAST:
        health: Health = "unknown" if usual >= _LEAST else "healthy"
        return CallPath(service=name, health=health, detail=f"no calls in the last 2 min {normal}")
    share = min(1.0, average(OF_CALLS["failed"](seen, recent, calls, ())) / rate)
    p99, usual_p99 = (average(OF_CALLS["call_p99"](seen, ticks, calls, ())) for ticks in (recent, quiet))
    parts = [f"{format_sensibly(rate)} calls/s {normal}"]
    if share >= _TOLD:
        words, part = _find_words(seen, calls, recent)
        failing = "all" if share >= 1.0 - 1e-9 else format_percent(share)
        parts.append(f"{failing} fail{':' if part >= _NEARLY_ALL else ', most of them:'} {words}")
    else:
        parts.append("none fail")
    if p99 > 0.0:
        refused = average(OF_CALLS["failed"](seen, recent, calls, _REFUSALS)) / rate
        of = " of the others" if refused >= _DEGRADED else ""
        parts.append(f"p99{of} {format_seconds(p99)} (normal {format_seconds(usual_p99)})")
    if share >= _FAILING:
        parts.append(_tell_since(seen, calls, share))
    slower = usual_p99 > 0.0 and p99 > _SLOWER * usual_p99
    return CallPath(service=name, health=_judge(share, slower=slower), detail=", ".join(parts))


def _tell_since(seen: Vantage, calls: list[CallOfRun], share: float) -> str:
    """Since which minute at least half as large a share has failed without a break, as far as that is kept."""
    minutes = seen.ticks // _TICKS_OF_MINUTE
    first = max(0, minutes - _KEPT_MINUTES)
    kept = slice(first * _TICKS_OF_MINUTE, minutes * _TICKS_OF_MINUTE)
    sent, failed = (OF_CALLS[name](seen, kept, calls, ()).reshape(-1, _TICKS_OF_MINUTE) for name in ("sent", "failed"))
    since = minutes
    for minute in range(minutes - 1, first - 1, -1):
        came, lost = (average(rows[minute - first]) for rows in (sent, failed))
        if lost < _HALF * share * came:
            break
        since = minute
    if since == first:
        return f"failing for more than {minutes - first} min"
    return f"failing since {seen.clock.get_time_of_day(since * _TICKS_OF_MINUTE * TICK)}"


def _judge(share: float, *, slower: bool) -> Health:
    if share >= _DOWN:
        return "down"
    if share >= _FAILING:
        return "failing"
    return "degraded" if share >= _DEGRADED or slower else "healthy"


def _find_words(seen: Vantage, calls: list[CallOfRun], ticks: slice) -> tuple[str, float]:
    """The words in which the caller's software tells most of the failures, and which part of them."""
    total = 0.0
    counts: dict[str, float] = {}
    for call in calls:
        kind = seen.layout.components[call.source].kind
        target = seen.layout.components[call.target].software
        for name in _REASONS:
            words = kind.failures.get(f"{name}.{target}") or kind.failures.get(name) or _WORDS[name]
            failed = average(OF_CALLS["failed"](seen, ticks, [call], (name,)))
            counts[words] = counts.get(words, 0.0) + failed
            total += failed
    most = max(counts, key=lambda words: counts[words])
    return most, counts[most] / total
