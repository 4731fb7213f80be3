"""query_logs: the newest lines of a component in a window that sampling has kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from scenarios.telemetry.instances import find_name, find_node
from scenarios.telemetry.streams import TROUBLE, WINDOW_TICKS, count_lines, list_streams
from scenarios.telemetry.texts import (
    STYLES,
    Kept,
    find_main_pid,
    hash_event,
    name_target,
    split_template,
    write_lines,
    write_times,
)
from scenarios.telemetry.vantage import ENDED
from scenarios.vocabulary.diagnostics import Logs
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.layout import Indices
    from scenarios.world.software import Line
    from scenarios.world.state import Event

PAGE = 40
"""Lines that are shown."""
_EVICTED_BELOW = 10 * 1024 * 1024
"""kB that are left on the disk of a node below which its kubelet evicts pods: a tenth of 100 GB."""
_APART = 40
"""Milliseconds between the lines of what happened at one time, at most."""


class EventLine(NamedTuple):
    """A line about an event, at a millisecond, after so many starts of the component."""

    ms: int
    event: Event
    line: Line
    starts: int


class SampledLogs(Logs):
    """A page of lines: how many were logged in the window, how many of them were sampled, and how many of those match.

    What matches is sought in what was sampled, and the newest that match are shown. Sampling keeps more of what is rare
    and bad, so of these it is told by themselves how many there were.
    """

    logged: int = Field(ge=0)
    sampled: int = Field(ge=0)
    bad_logged: int = Field(default=0, ge=0)
    bad_sampled: int = Field(default=0, ge=0)
    contains: str = ""
    matched: int = Field(ge=0)

    @property
    def heading(self) -> str:
        window = f"{self.service} · logs · last {self.window_minutes} min to {self.as_of}"
        sampled = f"{self.sampled:,} of {self.logged:,} lines sampled"
        if self.contains:
            sampled += f" · {self.matched:,} matched {self.contains!r}"
        shown = f"{window} · {sampled} · newest {len(self.lines):,} shown"
        if not self.bad_logged:
            return shown
        return f"{shown} · warnings and errors: {self.bad_sampled:,} of {self.bad_logged:,} sampled"


def show_logs(seen: Vantage, *, contains: str = "") -> SampledLogs:
    """The newest lines of the last half hour: of those that have what is sought in them, in whatever case."""
    first = max(0, seen.ticks - WINDOW_TICKS)
    streams = list_streams(seen)
    printed, kept = count_lines(seen, streams, first)
    events = _list_event_lines(seen, first)
    each: list[int] = _count_each(kept).tolist()
    total, logged = (_add_up(_count_each(counts).tolist()) + len(events) for counts in (kept, printed))
    bad = [column for column, stream in enumerate(streams) if stream.line.level in TROUBLE]
    told_bad = len([line for line in events if line.line.level in TROUBLE])
    bad_total, bad_logged = (_add_up(_count_each(counts[:, bad]).tolist()) + told_bad for counts in (kept, printed))
    start = 0 if contains else _find_start(each, PAGE)
    lines = Kept(streams, first + start, kept[start:])
    chosen = lines.order if contains else lines.order[-PAGE:]
    texts = write_lines(seen, streams, lines, chosen)
    told = [(ms, 0, text) for ms, text in zip(lines.ms[chosen].tolist(), texts, strict=True)]
    told += [(line.ms, 1, text) for line, text in _write_events(seen, events if contains else events[-PAGE:])]
    sought = contains.casefold()
    told = [line for line in told if sought in line[2].casefold()] if sought else told
    told.sort(key=lambda line: line[:2])
    return SampledLogs(
        service=seen.component.name,
        as_of=seen.as_of,
        window_minutes=int((seen.ticks - first) // 4),
        lines=tuple(text for _, _, text in told[-PAGE:]),
        logged=logged,
        sampled=total,
        bad_logged=bad_logged,
        bad_sampled=bad_total,
        contains=contains,
        matched=len(told) if contains else total,
    )


def _count_each(counts: Indices) -> Indices:
    """Lines of each tick."""
    total = np.zeros(len(counts), dtype=np.int64)
    for column in range(counts.shape[1]):
        total = total + counts[:, column]
    return total


def _add_up(numbers: list[int]) -> int:
    total = 0
    for number in numbers:
        total += number
    return total


def _find_start(kept: list[int], enough: int) -> int:
    """The last tick from which on there are enough lines."""
    start = len(kept)
    while start > 0 and enough > 0:
        start -= 1
        enough -= kept[start]
    return start


def _list_event_lines(seen: Vantage, first: int) -> list[EventLine]:
    """The lines about what happened to the component, oldest first. Sampling keeps all of them."""
    lines: dict[str, list[Line]] = {}
    for line in sorted(seen.software.lines, key=lambda line: not line.outside):
        if line.when.startswith("event."):
            lines.setdefault(line.when.removeprefix("event."), []).append(line)
    found = []
    at, position, starts = -1.0, 0, 0
    for event in seen.list_events():
        starts += event.what == "start"
        if event.at != at:
            at, position = event.at, 0
        for line in lines.get(event.what, ()):
            if line.needs and not _has(seen, event, line.needs):
                continue
            if line.to and not _is_about(seen, line, str(event.details.get("target", ""))):
                continue
            hashed = hash_event(seen.system.seed, seen.component.name, f"{at:.0f}/{position}")
            ms = int(at * 1000.0) + position * _APART + hashed % _APART
            position += 1
            if at >= first * TICK:
                found.append(EventLine(ms, event, line, starts))
    return found


def _has(seen: Vantage, event: Event, needed: str) -> bool:
    """Whether an event has a detail; `started_again`: its process has been started by itself before.

    A container that ends for the first time is started again at once: its kubelet backs off from the second time on.
    """
    return bool(_count_again(seen, event) if needed == "started_again" else event.details.get(needed))


def _is_about(seen: Vantage, line: Line, target: str) -> bool:
    return any(component.name == target and component.software in line.to for component in seen.system.components)


def _write_events(seen: Vantage, events: list[EventLine]) -> list[tuple[EventLine, str]]:
    """Lines about events with their texts."""
    if not events:
        return []
    ms = np.array([line.ms for line in events], dtype=np.int64)
    styles = {"time": seen.software.time, **{style: style for style in STYLES}}
    times = {name: write_times(seen, ms, style) for name, style in styles.items()}
    return [
        (line, _fill(seen, line, {name: written[n] for name, written in times.items()}))
        for n, line in enumerate(events)
    ]


def _count_again(seen: Vantage, event: Event) -> int:
    """How often a process had been started by itself, up to an event of its instance."""
    own = event.details["instance"]
    started = [each for each in seen.list_events() if each.what == "start" and each.details["instance"] == own]
    return len([each for each in started if each.details["again"] and each.at <= event.at])


def _fill(seen: Vantage, told: EventLine, times: dict[str, str]) -> str:
    """The text of a line of an event: what varies is the same in all lines of one."""
    event, component = told.event, seen.component.name
    hashed = hash_event(seen.system.seed, component, f"{event.what}/{event.at:.0f}")
    details = {name: str(value) for name, value in event.details.items()}
    if "instance" in details:
        place = int(event.details["instance"]) - seen.instances[0]
        details |= {
            "instance": find_name(seen.names[place], event.at, ends=event.what in ENDED),
            "ordinal": str(place),
            "node": find_node(seen.system.seed, component, place),
            "again": str(_count_again(seen, event)),
        }
        disk = hash_event(seen.system.seed, component, f"disk/{details['node']}/{event.at:.0f}")
        details |= {"available_kb": str(_EVICTED_BELOW - 1 - disk % 900000), "used_kb": str(24 + (disk >> 20) % 90000)}
    if "target" in details:
        details |= name_target(details["target"])
    if "memory" in details:
        details["memory_kb"] = str(int(event.details["memory"]) * 1024 - hashed % 100000)
        details["virtual_kb"] = str(int(event.details["memory"]) * 1100 + hashed % 90000)
    main_pid = find_main_pid(seen, told.starts)
    details |= {
        "service": component,
        "process": seen.software.process or seen.software.name,
        "unit": seen.software.unit,
        "version": details.get("version", seen.component.releases[0].version),
        "pid": str(1200 + hashed % 30000),
        "main_pid": str(main_pid),
        "startup_pid": str(main_pid + 3),
        "id": f"{hashed >> 32:08x}",
        "epoch": str(seen.clock.get_epoch(told.ms // 1000)),
    }
    pattern, names = split_template(told.line.text, details | times)
    return pattern % tuple("-" for _ in names)
