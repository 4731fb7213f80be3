"""What calls what: the components of a chosen system, their routes, and the calls, topics and jobs between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.drawing.data import load_roles
from scenarios.drawing.pruning import find_reached
from scenarios.drawing.sketch import CallSketch, JourneySketch, PartSketch, RouteSketch, Sketch, add, trim
from scenarios.drawing.versions import draw_version
from scenarios.world import Group, Job, Link, Topic

if TYPE_CHECKING:
    from scenarios.drawing.choosing import Choice
    from scenarios.drawing.data import RoleName
    from scenarios.drawing.sketch import Method
    from scenarios.generator.dice import Dice
    from scenarios.generator.library import JourneyEntry, ServiceEntry

_WORTH = {"core": (3.0, 6.0), "major": (1.2, 3.0), "minor": (0.3, 1.1), "internal": (0.0, 0.0)}
_READS, _WRITES = ("lookup", "find", "fetch", "list", "state"), ("submit", "update", "apply", "record")
_OPTIONAL_CACHE = 0.85
_CACHE_NAMES = ("session-cache", "hot-cache", "object-cache", "lookaside-cache", "shared-cache", "read-cache")
_CLIENTS = 0.75
"""How often a system has clients that are no users."""
_CLIENT_NAMES = ("partner-api", "link-previews", "feed-readers", "crawlers", "status-widgets")
_CHECKS = 0.5
"""How often a probe asks for what users ask for."""
_AWAITS = 0.7
"""How often users wait until somebody has worked on the message that their request sends."""
_NEEDS_EVENT = 0.6
"""How often a service does not go on if its event was not taken."""


def draw_topology(business: str, choice: Choice, dice: Dice) -> Sketch:
    """The components of a chosen system with their routes, calls, topics, jobs and journeys, without numbers."""
    return _Drawing(business, choice, dice).sketch


class _Drawing:
    def __init__(self, business: str, choice: Choice, dice: Dice) -> None:
        self.choice = choice
        self.dice = dice
        self.sketch = Sketch(business)
        self.services = {service.name: service for service in choice.services}
        self._add_network()
        self.doors = self._add_doors()
        for service in choice.services:
            self._add_service(service)
        self.caches = self._add_caches()
        self.stores = self._add_stores()
        self.broker = self._add_broker()
        for journey in choice.journeys:
            self._add_journey(journey)
        self._add_clients()
        self._add_check()
        for service in choice.services:
            self._add_inner_routes(service)
        for service in choice.services:
            self._add_calls(service)
        for service in choice.services:
            self._add_consumer(service)
        for service in choice.services:
            self._publish(service)
        self._add_jobs()
        self._let_wait()
        self._level_worth()

    def _add(self, name: str, role: RoleName, about: str = "", team: str = "") -> PartSketch:
        entry, dice = load_roles()[role], self.dice.fork("part", name)
        kind = dice.pick(entry.software)
        part = PartSketch(
            name=name,
            role=role,
            software=kind,
            about=about or entry.about,
            team=team or entry.team,
            version=draw_version(kind, dice),
            load=dice.between(0.42, 0.66),
            instances=dice.whole(*entry.instances),
            zones=tuple(dice.shuffled(self.sketch.zones)),
        )
        self.sketch.parts[name] = part
        return part

    def _add_network(self) -> None:
        choice, dice, sketch = self.choice, self.dice.fork("network"), self.sketch
        prefix = dice.pick(("zone-", "az-", "eu-west-1", "eu-central-1", "us-east-2", "ap-south-1", "dc-"))
        sketch.zones = tuple(f"{prefix}{letter}" for letter in "abc"[: choice.zones])
        roles = load_roles()
        if choice.resolver and "resolver" in roles:
            sketch.resolver = self._add(dice.pick(roles["resolver"].names), "resolver").name
        router = None
        if choice.routers and "router" in roles:
            router = self._add(dice.pick(roles["router"].names), "router").name
        for place, near in enumerate(sketch.zones):
            for far in sketch.zones[place + 1 :]:
                latency = trim(dice.between(0.0003, 0.0012))
                sketch.links.append(Link(between=(near, far), latency=latency, router=router))
        for name in (sketch.resolver, router):
            if name is not None:
                sketch.parts[name].routes["ask"] = RouteSketch("ask")

    def _add_doors(self) -> list[str]:
        roles, dice = load_roles(), self.dice.fork("doors")
        doors = [self._add(dice.pick(roles["edge"].names), "edge").name] if self.choice.two_doors else []
        role: RoleName = "gateway" if self.choice.two_doors or dice.chance(0.5) else "edge"
        names = [name for name in roles[role].names if name not in doors]
        return [*doors, self._add(dice.pick(names), role).name]

    def _add_service(self, service: ServiceEntry) -> None:
        self._add(service.name, service.kind, service.about, service.team)

    def _add_caches(self) -> dict[str, str]:
        """The cache of each service that has one."""
        hot = [service for service in self.choice.services if service.hot and service.data]
        dice, count = self.dice.fork("caches"), self.choice.caches
        names: list[str] = []
        for _ in range(min(count, len(hot))):
            name = dice.pick([name for name in _CACHE_NAMES if name not in names])
            part = self._add(name, "cache", "Look-aside cache of services", "platform")
            part.parameters["hit_ratio"] = trim(dice.between(0.78, 0.93))
            part.parameters["entry_seconds"] = trim(dice.between(240.0, 2400.0))
            part.routes["get"] = RouteSketch("get")
            names.append(name)
        return {service.name: names[place % len(names)] for place, service in enumerate(hot)}

    def _add_stores(self) -> dict[str, str]:
        """The store of each service that has data."""
        found = {}
        for name, users in self.choice.groups.items():
            role: RoleName = users[0].data or "sql"
            if role not in load_roles():
                role = "sql"
            part = self._add(name, role, f"Data of {', '.join(user.name for user in users)}", users[0].team)
            dice = self.dice.fork("store", name)
            part.spare = dice.whole(1, 2)
            size = trim(dice.between(24000.0, 90000.0))
            part.parameters["disk"] = size
            part.parameters["disk_data"] = trim(size * dice.between(0.38, 0.6))
            part.parameters["disk_waste"] = trim(size * dice.between(0.03, 0.12))
            part.parameters["disk_rate"] = trim(dice.between(0.01, 0.06))
            part.parameters["write_disk"] = trim(dice.between(0.0005, 0.003))
            for user in users:
                found[user.name] = name
                part.routes[user.name] = RouteSketch(user.name, writes=trim(dice.between(0.05, 0.4)))
        return found

    def _add_broker(self) -> str:
        if not any(service.consumes for service in self.choice.services):
            return ""
        dice = self.dice.fork("broker")
        part = self._add(dice.pick(load_roles()["queue"].names), "queue")
        size = trim(dice.between(30000.0, 90000.0))
        part.parameters |= {"disk": size, "disk_data": trim(size * dice.between(0.3, 0.5)), "disk_rate": 0.02}
        for producer in dict.fromkeys(service.consumes for service in self.choice.services if service.consumes):
            name = f"{producer}-events"
            part.routes[name] = RouteSketch(name, writes=1.0)
            self.sketch.topics.append(
                Topic(
                    name=name,
                    route=f"{part.name}/{name}",
                    partitions=dice.pick((6, 8, 12, 16, 24)),
                    size=trim(dice.between(0.0006, 0.006)),
                    retention=dice.pick((86400.0, 259200.0, 604800.0)),
                )
            )
        return part.name

    def _add_journey(self, journey: JourneyEntry) -> None:
        dice = self.dice.fork("journey", journey.name)
        name = journey.name.replace(" ", "-").lower()
        words = journey.request.split()
        method, path = (words[0], words[1]) if words[0] in {"GET", "POST", "PUT", "DELETE"} else ("POST", f"/v1/{name}")
        entry = self._add_route(journey.entry, name, "POST" if method == "POST" else "GET", path)
        for door in reversed(self.doors):
            above = self._add_route(door, name, "POST" if method == "POST" else "GET", path)
            self.sketch.calls.append(
                CallSketch(above, entry, attempts=2 if method == "GET" and dice.chance(0.4) else 1)
            )
            entry = above
        low, high = journey.rate
        demand = trim(max(2.0, dice.between(low, high) * dice.between(0.8, 1.9)))
        worth = dice.between(*_WORTH[journey.kind])
        retries = round(dice.between(0.05, 0.5), 2)
        self.sketch.journeys.append(JourneySketch(name, entry, demand, worth, retries=retries))

    def _add_clients(self) -> None:
        """Programs that ask for what users ask for: nothing is lost when they are turned away."""
        dice = self.dice.fork("clients")
        reads = [each for each in self.sketch.journeys if each.worth and self._get_method(each.entry) == "GET"]
        if not dice.chance(_CLIENTS):
            return
        model = dice.pick(reads or self.sketch.journeys)
        taken = {journey.name for journey in self.sketch.journeys}
        name = dice.pick([name for name in _CLIENT_NAMES if name not in taken])
        entry = self._enter_as(model, name)
        self.sketch.journeys.append(JourneySketch(name, entry, trim(model.demand * dice.between(0.012, 0.04)), 0.0))

    def _add_check(self) -> None:
        """A probe that asks as users do, some times a minute."""
        dice = self.dice.fork("check")
        if dice.chance(_CHECKS):
            model = dice.pick([journey for journey in self.sketch.journeys if journey.worth])
            name = f"{dice.pick(('probe', 'synthetic', 'check'))}-{model.name}"
            demand = trim(dice.between(0.3, 1.2))
            self.sketch.journeys.append(JourneySketch(name, self._enter_as(model, name), demand, 0.0, is_check=True))

    def _enter_as(self, model: JourneySketch, name: str) -> str:
        """A route of its own at the first door that leads to where a journey leads."""
        below = next(call for call in self.sketch.calls if call.source == model.entry).target
        route = self.sketch.get_route(model.entry)
        entry = self._add_route(self.doors[0], name, route.method, route.path)
        self.sketch.calls.append(CallSketch(entry, below))
        return entry

    def _let_wait(self) -> None:
        """Some users wait for what is made of their request after it was answered."""
        routes = {topic.name: topic.route for topic in self.sketch.topics}
        for journey in self.sketch.journeys:
            dice = self.dice.fork("awaiting", journey.name)
            sent = find_reached(self.sketch, [journey.entry], by_messages=False)
            groups = [group.name for group in self.sketch.groups if routes[group.topic] in sent]
            if journey.worth and groups and dice.chance(_AWAITS):
                journey.awaits, journey.within = dice.pick(groups), float(dice.whole(6, 24) * 10)

    def _get_method(self, entry: str) -> Method:
        return self.sketch.get_route(entry).method

    def _add_route(self, part: str, name: str, method: Method = "GET", path: str = "") -> str:
        self.sketch.parts[part].routes[name] = RouteSketch(name, method, path)
        return f"{part}/{name}"

    def _add_inner_routes(self, service: ServiceEntry) -> None:
        """Routes that other services ask for, and the one that staff look at of a job."""
        dice = self.dice.fork("routes", service.name)
        if service.kind == "worker":
            self._add_route(service.name, "consume", "POST")
        if service.kind == "cron":
            entry = self._add_route(service.name, "report", "GET", "/reports")
            self.sketch.journeys.append(
                JourneySketch(f"{service.name}-reports", entry, trim(dice.between(0.15, 0.9)), 0.0)
            )
        called = {callee for other in self.services.values() for callee in (*other.calls, *other.tries)}
        if service.name in called:
            name = dice.pick(_READS)
            self._add_route(service.name, name, "GET", f"/v1/{service.name}/{name}")
            if service.data and dice.chance(0.5):
                name = dice.pick(_WRITES)
                self._add_route(service.name, name, "POST", f"/v1/{service.name}/{name}")

    def _list_inner(self, service: str) -> list[str]:
        entries = {end for journey in self.choice.journeys for end in (journey.name.replace(" ", "-").lower(),)}
        return [name for name in self.sketch.parts[service].routes if name not in entries and name != "consume"]

    def _add_calls(self, service: ServiceEntry) -> None:
        """Each route calls what its service needs, then its data, then what it can do without."""
        dice, sketch = self.dice.fork("calls", service.name), self.sketch
        called: set[str] = set()
        routes = list(sketch.parts[service.name].routes)
        for route in routes:
            source = f"{service.name}/{route}"
            for callee in service.calls:
                if callee in self.services and (callee not in called or dice.chance(0.7)):
                    self._call(source, callee, dice, optional=False)
                    called.add(callee)
            self._call_data(source, service, dice)
            for callee in service.tries:
                if callee in self.services and (callee not in called or dice.chance(0.6)):
                    self._call(source, callee, dice, optional=True)
                    called.add(callee)

    def _publish(self, service: ServiceEntry) -> None:
        """A service publishes what it changes, or everything; never what comes of its own events."""
        topic, sketch = f"{service.name}-events", self.sketch
        if not self.broker or topic not in sketch.parts[self.broker].routes:
            return
        dice = self.dice.fork("publishing", service.name)
        routes = list(sketch.parts[service.name].routes)
        changing = [route for route in routes if sketch.parts[service.name].routes[route].method == "POST"]
        optional = not dice.chance(_NEEDS_EVENT)
        target = f"{self.broker}/{topic}"
        for route in changing or routes:
            source = f"{service.name}/{route}"
            if source not in find_reached(sketch, [target]):
                sketch.calls.append(CallSketch(source, target, optional=optional))

    def _call(self, source: str, callee: str, dice: Dice, *, optional: bool) -> None:
        inner = self._list_inner(callee)
        if not inner:
            return
        some = trim(dice.between(0.3, 0.9))
        outside = self.services[callee].kind == "third_party"
        weight = dice.pick((1.0, 1.0, some) if outside else (1.0, 1.0, 1.0, 1.0, 2.0, some))
        attempts = 1 if optional or dice.chance(0.65) else 2
        target = f"{callee}/{dice.pick(inner)}"
        self.sketch.calls.append(CallSketch(source, target, weight, optional=optional, attempts=attempts))

    def _call_data(self, source: str, service: ServiceEntry, dice: Dice) -> None:
        store = self.stores.get(service.name)
        if store is None:
            return
        cache = self.caches.get(service.name)
        weight = dice.pick((1.0, 2.0, 3.0, trim(dice.between(1.2, 4.0))))
        reads = self.sketch.get_route(source).method == "GET"
        if cache is not None and reads:
            optional = dice.chance(_OPTIONAL_CACHE)
            self.sketch.calls.append(CallSketch(source, f"{cache}/get", weight, optional=optional))
        else:
            cache = None
        self.sketch.calls.append(CallSketch(source, f"{store}/{service.name}", weight, on_miss=cache))

    def _add_consumer(self, service: ServiceEntry) -> None:
        if service.kind == "worker" and self.broker:
            topic = f"{service.consumes}-events"
            route = f"{service.name}/consume"
            self.sketch.groups.append(Group(name=service.name, topic=topic, route=route))

    def _add_jobs(self) -> None:
        for service in self.choice.services:
            if service.kind != "cron":
                continue
            dice = self.dice.fork("job", service.name)
            own = [service.name, *service.calls]
            stores = [self.stores[name] for name in own if name in self.stores]
            if not stores:
                continue
            flag = f"{service.name.replace('-', '_')}_{dice.pick(('full', 'backfill', 'compact', 'parallel', 'wide'))}"
            part = self.sketch.parts[service.name]
            part.flags.append(flag)
            part.jobs.append(
                Job(
                    name=dice.pick((f"{service.name}-run", f"{service.name}-batch", f"{service.name}-feed")),
                    store=dice.pick(stores),
                    flag=flag,
                    every=float(dice.whole(10, 60) * 60),
                    first=float(dice.whole(12, 400) * 5),
                    lasts=float(dice.whole(24, 140) * 5),
                    after_start=float(dice.whole(4, 20) * 5),
                    retry=float(dice.whole(2, 9) * 5),
                    memory_rate=trim(dice.between(0.2, 1.5)),
                    slow=trim(dice.between(1.02, 1.15)),
                )
            )

    def _level_worth(self) -> None:
        """What all journeys are worth together is 1."""
        total = add([journey.worth for journey in self.sketch.journeys])
        for journey in self.sketch.journeys:
            journey.worth = round(journey.worth / total, 3)
        first = max(self.sketch.journeys, key=lambda journey: journey.worth)
        first.worth = round(1.0 - add([each.worth for each in self.sketch.journeys if each is not first]), 3)
