"""query_logs: the newest lines of a component in a window that sampling has kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from scenarios.telemetry.streams import WINDOW_TICKS, count_lines, list_streams
from scenarios.telemetry.texts import (
    STYLES,
    Kept,
    find_main_pid,
    name_target,
    split_template,
    write_lines,
    write_time,
)
from scenarios.vocabulary.diagnostics import Logs
from scenarios.world.chance import hash_names, mix

if TYPE_CHECKING:
    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.layout import Indices
    from scenarios.world.software import Line
    from scenarios.world.state import Event

PAGE = 40
"""Lines that are shown."""
_APART = 40
"""Milliseconds between the lines of what happened at one time, at most."""


class SampledLogs(Logs):
    """A page of lines, with how many were printed in the window, how many sampling has kept, and what was asked for."""

    printed: int = Field(ge=0)
    kept: int = Field(ge=0)
    contains: str = ""
    found: int = Field(ge=0)

    @property
    def heading(self) -> str:
        asked = f" · {self.found:,} of them contain {self.contains!r}" if self.contains else ""
        return (
            f"{self.service} · logs · last {self.window_minutes} min to {self.as_of} · {self.printed:,} printed, "
            f"{self.kept:,} kept{asked} · newest {len(self.lines)} shown"
        )


def show_logs(seen: Vantage, *, contains: str = "") -> SampledLogs:
    """The newest lines of the last half hour; with `contains`, of those that have it in them."""
    first = max(0, seen.ticks - WINDOW_TICKS)
    streams = list_streams(seen)
    printed, kept = count_lines(seen, streams, first)
    told = _tell_events(seen, first)
    kept_of_tick = [int(value) for value in _count_each(kept)]
    of_events = len(told)
    total = _add_up(kept_of_tick) + of_events
    start = 0 if contains else _find_start(kept_of_tick, PAGE)
    lines = Kept(streams, first + start, kept[start:])
    chosen = lines.order if contains else lines.order[-PAGE:]
    texts = write_lines(seen, streams, lines, chosen)
    pairs = [(ms, 0, text) for ms, text in zip(lines.ms[chosen].tolist(), texts, strict=True)]
    pairs += [(ms, 1, text) for ms, text in told]
    pairs.sort(key=lambda pair: pair[:2])
    if contains:
        pairs = [pair for pair in pairs if contains in pair[2]]
    return SampledLogs(
        service=seen.component.name,
        as_of=seen.as_of,
        window_minutes=int((seen.ticks - first) // 4),
        lines=tuple(text for _, _, text in pairs[-PAGE:]),
        printed=_add_up([int(value) for value in _count_each(printed)]) + of_events,
        kept=total,
        contains=contains,
        found=len(pairs) if contains else total,
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


def _tell_events(seen: Vantage, first: int) -> list[tuple[int, str]]:
    """The lines about what happened to the component, each with its millisecond. Sampling keeps all of them."""
    lines: dict[str, list[Line]] = {}
    for line in seen.software.lines:
        if line.when.startswith("event."):
            lines.setdefault(line.when.removeprefix("event."), []).append(line)
    told = []
    at, position = -1.0, 0
    key = hash_names(seen.system.seed, [seen.component.name], "events")[0]
    starts = 0
    for event in seen.list_events():
        starts += event.what == "start"
        if event.at != at:
            at, position = event.at, 0
        for line in lines.get(event.what, ()):
            if line.to and not _is_about(seen, line, str(event.details.get("target", ""))):
                continue
            place = np.array([int(event.at) * 1000 + position], dtype=np.uint64)
            hashed = int(mix(key ^ mix(place))[0])
            ms = int(event.at) * 1000 + position * _APART + hashed % _APART
            position += 1
            if ms >= first * 15000:
                told.append((ms, _fill(seen, event, line, ms, starts)))
    return told


def _is_about(seen: Vantage, line: Line, target: str) -> bool:
    return any(component.name == target and component.software in line.to for component in seen.system.components)


def _fill(seen: Vantage, event: Event, line: Line, ms: int, starts: int) -> str:
    """The text of a line of an event: what varies is the same in all lines of one."""
    hashed = int(hash_names(seen.system.seed, [seen.component.name], f"{event.what}/{event.at:.0f}")[0])
    details = {name: str(value) for name, value in event.details.items()}
    if "instance" in details:
        place = int(event.details["instance"]) - seen.instances[0]
        details["instance"] = f"{seen.component.name}-{place}"
    if "target" in details:
        details |= name_target(details["target"])
    if "memory" in details:
        details["memory_kb"] = str(int(event.details["memory"]) * 1024 - hashed % 100000)
    details |= {
        "service": seen.component.name,
        "version": details.get("version", seen.component.releases[0].version),
        "pid": str(1200 + hashed % 30000),
        "main_pid": find_main_pid(seen, starts),
        "startup_pid": str(int(find_main_pid(seen, starts)) + 3),
        "id": f"{hashed >> 32:08x}",
        "epoch": str(seen.clock.get_epoch(ms // 1000)),
        "time": write_time(seen, ms, seen.software.time, {}),
    }
    for style in STYLES:
        details[style] = write_time(seen, ms, style, {})
    pattern, names = split_template(line.text, details)
    return pattern % tuple("-" for _ in names)
