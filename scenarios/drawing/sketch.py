"""A system while it is drawn: what is known of components, routes and calls before their numbers are fitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from scenarios.drawing.data import RoleName
    from scenarios.world import Group, Job, Link, Topic

Method = Literal["GET", "POST", "PUT", "DELETE"]
Tail = Literal["short", "even", "usual", "wide", "long"]


@dataclass(slots=True)
class RouteSketch:
    """A route: seconds of own work and of computing, and how often it is asked for in a second."""

    name: str
    method: Method = "GET"
    path: str = ""
    tail: Tail = "usual"
    work: float = 0.0
    cpu: float = 0.0
    errors: float = 0.0
    writes: float = 0.0
    rate: float = 0.0
    latency: tuple[float, ...] = ()
    """At the knots of the simulator, in seconds."""
    holding: float = 0.0
    """The mean of it without waiting for a slot."""
    patient: float = 0.0
    """The p99 if every optional call runs into its deadline."""


@dataclass(slots=True)
class PartSketch:
    """A component with what it is in the system. `load` is the share of its capacity that it is to use."""

    name: str
    role: RoleName
    software: str
    about: str
    team: str
    version: str
    load: float
    instances: int = 1
    spare: int | None = None
    zones: tuple[str, ...] = ()
    routes: dict[str, RouteSketch] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)


@dataclass(slots=True)
class CallSketch:
    """A call between two routes, each as `component/route`."""

    source: str
    target: str
    weight: float = 1.0
    optional: bool = False
    on_miss: str | None = None
    attempts: int = 1
    deadline: float = 0.0
    pool: float = 0.0


@dataclass(slots=True)
class JourneySketch:
    """What users do, and the route where they enter."""

    name: str
    entry: str
    demand: float
    worth: float
    deadline: float = 0.0
    retries: float = 0.0
    awaits: str | None = None
    within: float = 60.0
    is_check: bool = False
    """Nobody's: a probe that a rule watches."""


@dataclass(slots=True)
class Sketch:
    """Everything that is drawn of a system before its numbers are fitted."""

    business: str
    parts: dict[str, PartSketch] = field(default_factory=dict)
    calls: list[CallSketch] = field(default_factory=list)
    journeys: list[JourneySketch] = field(default_factory=list)
    topics: list[Topic] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    zones: tuple[str, ...] = ("zone-a",)
    links: list[Link] = field(default_factory=list)
    resolver: str | None = None

    def get_route(self, end: str) -> RouteSketch:
        """A route by its name as `component/route`."""
        part, _, route = end.partition("/")
        return self.parts[part].routes[route]


def add(values: list[float]) -> float:
    """The sum of some numbers, in their order: the built-in one rounds otherwise from one Python to the next."""
    total = 0.0
    for value in values:
        total += value
    return total


def trim(value: float) -> float:
    """A number with three digits that count."""
    return float(f"{value:.3g}")
