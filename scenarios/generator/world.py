"""A world: a system of services as it is on an ordinary day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.generator.family import Kind
    from scenarios.generator.library import JourneyClass


class Call(NamedTuple):
    """A caller's calls to another node.

    `weight` is calls per request of the caller. A `hard` call has no fallback. `platform` calls fetch what changes
    seldom (names, secrets, configuration) or stand for running there; requests do not wait for them. `timeout` in ms.
    """

    caller: int
    callee: int
    weight: float = 1.0
    hard: bool = True
    platform: bool = False
    timeout: int = 1000
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """One service of a world, in the wide sense in which alerts speak of services.

    `rate` is requests per second on an ordinary day, `p50` and `p99` how long they take in ms, callees included,
    `own` the ms of its own work at p99, `errors` the share of requests that fail. `key` stands for all
    that is drawn for it when asked for.
    """

    index: int
    name: str
    kind: Kind
    about: str
    team: str
    voice: str
    replicas: int
    version: tuple[int, int, int]
    uptime_hours: int
    rate: float
    own: float
    p50: float
    p99: float
    errors: float
    key: int


@dataclass(frozen=True, slots=True)
class Journey:
    """Something users do. `entry` is the node that serves it; `door` the outermost node on its way, or the entry."""

    name: str
    kind: JourneyClass
    entry: int
    door: int
    request: str
    rate: float
    trouble: str


@dataclass(frozen=True)
class World:
    """A service graph with its numbers. Nodes are known by their index; `order` has callees before their callers."""

    archetype: str
    business: str
    users: str
    nodes: tuple[Node, ...]
    calls: tuple[tuple[Call, ...], ...]
    journeys: tuple[Journey, ...]
    order: tuple[int, ...]

    @cached_property
    def callers(self) -> tuple[tuple[Call, ...], ...]:
        """The calls into each node."""
        into: list[list[Call]] = [[] for _ in self.nodes]
        for calls in self.calls:
            for call in calls:
                into[call.callee].append(call)
        return tuple(map(tuple, into))

    @cached_property
    def requests_of(self) -> tuple[tuple[Call, ...], ...]:
        """The calls of each node that its requests wait for."""
        return tuple(tuple(call for call in calls if not call.platform) for calls in self.calls)

    @cached_property
    def requests_into(self) -> tuple[tuple[Call, ...], ...]:
        """The calls into each node that make its traffic. A worker that fetches messages from a broker brings none."""
        return tuple(
            tuple(
                call
                for call in calls
                if not call.platform
                and call.weight
                and not (self.nodes[call.caller].kind == "worker" and self.nodes[index].kind == "queue")
            )
            for index, calls in enumerate(self.callers)
        )

    @cached_property
    def hard_above(self) -> tuple[int, ...]:
        """For each node, as a bit mask, itself and all that fail with it: its callers over calls without fallback."""
        above = [1 << index for index in range(len(self.nodes))]
        for index in reversed(self.order):
            for call in self.callers[index]:
                if call.hard and not call.platform:
                    above[index] |= above[call.caller]
        return tuple(above)

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """For each node, the longest chain of calls without fallback that leads to it."""
        found = [0] * len(self.nodes)
        for index in reversed(self.order):
            for call in self.calls[index]:
                if call.hard and not call.platform:
                    found[call.callee] = max(found[call.callee], found[index] + 1)
        return tuple(found)

    @cached_property
    def index(self) -> dict[str, int]:
        """Nodes by their names."""
        return {node.name: node.index for node in self.nodes}

    def of_kinds(self, kinds: tuple[Kind, ...]) -> list[int]:
        """The nodes of some kinds."""
        return [node.index for node in self.nodes if node.kind in kinds]

    def doors_of(self, journey: Journey) -> tuple[int, ...]:
        """The doors on the way of a journey, from its entry outwards."""
        return self._doors[journey.entry, journey.door]

    @cached_property
    def _doors(self) -> dict[tuple[int, int], tuple[int, ...]]:
        return {(one.entry, one.door): tuple(self._way(one)) for one in self.journeys}

    def _way(self, journey: Journey) -> Iterator[int]:
        at = journey.entry
        while at != journey.door:
            at = next(
                call.caller
                for call in self.callers[at]
                if not call.platform and self.nodes[call.caller].kind in {"gateway", "edge", "cdn"}
            )
            yield at

    def platform_holders(self, index: int, kinds: tuple[Kind, ...]) -> list[int]:
        """The nodes of some kinds that hold what a platform node hands out, or run on it."""
        return [call.caller for call in self.callers[index] if call.platform and self.nodes[call.caller].kind in kinds]
