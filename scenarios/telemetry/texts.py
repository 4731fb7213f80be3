"""Texts of lines: a line's template is filled from its stream, its tick and its hash, and from nothing else."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_uniform, hash_names, mix
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from scenarios.telemetry.streams import Stream
    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.layout import Floats, Indices
    from scenarios.world.system import Route

STYLES = ("syslog", "spaced")
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
        "nn",
        "pid",
        "port",
        "instance",
        "bytes",
        "received",
    }
)
"""Fields that differ from line to line. `less_ms` is one less than `ms`, `over_ms` a few more than the deadline."""
FIXED = frozenset({"service", "own_ip", "route", "path", "method", "upstream", "main_pid"})
"""Fields that a stream has."""
OF_CALL = frozenset(
    {
        "target",
        "Target",
        "target_ip",
        "target_path",
        "target_method",
        "target_Method",
        "deadline_ms",
        "deadline_s",
        "pool",
    }
)
"""Fields that a stream about a call has beside them."""

_ID, _MORE, _LATE = np.uint64(0x1D), np.uint64(0x2E), np.uint64(0x3F)
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
    seconds: dict[int, tuple[str, str]] = {}
    for column in sorted(set(columns.tolist())):
        places = np.nonzero(columns == column)[0]
        some = chosen[places]
        written = _write_stream(seen, streams[column], lines.tick[some], lines.hash[some], lines.ms[some], seconds)
        for place, text in zip(places.tolist(), written, strict=True):
            texts[place] = text
    return texts


def _write_stream(
    seen: Vantage,
    stream: Stream,
    ticks: Indices,
    hashes: NDArray[np.uint64],
    ms: Indices,
    seconds: dict[int, tuple[str, str]],
) -> Iterable[str]:
    pattern, names = split_template(stream.line.text, _fix(seen, stream))
    makers = _list_makers(seen, stream, ticks, hashes, ms, seconds)
    filled = [makers[name]() for name in names]
    return [pattern % row for row in zip(*filled, strict=True)] if filled else [pattern % ()] * len(ticks)


def _list_makers(
    seen: Vantage,
    stream: Stream,
    ticks: Indices,
    hashes: NDArray[np.uint64],
    ms: Indices,
    seconds: dict[int, tuple[str, str]],
) -> dict[str, Callable[[], list[str]]]:
    """What makes the texts of each field that varies."""
    call = stream.call
    deadline = 0 if call is None else int(call.deadline * 1000.0)
    received = "0" if _find_route(seen, stream).method == "GET" else ""

    def draw(least: int, count: int, bits: int) -> list[str]:
        drawn = (hashes >> np.uint64(bits)) % np.uint64(count)
        return [str(least + value) for value in drawn.tolist()]

    def write_latencies(less: float) -> list[str]:
        late = _draw_latencies(seen, stream, ticks, hashes)
        return [f"{max(0.0, value - less):.0f}" for value in late.tolist()]

    return {
        "time": lambda: _write_times(seen, ms, seen.software.time, seconds),
        "syslog": lambda: _write_times(seen, ms, "syslog", {}),
        "spaced": lambda: _write_times(seen, ms, "spaced", {}),
        "id": lambda: [f"{value:08x}" for value in (mix(hashes ^ _ID) >> np.uint64(32)).tolist()],
        "uuid": lambda: _write_uuids(hashes),
        "ms": lambda: write_latencies(0.0),
        "less_ms": lambda: write_latencies(1.0),
        "over_ms": lambda: draw(deadline + 1, 4, 5),
        "n": lambda: draw(1, 40, 7),
        "nn": lambda: draw(10, 90, 19),
        "pid": lambda: draw(1200, 30000, 9),
        "port": lambda: draw(32768, 28000, 11),
        "bytes": lambda: draw(180, 2400, 13),
        "received": lambda: [received or value for value in draw(96, 140, 15)],
        "instance": lambda: [f"{seen.component.name}-{value}" for value in draw(0, seen.component.instances, 17)],
    }


def _write_uuids(hashes: NDArray[np.uint64]) -> list[str]:
    """Identifiers of requests as version 4 has them."""
    first, second = mix(hashes ^ _ID).tolist(), mix(hashes ^ _MORE).tolist()
    return [
        f"{a >> 32:08x}-{(a >> 16) & 0xFFFF:04x}-4{a & 0xFFF:03x}-"
        f"{8 + (b >> 62):x}{(b >> 48) & 0xFFF:03x}-{b & 0xFFFFFFFFFFFF:012x}"
        for a, b in zip(first, second, strict=True)
    ]


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
        "own_ip": find_address(seen.component.name),
        "route": route.name.replace("-", ""),
        "path": get_path(route),
        "method": route.method,
        "upstream": upstream[0] if upstream else "-",
        "main_pid": find_main_pid(seen, 0),
    }
    call = stream.call
    if call is not None:
        of_target = seen.layout.components[call.target]
        first = int(np.searchsorted(seen.layout.route_component, call.target))
        target = of_target.routes[call.target_route - first]
        fixed |= name_target(call.target_name)
        fixed |= {
            "target_path": get_path(target),
            "target_method": target.method,
            "target_Method": target.method.capitalize(),
            "deadline_ms": f"{call.deadline * 1000.0:.0f}",
            "deadline_s": f"{call.deadline:g}",
            "pool": f"{seen.get_pool(call):.0f}",
        }
    return fixed


def get_path(route: Route) -> str:
    """Where a route is reached over HTTP."""
    return route.path or f"/v1/{route.name}"


def find_address(name: str) -> str:
    """The address of a component inside its network, which follows from its name."""
    key = int(hash_names(0, [name], "address")[0])
    return f"10.20.{key % 12}.{10 + (key >> 8) % 240}"


def find_main_pid(seen: Vantage, starts: int) -> str:
    """The number of the main process, after it was started some times in the run."""
    return str(1200 + int(hash_names(seen.system.seed, [seen.component.name], f"main{starts}")[0]) % 30000)


def name_target(target: str) -> dict[str, str]:
    """A callee as it is called, as a class would be, and where it is."""
    words = target.removesuffix("-service").replace("_", "-").split("-")
    return {"target": target, "Target": "".join(word.capitalize() for word in words), "target_ip": find_address(target)}


def _write_times(seen: Vantage, ms: Indices, style: str, seconds: dict[int, tuple[str, str]]) -> list[str]:
    return [write_time(seen, value, style, seconds) for value in ms.tolist()]


def write_time(seen: Vantage, ms: int, style: str, seconds: dict[int, tuple[str, str]]) -> str:
    """The time of a line in a style; `seconds` keeps what was written of each second in it."""
    second, rest = divmod(ms, 1000)
    parts = seconds.get(second)
    if parts is None:
        parts = seconds[second] = seen.clock.write_second(second, style)
    before, after = parts
    return f"{before}{rest:03}{after.rstrip()}" if after else before


def _draw_latencies(seen: Vantage, stream: Stream, ticks: Indices, hashes: NDArray[np.uint64]) -> Floats:
    """Milliseconds from the quantiles of the tick: of the callee up to the deadline, or of the own route."""
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
        value = np.minimum(value, call.deadline)
    return np.asarray(1000.0 * value)
