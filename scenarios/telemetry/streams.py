"""Streams of lines: which lines of its software a component prints for what, and how many of each in a tick.

What is printed, and what sampling keeps of it, is fixed with the tick: it follows from counts and from a hash.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.telemetry.quantities import count_denied
from scenarios.world.chance import draw_uniform, hash_names, mix
from scenarios.world.flows import Reason
from scenarios.world.record import TICK

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
_TROUBLE = ("WARN", "ERROR", "FATAL")
_COUNTED = ("good", "faulty", "full", "expired", "failed", "given_up", "rejected", "barred", "running")
_FULL = 1.0 - 1e-6
"""The share of a disk from which on it is full."""
_NOTHING = 1e-6
_ENDS = frozenset({"stop", "oom", "disk_stop", "start"})
"""Events with which a process is not the one that ran at the beginning any more."""
"""A count below this comes from rounding."""


class Stream(NamedTuple):
    """One line of the software, about one route of the component, or about one of its calls."""

    line: Line
    key: np.uint64
    route: int
    call: CallOfRun | None


def list_streams(seen: Vantage) -> list[Stream]:
    """The streams of a component that are printed for counts."""
    found: list[tuple[str, Line, int, CallOfRun | None]] = []
    lines = [(f"{line.when}/{number}", line) for number, line in enumerate(seen.software.lines)]
    for name, line in lines:
        if line.when.startswith(("call.", "given_up.")):
            for call in seen.outgoing:
                if _is_about(seen, line, call):
                    ends = seen.layout.call_names[call.place]
                    found.append((f"{name}/{ends[0]}/{ends[1]}", line, call.source_route, call))
        elif line.when in ("ok", "error", "full", "expired", "no_space", "barred"):
            found += [(f"{name}/{seen.layout.route_names[route]}", line, route, None) for route in seen.routes]
        elif line.when in ("denied", "forbidden", "too_many", "running"):
            found.append((name, line, seen.routes[0], None))
    seed, component = seen.system.seed, seen.component.name
    return [Stream(line, _find_key(seed, component, name), route, call) for name, line, route, call in found]


@lru_cache(maxsize=4096)
def _find_key(seed: int, component: str, name: str) -> np.uint64:
    key: np.uint64 = hash_names(seed, [f"{component}/{name}"], "lines")[0]
    return key


def _is_about(seen: Vantage, line: Line, call: CallOfRun) -> bool:
    """Whether a line is for calls to this callee: one that names its software goes before one that names none."""
    software = seen.layout.components[call.target].software
    if line.to:
        return software in line.to
    return not any(software in other.to for other in seen.software.lines if other.when == line.when)


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
    errors = np.array([stream.line.level in _TROUBLE for stream in streams], dtype=np.bool_)
    return printed, np.where(errors, np.maximum(kept, np.minimum(printed, _LEAST_ERRORS)), kept)


def _count(seen: Vantage, stream: Stream, rows: dict[str, Floats], final: Floats, first: int) -> Floats:
    when, _, reason = stream.line.when.partition(".")
    if stream.call is not None:
        place = stream.call.place
        failed = rows["failed"][:, Reason[reason.upper()], place]
        return np.asarray(failed if when == "call" else failed * final[:, place])
    if when == "running":
        return _count_periods(seen, stream, first)
    if when in ("denied", "forbidden", "too_many"):
        denied, forbidden = (
            count_denied(seen, slice(first, seen.ticks), reason) for reason in (Reason.DENIED, Reason.FORBIDDEN)
        )
        if when != "too_many":
            return denied if when == "denied" else forbidden
        tells_barred = any(line.when == "barred" for line in seen.software.lines)
        total = np.zeros(len(denied))
        for route in seen.routes:
            total = total + rows["rejected"][:, route] - (rows["barred"][:, route] if tells_barred else 0.0)
        return np.asarray(total - denied - forbidden)
    if when == "no_space":
        full = seen.get("disk", first)[:, seen.place] >= _FULL
        return np.asarray(rows["faulty"][:, stream.route] * full)
    name = {"ok": "good", "error": "faulty"}.get(when, when)
    return np.asarray(rows[name][:, stream.route])


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
