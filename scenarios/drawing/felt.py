"""Who feels what: the routes that users of a system wait for, and the changes that reach them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.world import Call, Change, System

_NETWORK_DISTANCE = 2
"""Of what stands beside all calls: names and routers."""
_MESSAGE_DISTANCE = 2
"""Of topics whose messages users await."""


@dataclass(frozen=True, slots=True)
class Felt:
    """The routes that journeys of worth cannot do without, each with its calls from the edge on.

    `needed` are the calls between them, as `source target`. `behind` are all routes that a route leads to. Who is slow
    and `holds` up a component that users need, because a request of somebody else waits there for it, is felt too;
    so is who is slow and asked by consumers that users await.
    """

    distances: dict[str, int]
    needed: frozenset[str]
    holds: frozenset[str]
    behind: dict[str, frozenset[str]]

    def measure(self, system: System, component: str) -> int | None:
        """How many calls a component is away from the edge; None if no user would miss it."""
        if component == system.resolver or any(link.router == component for link in system.links):
            return _NETWORK_DISTANCE
        found = [far for end, far in self.distances.items() if end.partition("/")[0] == component]
        return min(found, default=None)

    def reaches(self, system: System, change: Change) -> bool:
        """Whether users feel a change, if it is strong enough."""
        what, target = change.what, change.target
        if _is_harmless(change):
            return False
        if what in ("loss", "denied"):
            return target in self.needed
        if what == "blocked":
            watched = {name for rule in system.alerts for name in rule.journeys}
            return any(each.name == target and (each.worth > 0.0 or target in watched) for each in system.journeys)
        if what == "demand":
            entries = [each.entry.partition("/")[0] for each in system.journeys if each.name == target]
            return any(self.measure(system, entry) is not None for entry in entries)
        if what in ("link_loss", "link_latency", "zone_loss"):
            return True
        if what == "flag":
            return any(self.measure(system, name) is not None for name in _list_struck(system, target))
        if what == "poison":
            return any(topic.name == target and topic.route in self.distances for topic in system.topics)
        if what in ("secret_accepted", "secret_issued"):
            # Connections to a store that are open stay so.
            part = next(each for each in system.components if each.name == target)
            return part.kind.kernel != "store" and self.measure(system, target) is not None
        return self.measure(system, target) is not None

    def touches(self, system: System, change: Change) -> bool:
        """Whether users could feel a change at all: more than those that they surely do."""
        if _is_harmless(change):
            return False
        if change.what == "demand":
            entries = [each.entry for each in system.journeys if each.name == change.target]
            return any(self.behind[entry] & self.distances.keys() for entry in entries)
        if change.what in ("loss", "denied"):
            held = change.target.rpartition(" ")[2].partition("/")[0] in self.holds
            return held or self.reaches(system, change)
        if change.what == "poison":
            brokers = [topic.route.partition("/")[0] for topic in system.topics if topic.name == change.target]
            return any(self.measure(system, name) is not None for name in brokers)
        struck = _list_struck(system, change.target) if change.what == "flag" else [change.target]
        return any(name in self.holds for name in struck) or self.reaches(system, change)


def find_felt(system: System) -> Felt:
    """The routes and calls of a system that its users feel."""
    calls: dict[str, list[Call]] = {}
    for call in system.calls:
        calls.setdefault(call.source, []).append(call)
    caches = {call.on_miss for call in system.calls if call.on_miss is not None}
    awaited = _find_awaited(system)
    distances: dict[str, int] = {}
    needed = set()
    left = deque((journey.entry, 0) for journey in system.journeys if journey.worth > 0.0)
    left.extend((route, _MESSAGE_DISTANCE) for route in awaited)
    while left:
        end, far = left.popleft()
        if end in distances:
            continue
        distances[end] = far
        for call in calls.get(end, ()):
            # Without its cache a store is asked for all, and gives way.
            if not call.optional or call.target.partition("/")[0] in caches or call.target in awaited:
                needed.add(f"{call.source} {call.target}")
                left.append((call.target, far + 1))
        left.extend((route, far + 1) for route in awaited.get(end, ()))
    behind: dict[str, frozenset[str]] = {}
    for journey in system.journeys:
        _find_behind(system, journey.entry, calls, behind)
    holding = _find_holding(system, distances)
    for route in (route for routes in awaited.values() for route in routes):
        _find_behind(system, route, calls, behind)
        holding |= {end.partition("/")[0] for end in behind[route]}
    return Felt(distances, frozenset(needed), holding, behind)


def _is_harmless(change: Change) -> bool:
    """Whether a change is written down only."""
    return change.what == "shed" and change.to == 0.0


def _find_awaited(system: System) -> dict[str, list[str]]:
    """The routes of topics, each with those of its consumers that users await."""
    routes = {topic.name: topic.route for topic in system.topics}
    names = {journey.awaits for journey in system.journeys}
    found: dict[str, list[str]] = {}
    for group in system.groups:
        if group.name in names:
            found.setdefault(routes[group.topic], []).append(group.route)
    return found


def _find_holding(system: System, distances: dict[str, int]) -> frozenset[str]:
    """The components that a route needs which no user needs, but whose component users need."""
    parts = {end.partition("/")[0] for end in distances}
    holding = {end for end in system.list_routes() if end.partition("/")[0] in parts}
    begin = set(holding)
    while True:
        more = {call.target for call in system.calls if not call.optional and call.source in holding} - holding
        if not more:
            return frozenset(end.partition("/")[0] for end in holding - begin)
        holding |= more


def _list_struck(system: System, flag: str) -> list[str]:
    """The stores that the jobs behind a flag work on, and the components with a feature behind it."""
    stores = [job.store for part in system.components for job in part.jobs if job.flag == flag]
    return [*stores, *(part.name for part in system.components for each in part.features if each.flag == flag)]


def _find_behind(
    system: System, end: str, calls: dict[str, list[Call]], behind: dict[str, frozenset[str]]
) -> frozenset[str]:
    if end not in behind:
        found = {end}
        for call in calls.get(end, ()):
            found |= _find_behind(system, call.target, calls, behind)
        behind[end] = frozenset(found)
    return behind[end]
