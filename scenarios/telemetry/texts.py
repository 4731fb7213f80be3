"""Texts of lines: a line's template is filled from its stream, its tick and its hash, and from nothing else."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np

from scenarios.telemetry import checkpoints
from scenarios.telemetry.instances import find_name
from scenarios.world.chance import draw_uniform, hash_names, mix
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from scenarios.telemetry.streams import Stream
    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.layout import Floats, Indices
    from scenarios.world.system import Component, Route

STYLES = ("iso", "syslog", "spaced", "nginx")
"""Fields that are the time of a line in a style other than that of its software."""
VARYING = frozenset(
    {
        "time",
        *STYLES,
        "id",
        "uuid",
        "ms",
        "less_ms",
        "over_ms",
        "n",
        "quick_ms",
        "less_quick_ms",
        "nn",
        "pid",
        "port",
        "instance",
        "own_ip",
        "bytes",
        "received",
        *checkpoints.FIELDS,
    }
)
"""Fields that differ from line to line.

`quick_ms` is how long a refusal takes, `less_ms` one less than `ms`, `over_ms` a few more than the deadline.
"""
FIXED = frozenset(
    {
        "service",
        "route",
        "path",
        "method",
        "sql",
        "lock",
        "relation",
        "client_ms",
        "upstream",
        "checkpointer_pid",
        "main_pid",
    }
)
"""Fields that a stream has, or an event."""
OF_CALLER = frozenset({"client_ip"})
"""Fields that a stream about a call of somebody else has beside them."""
OF_CALL = frozenset(
    {
        "target",
        "Target",
        "target_ip",
        "target_address",
        "target_route",
        "target_path",
        "target_method",
        "target_Method",
        "deadline_ms",
        "deadline_s",
        "deadline_exact",
        "pool",
    }
)
"""Fields that a stream about a call has beside them."""

_ID, _MORE, _LATE = np.uint64(0x1D), np.uint64(0x2E), np.uint64(0x3F)
_SOONER = 0.06
"""By which part of its deadline an answer that came at the last moment was in time, at most."""
_SPAN = int(TICK * 1000.0)


class Kept:
    """Lines that sampling has kept: of which stream, in which tick, with which hash, and at which millisecond."""

    def __init__(self, streams: list[Stream], first: int, kept: Indices) -> None:
        ticks, columns = np.nonzero(kept)
        numbers = kept[ticks, columns]
        places = [np.arange(number, dtype=np.uint64) for number in numbers.tolist()]
        place = np.concatenate(places) if places else np.zeros(0, dtype=np.uint64)
        keys = np.array([stream.key for stream in streams], dtype=np.uint64)
        self.column = np.repeat(columns, numbers)
        self.tick = np.repeat(ticks + first, numbers)
        self.hash = mix(keys[self.column] ^ mix((self.tick.astype(np.uint64) << np.uint64(20)) | place))
        self.ms = self.tick * _SPAN + (self.hash >> np.uint64(24)).astype(np.int64) % _SPAN
        self.order = np.lexsort((place, self.column, self.ms))
        """The places of lines, oldest first."""


def write_lines(seen: Vantage, streams: list[Stream], lines: Kept, chosen: Indices) -> list[str]:
    """The texts of chosen lines, in the order in which they are chosen."""
    texts = [""] * len(chosen)
    columns = lines.column[chosen]
    for column in sorted(set(columns.tolist())):
        places = np.nonzero(columns == column)[0]
        some = chosen[places]
        written = _write_stream(seen, streams[column], lines.tick[some], lines.hash[some], lines.ms[some])
        for place, text in zip(places.tolist(), written, strict=True):
            texts[place] = text
    return texts


def _write_stream(
    seen: Vantage, stream: Stream, ticks: Indices, hashes: NDArray[np.uint64], ms: Indices
) -> Sequence[str]:
    pattern, names = split_template(stream.line.text, _fix(seen, stream))
    makers = _list_makers(seen, stream, ticks, hashes, ms)
    made: dict[str, Sequence[object]] = {}
    for name in names:
        if name not in made:
            made[name] = makers[name]()
    if not names:
        return [pattern % ()] * len(ticks)
    return [pattern % row for row in zip(*(made[name] for name in names), strict=True)]


def _list_makers(
    seen: Vantage, stream: Stream, ticks: Indices, hashes: NDArray[np.uint64], ms: Indices
) -> dict[str, Callable[[], Sequence[object]]]:
    """What makes the values of each field that varies."""
    call, caller = stream.call, stream.caller
    choose = cache(lambda: _choose_places(seen, ms, hashes))
    deadline = 0 if call is None else int(call.deadline * 1000.0)
    read = _find_route(seen, stream).method == "GET"

    def draw(least: int, count: int, bits: int) -> list[int]:
        drawn: list[int] = ((hashes >> np.uint64(bits)) % np.uint64(count) + np.uint64(least)).tolist()
        return drawn

    late: list[Floats] = []
    numbers: dict[str, Sequence[object]] = {}

    def write_number(name: str) -> Sequence[object]:
        if not numbers:
            numbers.update(checkpoints.list_numbers(hashes))
        return numbers[name]

    def write_latencies(less: float) -> list[int]:
        if not late:
            late.append(_draw_latencies(seen, stream, ticks, hashes))
        whole: list[int] = np.floor(np.maximum(late[0] - less, 0.0) + 0.5).astype(np.int64).tolist()
        return whole

    return {
        "time": lambda: write_times(seen, ms, seen.software.time),
        "iso": lambda: write_times(seen, ms, "iso"),
        "syslog": lambda: write_times(seen, ms, "syslog"),
        "spaced": lambda: write_times(seen, ms, "spaced"),
        "nginx": lambda: write_times(seen, ms, "nginx"),
        "id": lambda: _join_rows(_write_hex(mix(hashes ^ _ID), 8)),
        "uuid": lambda: _write_uuids(hashes),
        "ms": lambda: write_latencies(0.0),
        "less_ms": lambda: write_latencies(1.0),
        "over_ms": lambda: draw(deadline + 1, 4, 5),
        "n": lambda: draw(1, 40, 7),
        "quick_ms": lambda: draw(1, 9, 23),
        "less_quick_ms": lambda: draw(0, 9, 23),
        "nn": lambda: draw(10, 90, 19),
        "pid": lambda: draw(1200, 30000, 9),
        "port": lambda: draw(32768, 28000, 11),
        "bytes": lambda: draw(180, 2400, 13),
        "received": lambda: [0] * len(hashes) if read else draw(96, 140, 15),
        "instance": lambda: [
            find_name(seen.names[n], at / 1000.0) for n, at in zip(choose(), ms.tolist(), strict=True)
        ],
        "own_ip": lambda: [find_instance_address(seen.component, place) for place in choose()],
        "target_address": lambda: _choose_addresses(seen, None if call is None else call.target, hashes),
        "client_ip": lambda: _choose_addresses(seen, None if caller is None else caller.source, hashes),
        **{name: partial(write_number, name) for name in checkpoints.FIELDS},
    }


def _choose_places(seen: Vantage, ms: Indices, hashes: NDArray[np.uint64]) -> list[int]:
    """The place of an instance for each line: one that was up, if there was any, else one that always should be."""
    count = len(seen.instances)
    first = ((hashes >> np.uint64(17)) % np.uint64(seen.component.instances)).astype(np.int64)
    up = np.stack([seen.find_up(place, ms) for place in range(count)], axis=1)
    chosen, rows, found = first, np.arange(len(ms)), np.zeros(len(ms), dtype=np.bool_)
    for turn in range(count):
        place = (first + turn) % count
        takes = up[rows, place] & ~found
        chosen = np.where(takes, place, chosen)
        found = found | takes
    places: list[int] = chosen.tolist()
    return places


def _choose_addresses(seen: Vantage, component: int | None, hashes: NDArray[np.uint64]) -> list[str]:
    """The address of an instance of a component for each line."""
    other = seen.component if component is None else seen.layout.components[component]
    addresses = [find_instance_address(other, place) for place in range(other.instances)]
    places: list[int] = ((hashes >> np.uint64(29)) % np.uint64(other.instances)).astype(np.int64).tolist()
    return [addresses[place] for place in places]


_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def _write_hex(numbers: NDArray[np.uint64], digits: int) -> NDArray[np.uint8]:
    """The last digits of numbers, as letters: a row for each."""
    shifts = np.arange(4 * (digits - 1), -1, -4).astype(np.uint64)
    return np.asarray(_HEX[((numbers[:, None] >> shifts[None, :]) & np.uint64(15)).astype(np.int64)])


def _join_rows(cells: NDArray[np.uint8]) -> list[str]:
    text, width = cells.tobytes().decode("ascii"), cells.shape[1]
    return [text[start : start + width] for start in range(0, len(text), width)]


def _write_uuids(hashes: NDArray[np.uint64]) -> list[str]:
    """Identifiers of requests as version 4 has them."""
    first, second = _write_hex(mix(hashes ^ _ID), 16), _write_hex(mix(hashes ^ _MORE), 16)
    cells = np.full((len(hashes), 36), ord("-"), dtype=np.uint8)
    cells[:, 0:8], cells[:, 9:13], cells[:, 15:18] = first[:, 0:8], first[:, 8:12], first[:, 13:16]
    cells[:, 14], cells[:, 19] = ord("4"), _HEX[8 + (hashes & np.uint64(3)).astype(np.int64)]
    cells[:, 20:23], cells[:, 24:36] = second[:, 0:3], second[:, 4:16]
    return _join_rows(cells)


def split_template(text: str, fixed: Mapping[str, str]) -> tuple[str, list[str]]:
    """A template as a pattern for `%`, with what is fixed filled in, and the names of what is left."""
    pattern, names = "", []
    for literal, name, _, _ in Formatter().parse(text):
        pattern += literal.replace("%", "%%")
        if name is None:
            continue
        if name in fixed:
            pattern += fixed[name].replace("%", "%%")
        else:
            pattern += "%s"
            names.append(name)
    return pattern, names


def _find_route(seen: Vantage, stream: Stream) -> Route:
    return seen.component.routes[stream.route - seen.routes[0]]


def _fix(seen: Vantage, stream: Stream) -> dict[str, str]:
    route = _find_route(seen, stream)
    upstream = [call.target_name for call in seen.outgoing if call.source_route == stream.route]
    fixed = {
        "service": seen.component.name,
        "route": route.name.replace("-", ""),
        "path": get_path(route),
        "method": route.method,
        "sql": _write_statement(route),
        "lock": "RowExclusiveLock" if route.writes > 0.0 else "AccessShareLock",
        "relation": str(16400 + 6 * (stream.route - seen.routes[0])),
        "client_ms": f"{_find_patience(seen, stream.route) * 1000.0:.0f}",
        "upstream": upstream[0] if upstream else "-",
        "checkpointer_pid": str(find_main_pid(seen, 0) + 2),
    }
    call = stream.call
    if call is not None:
        of_target = seen.layout.components[call.target]
        first = int(np.searchsorted(seen.layout.route_component, call.target))
        target = of_target.routes[call.target_route - first]
        fixed |= name_target(call.target_name)
        fixed |= {
            "target_route": target.name.replace("-", ""),
            "target_path": get_path(target),
            "target_method": target.method,
            "target_Method": target.method.capitalize(),
            "deadline_ms": f"{call.deadline * 1000.0:.0f}",
            "deadline_s": f"{call.deadline:g}",
            "deadline_exact": f"{call.deadline:.2f}",
            "pool": f"{seen.get_pool(call):.0f}",
        }
    return fixed


def _find_patience(seen: Vantage, route: int) -> float:
    """For how many seconds clients of a route wait for an answer: those that wait for the shortest time."""
    entry = seen.layout.route_names[route]
    waits = [call.deadline for call in seen.incoming if call.target_route == route]
    waits += [journey.deadline for journey in seen.system.journeys if journey.entry == entry]
    return min(waits, default=seen.component.get("patience"))


def _write_statement(route: Route) -> str:
    """A statement that a route of a database runs, up to the number that it asks for."""
    table = route.name.replace("-", "")
    change = "UPDATE {} SET updated_at = now()" if route.writes > 0.0 else "SELECT * FROM {}"
    return f"{change.format(table)} WHERE id"


def get_path(route: Route) -> str:
    """Where a route is reached over HTTP."""
    return route.path or f"/v1/{route.name}"


@lru_cache(maxsize=4096)
def find_address(name: str) -> str:
    """The address of a component inside its network, which follows from its name."""
    key = int(hash_names(0, [name], "address")[0])
    return f"10.20.{key % 12}.{10 + (key >> 8) % 240}"


def find_instance_address(component: Component, place: int) -> str:
    """The address of an instance, by its place in its component; one that stands alone has that of the component."""
    if component.most == 1:
        return find_address(component.name)
    return _find_pod_address(component.name, place)


@lru_cache(maxsize=4096)
def _find_pod_address(name: str, place: int) -> str:
    key = int(hash_names(0, [f"{name}/{place}"], "address")[0])
    return f"10.{40 + key % 16}.{(key >> 8) % 256}.{2 + (key >> 16) % 250}"


def find_main_pid(seen: Vantage, starts: int) -> int:
    """The number of the main process, after it was started some times in the run."""
    return 1200 + hash_event(seen.system.seed, seen.component.name, f"main/{starts}") % 30000


@lru_cache(maxsize=4096)
def hash_event(seed: int, component: str, event: str) -> int:
    """What all lines about an event have in common, as a number."""
    return int(hash_names(seed, [component], event)[0])


def name_target(target: str) -> dict[str, str]:
    """A callee as it is called, as a class would be, and where it is."""
    words = target.removesuffix("-service").replace("_", "-").split("-")
    return {"target": target, "Target": "".join(word.capitalize() for word in words), "target_ip": find_address(target)}


def write_times(seen: Vantage, ms: Indices, style: str) -> list[str]:
    """The times of lines in a style."""
    time_of_day, days = seen.clock.get_time_of_day_ms(ms)
    seconds = time_of_day // 1000
    parts = np.stack([seconds // 3600, seconds // 60 % 60, seconds % 60], axis=1)
    cells = np.full((len(ms), 12), ord("."), dtype=np.uint8)
    cells[:, 0:8:3], cells[:, 1:8:3] = ord("0") + parts // 10, ord("0") + parts % 10
    cells[:, 2:6:3] = ord(":")
    rest = time_of_day % 1000
    for place, unit in ((9, 100), (10, 10), (11, 1)):
        cells[:, place] = ord("0") + rest // unit % 10
    text = cells.tobytes().decode("ascii")
    frames = {day: seen.clock.frame_day(day, style) for day in sorted(set(days.tolist()))}
    width = 8 if style in ("syslog", "nginx") else 12
    return [f"{frames[day][0]}{text[12 * n : 12 * n + width]}{frames[day][1]}" for n, day in enumerate(days.tolist())]


def _draw_latencies(seen: Vantage, stream: Stream, ticks: Indices, hashes: NDArray[np.uint64]) -> Floats:
    """Milliseconds from the quantiles of the tick: of the callee and the way to it, or of the own route."""
    call = stream.call
    route = stream.route if call is None else call.target_route
    first = int(ticks.min())
    p50, p90, p99 = (seen.get(name, first)[ticks - first, route] for name in ("p50", "p90", "p99"))
    u = draw_uniform(hashes ^ _LATE)
    value = np.where(
        u < 0.5,
        p50 * (0.5 + u),
        np.where(
            u < 0.9,
            p50 + (p90 - p50) * (u - 0.5) / 0.4,
            np.where(u < 0.99, p90 + (p99 - p90) * (u - 0.9) / 0.09, p99 * (1.0 + (u - 0.99) / 0.01)),
        ),
    )
    if call is not None:
        way = seen.get("delay", first)[ticks - first, call.place]
        value = np.minimum(value + way, call.deadline)
    elif any(line.when == "gone" for line in seen.software.lines):
        # A proxy gives up what takes longer than that, and has passed on what it answers well sooner.
        most = max((other.deadline for other in seen.outgoing if other.source_route == route), default=np.inf)
        value = np.where(value < most, value, most * (1.0 - _SOONER * draw_uniform(hashes ^ _MORE)))
    return np.asarray(1000.0 * value)
