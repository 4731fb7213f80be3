"""Which services of a line of business are in a system: those that its journeys need, and others until it is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.drawing.data import load_roles

if TYPE_CHECKING:
    from scenarios.generator.dice import Dice
    from scenarios.generator.library import Archetype, JourneyEntry, ServiceEntry

SIZES = {1: (10, 14), 2: (13, 18), 3: (17, 24), 4: (21, 30), 5: (24, 36)}
"""Components of a system, from and to, by difficulty."""
LOOK_ALIKES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}
"""Components with a trouble of their own that no user feels, by difficulty."""
_JOURNEYS = {1: (2, 3), 2: (2, 4), 3: (3, 5), 4: (4, 6), 5: (4, 7)}
_PER_STORE = 3
"""The most services that share a store."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What stands in a system, and how its network is cut. `groups` are services that share a store, by its name."""

    services: tuple[ServiceEntry, ...]
    journeys: tuple[JourneyEntry, ...]
    groups: dict[str, tuple[ServiceEntry, ...]]
    two_doors: bool
    resolver: bool
    zones: int
    routers: int
    caches: int

    def count(self) -> int:
        """How many components that makes."""
        brokers = any(service.consumes for service in self.services)
        doors = 1 + self.two_doors
        return len(self.services) + len(self.groups) + doors + self.resolver + self.routers + self.caches + brokers


def choose(business: Archetype, difficulty: int, dice: Dice) -> Choice:
    """What of a line of business stands in a system. The same dice give the same choice."""
    services = _list_drawable(business)
    journeys, others = _choose_journeys(business, services, difficulty, dice)
    chosen: dict[str, ServiceEntry] = {}
    for journey in journeys:
        _take(journey.entry, services, chosen)
    # Chance is asked for up front, so that it does not hang on how many services there come to be.
    shape = _Shape(
        two_doors=dice.chance(0.15 * difficulty),
        resolver=dice.chance(0.9),
        zones=dice.pick((1, 2, 2, 3, 3)) if difficulty < 3 else dice.pick((2, 3, 3)),
        routers=dice.chance(0.75),
        caches=dice.whole(1, 2 if difficulty > 2 else 1),
    )
    order = dice.fork("extras")
    wanted = dice.whole(*SIZES[difficulty])
    known: set[str] = set()
    lonely = 0
    while (choice := _shape(chosen, journeys, shape)).count() < wanted or lonely <= LOOK_ALIKES[difficulty]:
        extras = _list_extras(services, chosen, known)
        if choice.count() >= SIZES[difficulty][1] - 1 or not (extras or others):
            break
        if not extras:
            journeys.append(others.pop())
            _take(journeys[-1].entry, services, chosen)
            continue
        quiet = [service for service in extras if _is_lonely(service, chosen)]
        service = order.pick(quiet if quiet and lonely <= LOOK_ALIKES[difficulty] else extras)
        lonely += _is_lonely(service, chosen)
        known.add(service.name)
        _take(service.name, services, chosen)
    return choice


@dataclass(frozen=True, slots=True)
class _Shape:
    two_doors: bool
    resolver: bool
    zones: int
    routers: bool
    caches: int


def _list_drawable(business: Archetype) -> dict[str, ServiceEntry]:
    return {service.name: service for service in business.services if service.kind in load_roles()}


def _choose_journeys(
    business: Archetype, services: dict[str, ServiceEntry], difficulty: int, dice: Dice
) -> tuple[list[JourneyEntry], list[JourneyEntry]]:
    """One of the core journeys at least, and those that were left out."""
    serving = [
        journey
        for journey in business.journeys
        if journey.entry in services and services[journey.entry].kind == "service"
    ]
    first = dice.pick([journey for journey in serving if journey.kind == "core"])
    others = dice.shuffled([journey for journey in serving if journey is not first])
    count = dice.whole(*_JOURNEYS[difficulty])
    picked = [first]
    chosen: dict[str, ServiceEntry] = {}
    _take(first.entry, services, chosen)
    room = SIZES[difficulty][1] - 7 - 2 * LOOK_ALIKES[difficulty]
    for journey in others:
        more = dict(chosen)
        _take(journey.entry, services, more)
        if len(picked) < count and len(more) <= room:
            picked.append(journey)
            chosen = more
    return picked, [journey for journey in others if journey not in picked]


def _take(name: str, services: dict[str, ServiceEntry], chosen: dict[str, ServiceEntry]) -> None:
    """Take a service with all that it cannot do without."""
    if name in chosen or name not in services:
        return
    chosen[name] = services[name]
    for callee in (*services[name].calls, *((services[name].consumes,) if services[name].consumes else ())):
        _take(callee, services, chosen)


def _list_extras(
    services: dict[str, ServiceEntry], chosen: dict[str, ServiceEntry], known: set[str]
) -> list[ServiceEntry]:
    """Services that those who are there could call, or that work for or after them."""
    called = {callee for service in chosen.values() for callee in (*service.calls, *service.tries)}
    return [
        service
        for name, service in services.items()
        if name not in chosen
        and name not in known
        and (
            name in called or service.consumes in chosen or (service.kind == "cron" and set(service.calls) & {*chosen})
        )
    ]


def _is_lonely(service: ServiceEntry, chosen: dict[str, ServiceEntry]) -> bool:
    """Whether no user waits for it, or whoever asks for it goes on without."""
    needed = {callee for other in chosen.values() for callee in other.calls}
    return service.kind != "third_party" and service.name not in needed


def _shape(chosen: dict[str, ServiceEntry], journeys: list[JourneyEntry], shape: _Shape) -> Choice:
    hot = any(service.hot and service.data for service in chosen.values())
    return Choice(
        services=tuple(chosen.values()),
        journeys=tuple(journeys),
        groups=_group(list(chosen.values())),
        two_doors=shape.two_doors,
        resolver=shape.resolver,
        zones=shape.zones,
        routers=int(shape.routers and shape.zones > 1),
        caches=shape.caches if hot else 0,
    )


_ENDINGS = {"sql": "db", "document": "store", "search": "index"}


_SHARED = ("core", "main", "shared", "common", "legacy")
"""What a store is called that several teams share."""


def _group(services: list[ServiceEntry]) -> dict[str, tuple[ServiceEntry, ...]]:
    """Services with the same kind of data share a store, teams together."""
    found: dict[str, tuple[ServiceEntry, ...]] = {}
    for kind, ending in _ENDINGS.items():
        users = sorted((service for service in services if service.data == kind), key=lambda each: each.team)
        for first in range(0, len(users), _PER_STORE):
            shared = tuple(users[first : first + _PER_STORE])
            teams = {service.team for service in shared}
            names = [shared[0].name if len(shared) == 1 else shared[0].team] if len(teams) == 1 else [*_SHARED]
            names = [name for name in (*names, shared[0].name) if f"{name}-{ending}" not in found]
            found[f"{names[0]}-{ending}"] = shared
    return found
