"""Streams of lines: which lines of its software a component prints for what, and how many of each in a tick.

What is printed, and what sampling keeps of it, is fixed with the tick: it follows from counts and from a hash.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.telemetry.quantities import count_denied, count_gone, count_of
from scenarios.world.chance import draw_uniform, hash_names, mix
from scenarios.world.reasons import Reason
from scenarios.world.record import TICK
from scenarios.world.software import SOFTWARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.telemetry.vantage import CallOfRun, Vantage
    from scenarios.world.layout import Floats, Indices
    from scenarios.world.software import Line

WINDOW_TICKS = 120
"""Half an hour."""
KEPT_OF_TICK = 25
"""Lines of a component that are kept of a tick, more or less: about 3,000 of a window."""
_LEAST_ERRORS = 5
"""Lines of a warning or error that are kept of a tick, if so many are printed."""
TROUBLE = ("WARN", "ERROR", "FATAL")
"""Levels of which sampling keeps some of each tick."""
_COUNTED = ("good", "faulty", "full", "expired", "failed", "given_up", "rejected", "barred", "running")
_OF_ROUTES = frozenset(
    {"ok", "gone", "error", "full", "expired", "no_space", "barred", "denied", "forbidden", "too_many"}
)
"""What a line is printed for by route."""
_DEADLOCK_SECONDS = 1.0
"""Seconds after which a database tells that a statement waits for a lock."""
_FULL = 1.0 - 1e-6
"""The share of a disk from which on it is full."""
_NOTHING = 1e-6
"""A count below this comes from rounding."""
_ENDS = frozenset({"stop", "oom", "disk_stop", "start"})
"""Events with which a process is not the one that ran at the beginning any more."""


class Stream(NamedTuple):
    """One line of the software, about one route of the component, one of its calls, or one that a `caller` makes."""

    line: Line
    key: np.uint64
    route: int
    call: CallOfRun | None = None
    caller: CallOfRun | None = None


def list_streams(seen: Vantage) -> list[Stream]:
    """The streams of a component that are printed for counts."""
    seed, component = seen.system.seed, seen.component.name
    found: list[Stream] = []
    for number, line in enumerate(seen.software.lines):
        leader = _find_leader(seen.software.name, number) if line.follows else number
        name = f"{line.when}/{leader}"
        for end, route, call, caller in _list_subjects(seen, line):
            key = _find_key(seed, component, f"{name}/{end}" if end else name)
            found.append(Stream(line, key, route, call, caller))
    return found


def _list_subjects(seen: Vantage, line: Line) -> list[tuple[str, int, CallOfRun | None, CallOfRun | None]]:
    """What a line is printed about: a name that tells it from others, a route, and a call or a caller."""
    if line.when.startswith(("call.", "given_up.")):
        mine = [call for call in seen.outgoing if _is_about(seen, line, call.target)]
        return [(_name(seen, call), call.source_route, call, None) for call in mine]
    if line.when.startswith("caller."):
        others = [call for call in seen.incoming if _is_about(seen, line, call.source)]
        return [(_name(seen, call), call.target_route, None, call) for call in others]
    if line.when in _OF_ROUTES:
        return [(seen.layout.route_names[route], route, None, None) for route in seen.routes]
    if line.when == "running":
        return [("", seen.routes[0], None, None)]
    return []


def _name(seen: Vantage, call: CallOfRun) -> str:
    source, target = seen.layout.call_names[call.place]
    return f"{source}/{target}"


@lru_cache(maxsize=4096)
def _find_key(seed: int, component: str, name: str) -> np.uint64:
    key: np.uint64 = hash_names(seed, [f"{component}/{name}"], "lines")[0]
    return key


@lru_cache(maxsize=256)
def _find_leader(software: str, number: int) -> int:
    """The place of the line that one follows: the last before it about the same that follows none."""
    lines = SOFTWARE[software].lines
    same = (lines[number].when, lines[number].to)
    leaders = [place for place in range(number) if (lines[place].when, lines[place].to) == same]
    return next(place for place in reversed(leaders) if not lines[place].follows)


def _is_about(seen: Vantage, line: Line, other: int) -> bool:
    """Whether a line is for calls to or from another component: one that names its software goes before others."""
    software = seen.layout.components[other].software
    return software in line.to if line.to else software not in _find_named(seen.software.name, line.when)


@lru_cache(maxsize=1024)
def _find_named(software: str, when: str) -> frozenset[str]:
    """The software that lines of another one about something name."""
    return frozenset(name for line in SOFTWARE[software].lines if line.when == when for name in line.to)


def count_lines(seen: Vantage, streams: list[Stream], first: int) -> tuple[Indices, Indices]:
    """How many lines of each stream were printed in each tick from `first`, and how many of them were kept."""
    ticks = np.arange(first, seen.ticks, dtype=np.uint64)
    counts = np.zeros((len(ticks), len(streams)))
    rows = {name: seen.get(name, first) for name in _COUNTED}
    final = _find_final(rows)
    for column, stream in enumerate(streams):
        counts[:, column] = _count(seen, stream, rows, final, first)
    counts = np.where(counts < _NOTHING, 0.0, counts)
    printed = _round(counts, streams, ticks, np.uint64(0))
    total = np.zeros(len(ticks), dtype=np.int64)
    for column in range(len(streams)):
        total = total + printed[:, column]
    rate = KEPT_OF_TICK / np.maximum(total, KEPT_OF_TICK)
    kept = np.minimum(printed, _round(printed * rate[:, None], streams, ticks, np.uint64(1)))
    errors = np.array([stream.line.level in TROUBLE for stream in streams], dtype=np.bool_)
    return printed, np.where(errors, np.maximum(kept, np.minimum(printed, _LEAST_ERRORS)), kept)


def _count(seen: Vantage, stream: Stream, rows: dict[str, Floats], final: Floats, first: int) -> Floats:
    when, _, reason = stream.line.when.partition(".")
    if stream.call is not None:
        ticks = slice(first, seen.ticks)
        failed = count_of(seen, ticks, stream.call, "error" if reason == "no_space" else reason)
        if when == "given_up":
            return np.asarray(failed * final[:, stream.call.place])
        if reason in ("error", "no_space"):
            failed = failed * _find_blamed(seen, stream.line, stream.call.target, first)
        return np.asarray(failed)
    if stream.caller is not None:
        return _count_of_caller(seen, stream.caller, reason, rows["failed"], first)
    if when == "running":
        return _count_periods(seen, stream, first)
    if when in ("denied", "forbidden", "too_many"):
        denied, forbidden = (
            count_denied(seen, slice(first, seen.ticks), (stream.route,), reason)
            for reason in (Reason.DENIED, Reason.FORBIDDEN)
        )
        if when != "too_many":
            return denied if when == "denied" else forbidden
        tells_barred = any(line.when == "barred" for line in seen.software.lines)
        total = rows["rejected"][:, stream.route] - (rows["barred"][:, stream.route] if tells_barred else 0.0)
        return np.asarray(total - denied - forbidden)
    if when in ("no_space", "error"):
        tells = any(line.when == "no_space" for line in seen.software.lines)
        full = (seen.get("disk", first)[:, seen.place] >= _FULL) & tells
        return np.asarray(rows["faulty"][:, stream.route] * (full == (when == "no_space")))
    if when in ("ok", "gone"):
        # Who tells of clients that are gone has no other line for their requests.
        tells = when == "gone" or any(line.when == "gone" for line in seen.software.lines)
        ticks = slice(first, seen.ticks)
        gone = count_gone(seen, ticks, stream.route) if tells else np.zeros(seen.ticks - first)
        return gone if when == "gone" else np.asarray(rows["good"][:, stream.route] - gone)
    return np.asarray(rows[when][:, stream.route])


def _count_of_caller(seen: Vantage, caller: CallOfRun, reason: str, failed: Floats, first: int) -> Floats:
    """What a callee tells of the attempts of a caller. `locked`: of those that were cancelled while they waited for a
    lock, the ones that waited for so long that it is told.
    """
    if reason != "locked":
        return np.asarray(failed[:, Reason[reason.upper()], caller.place])
    waits = failed[:, Reason.LATE, caller.place] * (caller.deadline > _DEADLOCK_SECONDS)
    return np.asarray(waits * seen.find_locked(first)) if np.count_nonzero(waits) else np.asarray(waits)


def _find_blamed(seen: Vantage, line: Line, callee: int, first: int) -> Floats:
    """The share of the errors of a callee that a line is about: those for its disk while that is full, or others."""
    target = seen.layout.components[callee].software
    if target not in _find_named(seen.software.name, "call.no_space"):
        return np.ones(seen.ticks - first)
    full = seen.get("disk", first)[:, callee] >= _FULL
    return np.asarray((full == (line.when == "call.no_space")) * 1.0)


def _find_final(rows: dict[str, Floats]) -> Floats:
    """The share of the failed attempts of each call that were the last of a request."""
    total = np.zeros_like(rows["given_up"])
    for reason in Reason:
        total = total + rows["failed"][:, reason]
    return np.asarray(np.minimum(1.0, rows["given_up"] / np.maximum(total, _NOTHING)))


def _count_periods(seen: Vantage, stream: Stream, first: int) -> Floats:
    """How many periods of a line end in each tick, while the processes run that ran at the beginning."""
    every = int(stream.line.every)
    phase = int(stream.key % np.uint64(every))
    ends = (np.arange(first, seen.ticks + 1) * int(TICK) + phase) // every
    ended = min((event.at for event in seen.list_events() if event.what in _ENDS), default=seen.time)
    lives = np.arange(first, seen.ticks) * TICK < ended
    return np.asarray((ends[1:] - ends[:-1]).astype(np.float64) * lives)


def _round(counts: Floats, streams: list[Stream], ticks: NDArray[np.uint64], purpose: np.uint64) -> Indices:
    """Whole counts: up or down by chance, so that they are right on average."""
    keys = np.array([stream.key for stream in streams], dtype=np.uint64)
    chance = draw_uniform(mix(keys ^ mix(np.array([purpose])))[None, :] ^ mix(ticks)[:, None])
    return np.asarray((counts + chance).astype(np.int64))
