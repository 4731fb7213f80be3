"""Drawing worlds: from a line of business to a service graph with stores, caches, brokers, doors and a platform."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenarios.generator.library import Archetype, JourneyClass, JourneyEntry, ServiceEntry, kinds
from scenarios.generator.world import Call, Journey, Node, World

if TYPE_CHECKING:
    from scenarios.generator.dice import Dice
    from scenarios.generator.family import Kind

SIZES = {1: (9, 12), 2: (13, 17), 3: (18, 24), 4: (25, 32), 5: (33, 40)}
"""Services of a world by difficulty, from and to."""

_PLATFORM: tuple[Kind, ...] = ("config", "secrets", "identity", "dns", "network", "cluster", "monitor")
_PLATFORM_COUNT = {1: (1, 2), 2: (2, 3), 3: (3, 4), 4: (4, 6), 5: (5, 7)}
_STORE_NAMES = {
    "sql": ("db", "postgres", "sql"),
    "document": ("store", "mongo", "documents"),
    "search": ("index", "search"),
    "cache": ("cache", "redis"),
}
_STYLES = ("-service", "-api", "-svc")
_ENDINGS: dict[Kind, str] = {"worker": "-worker", "cron": "-job", "third_party": "-partner"}
_VOICES = ("json", "logfmt", "java", "python", "go")
_OWN_MS = {
    "edge": (2, 6),
    "gateway": (4, 14),
    "service": (12, 70),
    "worker": (40, 260),
    "cron": (200, 900),
    "cache": (0.6, 2),
    "sql": (4, 22),
    "document": (3, 18),
    "search": (14, 60),
    "queue": (3, 9),
    "third_party": (90, 320),
    "cdn": (6, 20),
}
_PLATFORM_MS = (1, 8)
_TIMEOUTS = (500, 800, 1000, 1500, 2000, 3000, 5000)
_PUBLISHED = 0.8
"""Messages per request of a producer."""
_DOMAIN_SHARE = 0.42
"""Services of the business among all; the others are their stores, doors and the platform."""


@dataclass
class _Draft:
    """A node before it has its numbers."""

    name: str
    kind: Kind
    about: str
    team: str
    share: dict[str, tuple[float, bool, bool]] = field(default_factory=dict)


class _Builder:
    """Puts one world together."""

    def __init__(
        self,
        archetype: Archetype,
        difficulty: int,
        needed: tuple[Kind, ...],
        wanted: frozenset[JourneyClass],
        dice: Dice,
    ) -> None:
        self.archetype = archetype
        self.wanted = wanted
        self.difficulty = difficulty
        self.needed = needed
        self.dice = dice
        self.drafts: dict[str, _Draft] = {}
        self.alias: dict[str, str] = {}
        self.producer: dict[str, str] = {}
        self.topics: dict[tuple[str, str], None] = {}
        self.entries = {service.name: service for service in archetype.services}

    def world(self) -> World:
        low, high = SIZES[self.difficulty]
        size = self.dice.whole(low, high)
        chosen = self._chosen(size)
        self._name(chosen)
        self._services(chosen)
        self._stores(chosen)
        self._brokers(chosen)
        journeys = [one for one in self.archetype.journeys if one.entry in chosen]
        doors = self._doors([one.entry for one in journeys if self._faces_users(one.entry)])
        self._platform()
        return _numbered(self, [_Way(one, self.alias[one.entry], doors.get(one.entry, "")) for one in journeys])

    def _faces_users(self, entry: str) -> bool:
        return self.entries[entry].kind == "service"

    def _chosen(self, size: int) -> dict[str, ServiceEntry]:
        """Domain services: what the journeys need first, then others, until the system is as large as it shall be."""
        most = max(4, round(size * _DOMAIN_SHARE))
        services = self.archetype.services
        journeys = self.dice.shuffled(self.archetype.journeys)
        asked = [one.entry for one in journeys if one.kind in self.wanted]
        first = [one.entry for one in journeys if not self._optional(one.entry)]
        rest = self.dice.shuffled([one.name for one in services])
        wanted = [name for name in rest if self._is_or_calls(name, self.needed)]
        chosen: dict[str, ServiceEntry] = {}
        for name in (*asked[:2], *wanted[:2], *first, *rest):
            if self._unused(name, chosen):
                continue
            added = self._closure(name, chosen)
            if len(chosen) + len(added) <= most:
                chosen.update((one, self.entries[one]) for one in added)
        return chosen

    def _is_or_calls(self, name: str, kinds_needed: tuple[Kind, ...]) -> bool:
        """Whether a service is of a needed kind, or brings one of another company along."""
        entry = self.entries[name]
        called = any(self.entries[one].kind == "third_party" for one in entry.calls)
        own = entry.kind in kinds_needed and entry.kind not in {"service", "third_party"}
        return own or ("third_party" in kinds_needed and called)

    def _unused(self, name: str, chosen: dict[str, ServiceEntry]) -> bool:
        """Whether a service is of another company, and nobody here calls it."""
        calling = (*chosen.values(),)
        return self.entries[name].kind == "third_party" and not any(
            name in one.calls or name in one.tries for one in calling
        )

    def _optional(self, name: str) -> bool:
        return self.entries[name].optional

    def _closure(self, name: str, chosen: dict[str, ServiceEntry]) -> list[str]:
        """A service with all that it cannot do without, what is there already aside."""
        missing: list[str] = []
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in chosen or one in missing:
                continue
            missing.append(one)
            entry = self.entries[one]
            waiting += entry.calls
            if entry.consumes:
                waiting.append(entry.consumes)
        return missing

    def _name(self, chosen: dict[str, ServiceEntry]) -> None:
        """Services in one style, or plain. Nothing is called by a single word, which texts use in its own sense."""
        style, plain = self.dice.pick(_STYLES), self.dice.chance(0.25)
        for name, entry in chosen.items():
            styled = entry.kind == "service" and not plain
            ending = _ENDINGS.get(entry.kind, style)
            alone = "-" not in name
            self.alias[name] = f"{name}{ending}" if (styled or alone) and not name.endswith(ending) else name

    def _add(self, name: str, kind: Kind, about: str, team: str) -> _Draft:
        while name in self.drafts:
            name = f"{name}-2" if not name.endswith("-2") else f"{name[:-2]}-3"
        draft = self.drafts[name] = _Draft(name, kind, about, team)
        return draft

    def _services(self, chosen: dict[str, ServiceEntry]) -> None:
        for name, entry in chosen.items():
            self._add(self.alias[name], entry.kind, entry.about, entry.team)
        self._share_partners(chosen)
        for name, entry in chosen.items():
            draft = self.drafts[self.alias[name]]
            for callee in entry.calls:
                if callee in chosen:
                    draft.share[self.alias[callee]] = (self.dice.pick((0.7, 1.0, 1.0, 1.0, 1.6)), True, False)
            for callee in entry.tries:
                if callee in chosen:
                    draft.share[self.alias[callee]] = (self.dice.pick((0.3, 0.6, 1.0)), False, False)

    def _share_partners(self, chosen: dict[str, ServiceEntry]) -> None:
        """Where another company matters, a second service calls it."""
        if "third_party" not in self.needed:
            return
        partners = [name for name, entry in chosen.items() if entry.kind == "third_party"]
        others = [name for name, entry in chosen.items() if entry.kind in {"service", "worker"}]
        if partners:
            partner = self.dice.pick(partners)
            for other in self.dice.sample([one for one in others if partner not in chosen[one].calls], 2):
                self.drafts[self.alias[other]].share[self.alias[partner]] = (0.7, True, False)

    def _stores(self, chosen: dict[str, ServiceEntry]) -> None:
        for data in ("sql", "document", "search"):
            owners = self.dice.shuffled([name for name, entry in chosen.items() if entry.data == data])
            if not owners:
                continue
            shared = data in self.needed
            count = max(1, int(len(owners) * self.dice.between(0.25, 0.5))) if shared else self._stores_for(len(owners))
            tail = self.dice.pick(_STORE_NAMES[data])
            for group in [owners[number::count] for number in range(count)]:
                about = kinds()[data].about
                team = chosen[group[0]].team if len(group) == 1 else "data-platform"
                store = self._add(f"{group[0]}-{tail}", data, about, team)
                for owner in group:
                    weight = self.dice.pick((1.0, 1.5, 2.0, 3.0))
                    draft = self.drafts[self.alias[owner]]
                    draft.share[store.name] = (min(1.0, weight) if draft.kind == "worker" else weight, True, False)
        hot = self.dice.shuffled([name for name, entry in chosen.items() if entry.hot])
        tail = self.dice.pick(_STORE_NAMES["cache"])
        for number, owner in enumerate(hot):
            if (number == 0 and "cache" in self.needed) or self.dice.chance(0.3 + 0.08 * self.difficulty):
                cache = self._add(f"{owner}-{tail}", "cache", kinds()["cache"].about, chosen[owner].team)
                self.drafts[self.alias[owner]].share[cache.name] = (1.0, True, False)
                if number + 1 < len(hot) and self.dice.chance(1.0 if "cache" in self.needed else 0.25):
                    self.drafts[self.alias[hot[number + 1]]].share.setdefault(cache.name, (1.0, True, False))

    def _stores_for(self, owners: int) -> int:
        return max(1, round(owners * self.dice.between(0.4, 0.9)))

    def _brokers(self, chosen: dict[str, ServiceEntry]) -> None:
        workers = [name for name, entry in chosen.items() if entry.consumes in chosen and entry.consumes]
        if not workers and "queue" not in self.needed:
            return
        count = 2 if len(workers) > 4 and self.dice.chance(0.5) else 1
        names = self.dice.sample(
            ("event-broker", "kafka-main", "message-bus", "event-stream", "log-broker", "job-queue"), count
        )
        brokers = [self._add(name, "queue", kinds()["queue"].about, "messaging-platform") for name in names]
        for worker in workers:
            broker = self.dice.pick(brokers)
            self.drafts[self.alias[worker]].share[broker.name] = (1.0, True, False)
            producer = self.drafts[self.alias[chosen[worker].consumes]]
            self.producer[self.alias[worker]] = producer.name
            self.topics[producer.name, broker.name] = None
            if producer.share.get(broker.name) is None:
                producer.share[broker.name] = (_PUBLISHED, True, False)
        if not workers:
            for owner in self.dice.sample([name for name, one in chosen.items() if one.kind == "service"], 2):
                self.drafts[self.alias[owner]].share[brokers[0].name] = (_PUBLISHED, True, False)
                self.topics[self.alias[owner], brokers[0].name] = None

    def _doors(self, entries: list[str]) -> dict[str, str]:
        """Gateways before the entries, perhaps an edge and a content network before them; the door of each entry."""
        found = kinds()
        names = self.dice.sample(found["gateway"].names, 2)
        split = self.difficulty >= 3 and len(entries) > 3 and self.dice.chance(0.5)
        gateways = [self._add(name, "gateway", found["gateway"].about, "platform") for name in names[: 1 + split]]
        doors: dict[str, str] = {}
        for number, entry in enumerate(dict.fromkeys(entries)):
            gateway = gateways[number % len(gateways)]
            gateway.share[self.alias[entry]] = (1.0, True, False)
            doors[entry] = gateway.name
        gateways = [one for one in gateways if one.share]
        front = [one.name for one in gateways]
        if "edge" in self.needed or (self.difficulty >= 2 and self.dice.chance(0.6)):
            edge = self._add(self.dice.pick(found["edge"].names), "edge", found["edge"].about, "edge")
            edge.share = dict.fromkeys(front, (1.0, True, False))
            front = [edge.name]
        if "cdn" in self.needed or "edge" in self.needed or (self.difficulty >= 3 and self.dice.chance(0.5)):
            cdn = self._add(self.dice.pick(found["cdn"].names), "cdn", found["cdn"].about, "edge")
            cdn.share = dict.fromkeys(front, (1.0, True, False))
            front = [cdn.name]
        return {entry: front[0] if len(front) == 1 else door for entry, door in doors.items()}

    def _platform(self) -> None:
        low, high = _PLATFORM_COUNT[self.difficulty]
        wanted = [kind for kind in _PLATFORM if kind in self.needed]
        others = self.dice.shuffled([kind for kind in _PLATFORM if kind not in self.needed])
        found = kinds()
        users = list(self.drafts.values())
        for kind in (*wanted, *others)[: max(len(wanted), self.dice.whole(low, high))]:
            node = self._add(self.dice.pick(found[kind].names), kind, found[kind].about, _TEAMS[kind])
            for draft in users:
                if draft.kind == "gateway" and kind == "identity":
                    draft.share[node.name] = (1.0, True, False)
                elif draft.kind in _HOLDERS[kind]:
                    draft.share[node.name] = (0.002, True, True)
            if kind == "monitor":
                for draft in users:
                    if draft.kind in {"gateway", "edge"}:
                        node.share[draft.name] = (0.0, False, True)


def _order(drafts: dict[str, _Draft]) -> list[str]:
    """Names, callees before their callers."""
    placed: dict[str, None] = {}

    def place(name: str) -> None:
        if name not in placed:
            for callee in drafts[name].share:
                place(callee)
            placed[name] = None

    for name in sorted(drafts):
        place(name)
    return list(placed)


def _rates(builder: _Builder, journeys: list[_Way], order: list[str], dice: Dice) -> dict[str, float]:
    """Requests per second of every node. Workers handle what their producers publish."""
    for way in journeys:
        way.rate = dice.between(*way.entry.rate)
    brought, calls = _brought(builder, journeys, order)
    rates = _passed_on(builder, brought, calls, {})
    published: dict[str, float] = {}
    for _ in range(_ROUNDS):
        known, published = published, {worker: _PUBLISHED * rates[one] for worker, one in builder.producer.items()}
        if published == known:
            break
        rates = _passed_on(builder, brought, calls, published)
    for way in journeys:
        way.rate = published.get(way.node, way.rate)
    every = sum(rates.values())
    for name, draft in builder.drafts.items():
        rates[name] = max(rates[name], every * _CONNECTIONS.get(draft.kind, 0.0))
    return rates


_Calls = dict[str, list[tuple[str, float]]]
"""Callees and calls per request of every node, callers first."""


def _brought(builder: _Builder, journeys: list[_Way], order: list[str]) -> tuple[dict[str, float], _Calls]:
    """What journeys bring to every node, and the calls that make traffic beneath. Doors pass on what is theirs."""
    brought = dict.fromkeys(order, 0.0)
    behind: dict[str, dict[str, float]] = {name: {} for name in order}
    for way in journeys:
        at = way.node
        brought[at] += way.rate
        for door in way.doors(builder.drafts):
            behind[door][at] = behind[door].get(at, 0.0) + way.rate
            brought[door] += way.rate
            at = door
    calls: _Calls = {}
    for name in reversed(order):
        draft = builder.drafts[name]
        if behind[name]:
            most = max(brought[name], 0.1)
            draft.share = {
                callee: (behind[name].get(callee, 0.0) / most, hard, platform)
                if builder.drafts[callee].kind in _SERVING
                else (weight, hard, platform)
                for callee, (weight, hard, platform) in draft.share.items()
            }
        calls[name] = [
            (callee, weight)
            for callee, (weight, _, _) in draft.share.items()
            if callee not in behind[name] and builder.drafts[callee].kind != "queue"
        ]
    return brought, calls


def _passed_on(
    builder: _Builder, brought: dict[str, float], calls: _Calls, published: dict[str, float]
) -> dict[str, float]:
    """Requests per second of every node, given what some workers handle."""
    rates = dict(brought)
    for name, called in calls.items():
        rate = published.get(name)
        if rate is None:
            rate = max(rates[name], _LEAST_RATE.get(builder.drafts[name].kind, 0.5))
        rates[name] = rate
        for callee, weight in called:
            rates[callee] += rate * weight
    for producer, broker in builder.topics:
        rates[broker] += _PUBLISHED * rates[producer]
    return rates


_ROUNDS = 8
"""Workers publish for other workers, and call what publishes for others."""
_LEAST_RATE: dict[Kind, float] = {"cron": 3.0, "worker": 4.0, "network": 90.0, "dns": 20.0}
_CONNECTIONS: dict[Kind, float] = {"network": 0.3, "dns": 0.06}
"""Of all requests, the share that opens a connection, and that asks for a name before."""
_SERVING = frozenset({"edge", "gateway", "service"})


@dataclass
class _Way:
    """The way of a journey: its entry, the outermost door before it, and its traffic."""

    entry: JourneyEntry
    node: str
    door: str
    rate: float = 0.0

    def doors(self, drafts: dict[str, _Draft]) -> list[str]:
        """The doors on the way, from the entry outwards."""
        found: list[str] = []
        at = self.node
        while self.door and at != self.door:
            at = next(
                name for name, one in drafts.items() if at in one.share and one.kind in {"gateway", "edge", "cdn"}
            )
            found.append(at)
        return found


def _numbered(builder: _Builder, journeys: list[_Way]) -> World:
    dice = builder.dice.fork("numbers")
    drafts = builder.drafts
    order = _order(drafts)
    rates = _rates(builder, journeys, order, dice)
    place = {name: index for index, name in enumerate(sorted(drafts))}
    p99: dict[str, float] = {}
    nodes: dict[int, Node] = {}
    calls: dict[int, tuple[Call, ...]] = {}
    for name in order:
        draft, index = drafts[name], place[name]
        own = dice.between(*_OWN_MS.get(draft.kind, _PLATFORM_MS))
        waited = sum(min(weight, 1.5) * p99[one] for one, (weight, _, platform) in draft.share.items() if not platform)
        p99[name] = own + 0.7 * waited
        calls[index] = tuple(
            Call(index, place[callee], weight, hard, platform, *_patience(p99[callee], draft.kind, dice))
            for callee, (weight, hard, platform) in draft.share.items()
        )
        nodes[index] = _node(index, draft, rates[name], own, p99[name], dice)
    return World(
        archetype=builder.archetype.archetype,
        business=builder.archetype.business,
        users=builder.archetype.users,
        nodes=tuple(nodes[index] for index in range(len(nodes))),
        calls=tuple(calls[index] for index in range(len(nodes))),
        journeys=tuple(
            Journey(
                way.entry.name,
                way.entry.kind,
                place[way.node],
                place[way.door or way.node],
                way.entry.request,
                way.rate,
                way.entry.trouble,
            )
            for way in journeys
        ),
        order=tuple(place[name] for name in order),
    )


def _patience(p99: float, caller: Kind, dice: Dice) -> tuple[int, int]:
    """Timeout in ms and retries of a call: several times what the callee usually takes."""
    enough = p99 * (2.5 + 2.5 * dice.random())
    timeout = _TIMEOUTS[min(bisect_left(_TIMEOUTS, enough), len(_TIMEOUTS) - 1)]
    return timeout, dice.pick((0, 1, 1, 2)) if caller not in {"edge", "cdn"} else 0


def _node(index: int, draft: _Draft, rate: float, own: float, p99: float, dice: Dice) -> Node:
    entry = kinds()[draft.kind]

    return Node(
        index=index,
        name=draft.name,
        kind=draft.kind,
        about=draft.about,
        team=draft.team,
        voice=dice.pick(_VOICES) if entry.voice == "any" else entry.voice,
        replicas=_replicas(draft.kind, rate, dice),
        version=(dice.whole(1, 9), dice.whole(0, 40), dice.whole(0, 12)),
        uptime_hours=dice.whole(30, 900),
        rate=rate,
        own=own,
        p50=p99 * dice.between(0.22, 0.4),
        p99=p99,
        errors=dice.between(0.0002, 0.004),
        key=dice.whole(0, (1 << 52) - 1),
    )


def _replicas(kind: Kind, rate: float, dice: Dice) -> int:
    if kind in {"sql", "document"}:
        return {"sql": 2, "document": 3}[kind]
    if kind == "queue":
        return dice.pick((2, 3))
    if kind in {"third_party", "cdn", "network"}:
        return 1
    if kind == "cron":
        return 1
    return max(2, min(24, round(rate / dice.between(25, 90))))


def draw_world(
    archetype: Archetype,
    difficulty: int,
    needed: tuple[Kind, ...],
    wanted: frozenset[JourneyClass],
    dice: Dice,
) -> World:
    """A world of an archetype at a difficulty. It has at least one node of each needed kind that it can have.

    Journeys of the wanted classes are among its own as far as its size allows.

    The number of nodes follows `SIZES`, roughly: what hangs together is not cut apart.
    """
    return _Builder(archetype, difficulty, needed, wanted, dice).world()


_TEAMS: dict[Kind, str] = {
    "config": "platform",
    "secrets": "security",
    "identity": "identity",
    "dns": "network",
    "network": "network",
    "cluster": "compute",
    "monitor": "observability",
}
_RUNNING = frozenset({"gateway", "service", "worker", "cron"})
_HOLDERS: dict[Kind, frozenset[str]] = {
    "config": _RUNNING,
    "secrets": frozenset({"service", "worker", "cron"}),
    "identity": frozenset({"service", "worker"}),
    "dns": _RUNNING | {"edge"},
    "network": _RUNNING | {"edge", "sql", "document", "queue", "cache", "search"},
    "cluster": _RUNNING,
    "monitor": frozenset(),
}
