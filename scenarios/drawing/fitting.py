"""Fitting: how often each route is asked for, and how large each component has to be to serve that and little more.

The formulas are those of the simulator for a system in which nothing changes, so nothing has to be run.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from scenarios.drawing.data import load_roles
from scenarios.drawing.ladders import CORES, DEADLINES, MEMORY, SIZES, climb
from scenarios.drawing.sketch import add, trim
from scenarios.world import SOFTWARE
from scenarios.world.layout import TAILS
from scenarios.world.quantiles import KNOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.drawing.data import RoleName
    from scenarios.drawing.sketch import CallSketch, PartSketch, RouteSketch, Sketch, Tail
    from scenarios.generator.dice import Dice
    from scenarios.world import Group

_TAILS: tuple[Tail, ...] = ("short", "even", "usual", "wide", "long")
_HALVES = (0.25, 0.2, 0.045, 0.005)
_BUSY = 0.62
"""The most of its slots that a component uses if each optional call runs into its deadline."""
_POOLS = (4, 5, 8, 10, 10, 12, 16, 20, 20, 25, 30)
"""Connections that a pool has at the least."""
_ERRORS: dict[RoleName, float] = {
    **dict.fromkeys(("service", "worker", "cron", "third_party"), 0.0006),
    **dict.fromkeys(("sql", "document", "search"), 0.0001),
}
"""The most that fails by itself, by role. A cache or a broker has no such errors."""
_MOST_PARTITIONS = 64
_FAILING = 0.003
"""The most that fails of a journey in a healthy system."""
_MESSAGES = (6.0, 45.0)
"""Messages a second of a topic at the most, from and to: of more, only a share is published."""


def fit(sketch: Sketch, dice: Dice) -> None:
    """Set every number of a sketch: rates, work, processors, slots, memory, pools, deadlines and errors."""
    _Fitting(sketch, dice).fit()


class _Fitting:
    def __init__(self, sketch: Sketch, dice: Dice) -> None:
        self.sketch = sketch
        self.dice = dice
        self.calls: dict[str, list[CallSketch]] = {
            f"{part.name}/{route}": [] for part in sketch.parts.values() for route in part.routes
        }
        for call in sketch.calls:
            self.calls[call.source].append(call)
        self.groups = {group.route: group for group in sketch.groups}
        self.topics = {topic.name: topic for topic in sketch.topics}
        self.fails: dict[str, float] = {}

    def fit(self) -> None:
        for part in self.sketch.parts.values():
            self._draw_work(part)
        self._find_rates()
        self._thin_out_messages()
        for part in self._order_parts():
            self._fit_part(part)
        for part in self.sketch.parts.values():
            self._fit_memory(part)
        for journey in self.sketch.journeys:
            entry = self.sketch.get_route(journey.entry)
            least = max(1.0, 3.2 * entry.latency[3], 1.4 * entry.patient)
            journey.deadline = climb(DEADLINES, least, self.dice, 2)
        self._fit_errors()

    def _draw_work(self, part: PartSketch) -> None:
        role, dice = load_roles()[part.role], self.dice.fork("work", part.name)
        for route in part.routes.values():
            route.work = trim(dice.between(*role.work))
            route.cpu = route.work * dice.between(*role.cpu)
            route.tail = dice.pick(_TAILS)

    def weigh(self, call: CallSketch) -> float:
        """How often a request makes a call when the caches are warm."""
        if call.on_miss is None:
            return call.weight
        return call.weight * (1.0 - self.sketch.parts[call.on_miss].parameters["hit_ratio"])

    def _find_rates(self) -> None:
        sketch = self.sketch
        rates = dict.fromkeys(self.calls, 0.0)
        for journey in sketch.journeys:
            rates[journey.entry] += journey.demand
        consumers: dict[str, list[str]] = {}
        for group in sketch.groups:
            consumers.setdefault(self.topics[group.topic].route, []).append(group.route)
        for end in self._order_routes(consumers):
            for call in self.calls[end]:
                rates[call.target] += rates[end] * self.weigh(call)
            for route in consumers.get(end, ()):
                rates[route] += rates[end]
        for end, rate in rates.items():
            sketch.get_route(end).rate = rate

    def _order_routes(self, consumers: dict[str, list[str]]) -> list[str]:
        """Callers before callees, topics before those who consume them."""
        placed: dict[str, None] = {}

        def place(end: str) -> None:
            if end not in placed:
                for target in (*(call.target for call in self.calls[end]), *consumers.get(end, ())):
                    place(target)
                placed[end] = None

        for end in self.calls:
            place(end)
        return list(reversed(placed))

    def _thin_out_messages(self) -> None:
        topics = {topic.route for topic in self.sketch.topics}
        most = {route: self.dice.between(*_MESSAGES) for route in sorted(topics)}
        for _ in range(3):  # who consumes may publish itself
            for call in self.sketch.calls:
                if call.target in topics:
                    rate = self.sketch.get_route(call.target).rate
                    call.weight = trim(call.weight * min(1.0, most[call.target] / max(rate, 1e-9)))
            self._find_rates()

    def _order_parts(self) -> list[PartSketch]:
        """Callees before callers."""
        callees: dict[str, dict[str, None]] = {name: {} for name in self.sketch.parts}
        for call in self.sketch.calls:
            callees[call.source.partition("/")[0]][call.target.partition("/")[0]] = None
        placed: dict[str, None] = {}

        def place(name: str) -> None:
            if name not in placed:
                for callee in callees[name]:
                    place(callee)
                placed[name] = None

        for name in self.sketch.parts:
            place(name)
        return [self.sketch.parts[name] for name in placed]

    def _fit_part(self, part: PartSketch) -> None:
        dice = self.dice.fork("size", part.name)
        if not any(route.rate for route in part.routes.values()):
            return
        for name in part.routes:
            self._fit_deadlines(part, name, dice)
        for name, route in part.routes.items():
            if f"{part.name}/{name}" in self.groups:
                self._fit_group(part, name, route)
        self._fit_processors(part, dice)
        for name, route in part.routes.items():
            self._find_latency(part, name, route)
        self._fit_slots(part, dice)
        self._fit_pools(part, dice)

    def _fit_deadlines(self, part: PartSketch, name: str, dice: Dice) -> None:
        for call in self.calls[f"{part.name}/{name}"]:
            target = self.sketch.get_route(call.target)
            least = max(3.05 * (target.latency[3] + self._delay), 1.3 * target.patient, DEADLINES[0])
            call.deadline = climb(DEADLINES, least, dice, 0 if call.optional else 5)

    @property
    def _delay(self) -> float:
        return max((link.latency for link in self.sketch.links), default=0.0)

    def _fit_group(self, part: PartSketch, name: str, route: RouteSketch) -> None:
        """Workers that are busy as the component is to be; with few messages the work is made longer."""
        waits = self._find_waits(part.name, name)[1]
        mean = find_mean(TAILS[route.tail])
        group = self.groups[f"{part.name}/{name}"]
        needed = route.rate * (route.work * mean + waits) / part.load
        workers = min(24.0, max(1.0, float(round(needed / part.instances))))
        while workers * part.instances > self.topics[group.topic].partitions and part.instances > 1:
            part.instances -= 1
        work = (workers * part.instances * part.load / route.rate - waits) / mean
        if work > route.work:
            route.cpu *= work / route.work
            route.work = trim(work)
        elif work > 0.2 * route.work:
            route.work = trim(work)
        else:
            workers = self._widen(group, route.rate * (route.work * mean + waits) / part.load, part.instances)
        place = self.sketch.groups.index(group)
        self.groups[group.route] = self.sketch.groups[place] = group.model_copy(update={"workers": workers})

    def _widen(self, group: Group, needed: float, instances: int) -> float:
        """More workers where what they wait for takes too long, on as many partitions as they need. Returns workers."""
        workers = float(min(_MOST_PARTITIONS // instances, int(needed / instances) + 1))
        topic = self.topics[group.topic]
        partitions = min(_MOST_PARTITIONS, max(topic.partitions, int(workers * instances)))
        place = self.sketch.topics.index(topic)
        wider = topic.model_copy(update={"partitions": partitions})
        self.topics[group.topic] = self.sketch.topics[place] = wider
        return workers

    def _fit_processors(self, part: PartSketch, dice: Dice) -> None:
        """Processors of which the component uses as much as it is to use."""
        routes = list(part.routes.values())
        needed = add([route.rate * route.cpu for route in routes])
        while needed > part.instances * CORES[-1] * part.load:
            part.instances += 1
        cores = climb(CORES, needed / (part.instances * part.load))
        while cores == CORES[0] and part.instances > load_roles()[part.role].instances[0]:
            if needed * 2.0 > part.instances * cores * part.load:
                break
            part.instances -= 1
        if part.role in {"cron", "worker"} and dice.chance(0.5) and cores > CORES[0]:
            cores = CORES[CORES.index(cores)]
        factor = part.instances * cores * part.load / needed
        for route in routes:
            route.cpu = trim(route.cpu * factor)
            # Nobody computes for longer than it works.
            route.work = max(route.work, trim(route.cpu / 0.9))
        part.parameters["cores"] = cores

    def _find_waits(self, part: str, name: str) -> tuple[list[float], float, float]:
        """What a route waits for its calls: at the knots, on average, and how much more if optional ones are late."""
        knots, late = [0.0] * len(KNOTS), 0.0
        for call in self.calls[f"{part}/{name}"]:
            target, weight = self.sketch.get_route(call.target), self.weigh(call)
            bounded = [min(value + self._delay, call.deadline) for value in target.latency]
            made, times = min(1.0, weight), max(1.0, weight)
            shifted = shift(bounded, 1.0 - made)
            for knot, value in enumerate(shifted):
                knots[knot] += value * times
            late += call.weight * call.deadline if call.optional else weight * (target.patient - target.latency[3])
        return knots, find_mean(knots), late

    def _find_latency(self, part: PartSketch, name: str, route: RouteSketch) -> None:
        waits, _, late = self._find_waits(part.name, name)
        alone = [route.work * spread + wait for spread, wait in zip(TAILS[route.tail], waits, strict=True)]
        crowded = route.work * 0.5 * part.load * part.load / (1.0 - part.load)
        route.holding = find_mean(alone)
        route.latency = tuple(value + crowded for value in alone)
        route.patient = route.latency[3] + late

    def _fit_slots(self, part: PartSketch, dice: Dice) -> None:
        usual = add([route.rate * route.holding for route in part.routes.values()]) / part.instances
        # Optional calls may all run into their deadlines, here and below, and nobody who waits may feel it.
        patient = add([route.rate * (route.patient - route.latency[3]) for route in part.routes.values()])
        least = max(4.0, usual / 0.55, (usual + patient / part.instances) / _BUSY)
        default = SOFTWARE[part.software].parameters["slots"]
        if default < least or dice.chance(0.6):
            part.parameters["slots"] = climb(SIZES, least, dice, 2)

    def _fit_pools(self, part: PartSketch, dice: Dice) -> None:
        for name, route in part.routes.items():
            for call in self.calls[f"{part.name}/{name}"]:
                target = self.sketch.get_route(call.target)
                late = target.patient - target.latency[3]
                taking = min(call.deadline, target.holding + self._delay) + 1e-4
                most = max(self.weigh(call), 0.5 * call.weight if call.on_miss is not None else 0.0)
                busy = route.rate * most * taking / part.instances
                patient = route.rate * most * min(call.deadline, taking + late) / part.instances
                if call.optional:
                    patient = route.rate * most * call.deadline / part.instances
                least = float(dice.pick(_POOLS))
                call.pool = climb(SIZES, max(least, busy * dice.between(2.4, 5.0) + 1.0, patient * 1.3))

    def _fit_memory(self, part: PartSketch) -> None:
        software, dice = SOFTWARE[part.software], self.dice.fork("memory", part.name)
        kept = software.parameters
        connections = 0.0
        if software.kernel == "store":
            for call in self.sketch.calls:
                if call.target.partition("/")[0] == part.name:
                    connections += call.pool * self.sketch.parts[call.source.partition("/")[0]].instances
            if 0.0 < kept["connections"] < connections * 1.35:
                part.parameters["connections"] = climb(SIZES, connections * 1.5)
        busy = add([route.rate * route.holding for route in part.routes.values()])
        jobs = [
            job.memory_rate * job.lasts
            for other in self.sketch.parts.values()
            for job in other.jobs
            if job.store == part.name
        ]
        used = busy * kept["request_memory"] + connections * kept["connection_memory"] + add(jobs)
        least = kept["base_memory"] + used / part.instances
        if kept["memory"] < least * 1.6 or (software.kernel == "server" and dice.chance(0.7)):
            part.parameters["memory"] = climb(MEMORY, least * 1.6, dice, 1)

    def _fit_errors(self) -> None:
        for part in self.sketch.parts.values():
            most = _ERRORS.get(part.role, 0.0)
            dice = self.dice.fork("errors", part.name)
            for route in part.routes.values():
                route.errors = dice.between(0.0, most)
        worst = max(self._find_failing(journey.entry) for journey in self.sketch.journeys)
        scale = min(1.0, _FAILING / max(worst, 1e-9))
        for part in self.sketch.parts.values():
            for route in part.routes.values():
                route.errors = trim(route.errors * scale)
            for stray in ("stray_errors", "stray_timeouts"):
                usual = SOFTWARE[part.software].parameters[stray]
                if usual and scale < 1.0:
                    part.parameters[stray] = trim(usual * scale)

    def _find_failing(self, end: str) -> float:
        """The share of the requests of a route that fail; retries are left out."""
        if end not in self.fails:
            usual = SOFTWARE[self.sketch.parts[end.partition("/")[0]].software].parameters
            good = (1.0 - self.sketch.get_route(end).errors) * (1.0 - usual["stray_errors"])
            for call in self.calls[end]:
                if not call.optional:
                    lost = usual["stray_timeouts"] + self._find_failing(call.target)
                    good *= 1.0 - min(1.0, self.weigh(call) * lost)
            self.fails[end] = 1.0 - good
        return self.fails[end]


def find_mean(knots: Sequence[float]) -> float:
    """The mean of latencies that are known at the knots."""
    total = 0.0
    for (low, high), half in zip(pairwise(knots), _HALVES, strict=True):
        total += (low + high) * half
    return total


def shift(values: list[float], lead: float) -> list[float]:
    """Quantiles of a mixture: a share `lead` of zeros, then what `values` are quantiles of."""
    if lead <= 0.0:
        return values
    found = []
    for at in KNOTS:
        inside = (at - lead) / (1.0 - lead)
        value = 0.0
        if inside >= 0.0:
            value = values[0]
            for (begin, end), (low, high) in zip(pairwise(KNOTS), pairwise(values), strict=True):
                value += min(1.0, max(0.0, (inside - begin) / (end - begin))) * (high - low)
        found.append(value)
    return found
