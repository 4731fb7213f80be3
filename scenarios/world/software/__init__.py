"""Software that exists, as data: parameters, limits, and the lines that it prints in which state. One file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from scenarios.shipped import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETERS = (
    "slots",  # requests that an instance works on at once
    "queue",  # requests that may wait for an instance
    "patience",  # seconds that a request may wait
    "cores",  # processors of an instance
    "memory",  # MB that an instance may use before the kernel kills it
    "base_memory",  # MB of an instance that does nothing
    "request_memory",  # MB of a request that is worked on
    "connection_memory",  # MB of a connection that is open
    "start_seconds",  # from the start of a process until it takes requests
    "recovery_seconds",  # what a start takes longer after a crash
    "warm_seconds",  # the time constant with which a process gets as fast as it can be
    "automatic_starts",  # how often a process that died is started again by itself
    "connections",  # connections that are accepted; 0 if there is no limit
    "checks_connections",  # 1 if its pools notice that a connection is dead and open another
)
OPTIONAL = {
    "health_checks": 0.0,  # 1 if it asks the instances that it calls whether they are there, and leaves out others
    "hit_ratio": 0.0,  # share of look-ups that a warm cache finds; 0 if it is no cache
    "fill_seconds": 120.0,  # the time constant with which an empty cache fills
    "entry_seconds": 600.0,  # how long an entry of a cache lasts
    "disk": 0.0,  # MB of the volume of an instance; 0 if it has none that counts
    "disk_data": 0.0,  # MB of data on it at the start
    "disk_waste": 0.0,  # MB at the start of what nobody needs
    "disk_rate": 0.0,  # MB a second of logs and the like, which may be thrown away
    "write_disk": 0.0,  # MB of data that a request leaves which writes
    "stops_when_full": 0.0,  # 1 if it ends when its disk is full, 0 if it refuses writes
    "address_seconds": 30.0,  # how long it keeps the address that a name has
    "restart_seconds": 5.0,  # from the death of a process until it is started again by itself, the first time
    "restart_factor": 1.0,  # how much longer that is each time
    "restart_most": 300.0,  # but at most so many seconds
    "stray_errors": 0.0,  # share of requests that are answered with an error when all is well
    "stray_timeouts": 0.0,  # share of calls to others that are lost when all is well
    "memory_swing": 0.0,  # by which part of `base_memory` an instance's memory goes up and down
    "collects": 0.0,  # 1 if it collects garbage, and gets slow when its memory is nearly full
    "persists": 0.0,  # 1 if a cache still has its entries after a restart
}
"""Parameters that a software may leave out, with what is taken then."""


QUANTITIES = (
    "instances",  # that take requests, and each of the next five is of them together or on average
    "up",  # 1 if any takes requests
    "memory",  # MB of each
    "processors",  # seconds that are computed in a second
    "connections",  # that are open to callers
    "queue",  # requests that wait
    "link_loss",  # the share of packets that the worst link of a router loses
    "link_latency",  # seconds that its slowest link takes
    "unanswered",  # the share of questions that a resolver does not answer
    "starts",  # automatic starts in a minute
    "kills",  # of processes that used more memory than they may, in a minute
    "arrived",  # requests a second; by route
    "good",  # answered well, a second; by route
    "bad",  # not answered well, a second; by route
    "asked",  # that came, those among them that were not let in; a second; by route
    "rejected",  # that were not let in, for whatever reason, a second; by route
    "barred",  # that a rule kept out, a second; by route
    "turned_away",  # connections a second that were not accepted
    "mean",  # latencies in seconds; by route
    "p50",
    "p90",
    "p99",
    "sent",  # attempts a second; by call
    "failed",  # failed attempts a second, of the `reasons` if there are any; by call
    "call_p99",  # seconds; by call
    "in_use",  # connections of the pool; by call
)
"""What a metric may show, in the units that stand there."""


class Metric(BaseModel):
    """A metric under the name that the software, or the usual exporter for it, gives it. `name` may have {…}.

    It `shows` a quantity, `times` a factor that brings it to the `unit`. One by call is there for each callee whose
    software is in `to`, if that is said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    unit: str
    shows: str
    times: float = 1.0
    reasons: tuple[str, ...] = ()
    to: tuple[str, ...] = ()


class Line(BaseModel):
    """A line that is printed for each of what is counted as `when`. `text` has {…} for what varies.

    One about calls is for callees whose software is in `to`, if that is said; it goes before those where it is not. One
    about a `caller.` is printed by the callee, and `to` is the software of who calls.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: str
    every: float = 0.0
    """Seconds between lines that are printed as long as it is `running`."""
    to: tuple[str, ...] = ()
    needs: str = ""
    """A detail of the event; without it, or where it is 0, the line is not printed."""
    outside: bool = False
    """Whether not the software prints it but who keeps it running: of one event that comes first."""
    level: Literal["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
    text: str


class Software(BaseModel):
    """A software: what it is called, which kernel ticks it, its parameters and its lines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    kernel: Literal["server", "store", "broker", "path", "resolver"]
    parameters: dict[str, float]
    lines: tuple[Line, ...]
    metrics: tuple[Metric, ...] = ()
    failures: dict[str, str] = {}
    """What it says of a failed call, by reason."""
    time: Literal["iso", "spaced", "redis", "syslog"] = "iso"
    """How it writes the time of a line."""
    runs_on: Literal["kubernetes", "hosts", "device", "elsewhere"] = "kubernetes"
    """Who keeps its processes running: a Deployment, systemd, a device of its own, or somebody whom we do not see."""
    process: str = ""
    """What the kernel calls its process; its name, if that is not said."""
    unit: str = ""
    """What systemd calls it."""

    @field_validator("lines", mode="before")
    @classmethod
    def _part_lines(cls, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A line that is printed for several reasons is written once in a file, and is one line for each here."""
        each = [(line, line["when"]) for line in lines]
        return [{**line, "when": when} for line, told in each for when in ([told] if isinstance(told, str) else told)]


def _load_orchestrator(name: str) -> tuple[Line, ...]:
    """What who keeps processes running prints about them."""
    path = Path(__file__).parent / "orchestrators" / f"{name}.yaml"
    lines = read_yaml(path) if path.exists() else []
    return tuple(Line.model_validate({**line, "outside": True}) for line in lines)


def _load() -> dict[str, Software]:
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        software = Software.model_validate(read_yaml(path))
        lines = (*software.lines, *_load_orchestrator(software.runs_on))
        given = set(software.parameters) - set(OPTIONAL)
        if software.name != path.stem or given != set(PARAMETERS):
            raise ValueError(f"{path}: named and complete are {path.stem} and {', '.join(PARAMETERS)}")
        found[software.name] = software.model_copy(
            update={"parameters": {**OPTIONAL, **software.parameters}, "lines": lines}
        )
    return found


SOFTWARE: Mapping[str, Software] = _load()
