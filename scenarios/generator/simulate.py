"""The simulation: what every node does in every minute, from the strain of a fault and the calls between the nodes.

What a node shows at one minute follows from the strain at that minute alone, save backlogs, which are summed up. So a
minute is computed when it is asked for, and only for nodes whose requests reach the fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.generator.mechanisms import CALM

if TYPE_CHECKING:
    from scenarios.generator.family import Trouble
    from scenarios.generator.fault import Course
    from scenarios.generator.world import Call, World

RED = 0.03
"""From this share of failed calls on, a call path is unhealthy."""
SLOW = 2.0
"""From this many times the usual duration on, a call path is unhealthy."""
_PATIENCE = 0.7
"""A p99 of this share of the timeout begins to hit it."""
_HEADROOM = 0.72
"""The share of workers busy up to which waiting callers find one."""
_WAIT = 45.0
"""Work that has to wait waits for some multiple of this many ms at least, however quick it usually is."""
_RETRY_BUDGET = 3.0
"""Retries make of the usual traffic no more than this many times as much, along a whole chain of callers."""
_ON_THE_WAY = frozenset({"unreachable", "unresolved"})
"""Troubles of calls that their callee never sees. What finds no instance of it counts as failed there."""
_MOST_LAG = 24 * 3600.0
_KEEPS_UP = 0.02
"""A worker that has lost no more of its throughput than this share keeps up."""
_CATCHES_UP = 150.0
"""Seconds of backlog that a worker works off in a minute once it keeps up."""


class Flow(NamedTuple):
    """One call path at one minute: the share of calls that fail, the p99 in ms, and as what it is felt."""

    fail: float
    p99: float
    trouble: Trouble
    ill: bool


class Condition(NamedTuple):
    """One node at one minute.

    `errors` is the share of requests that fail, `p99` in ms as callers see it, `slower` how many times the usual
    duration that is, `busy` how many times the usual share of workers and pooled connections is in use, `lost` the
    share of throughput that a worker has lost, `flows` its call paths into what is ill.
    """

    errors: float
    p99: float
    slower: float
    busy: float
    lost: float
    flows: dict[int, Flow]


class Simulation:
    """One world under one course of one fault."""

    def __init__(self, world: World, course: Course) -> None:
        self.world = world
        self.course = course
        self._reached = reached(world, course.fault.focal)
        self._minutes: dict[int, dict[int, Condition]] = {}
        self._ratios: dict[tuple[int, int], float] = {}
        self._lags: dict[int, list[float]] = {}
        self._turned = {
            call.caller for focal in course.fault.focal for call in world.callers[focal] if not call.platform
        }
        self.touched = frozenset(self._reached)
        """The nodes whose requests reach the fault."""

    def at(self, node: int, minute: int) -> Condition | None:
        """A node at a minute; none where the fault does not reach it."""
        return self.minute(minute).get(node)

    def minute(self, minute: int) -> dict[int, Condition]:
        """Every node that the fault reaches, at a minute."""
        found = self._minutes.get(minute)
        if found is None:
            found = self._minutes[minute] = self._compute(minute)
        return found

    def _compute(self, minute: int) -> dict[int, Condition]:
        now: dict[int, Condition] = {}
        if minute < 0:
            return now
        for node in self._reached:
            found = self._condition(node, minute, now)
            if found is not None:
                now[node] = found
        return now

    def _condition(self, index: int, minute: int, now: dict[int, Condition]) -> Condition | None:
        """A node, given its callees at this minute."""
        node, fault = self.world.nodes[index], self.course.fault
        strain = self.course.strain(index, minute)
        met = [(call, now[call.callee]) for call in self.world.requests_of[index] if call.callee in now]
        if not met and strain is CALM:
            return None
        passed, waited, lost = 1.0, 0.0, strain.lost
        flows: dict[int, Flow] = {}
        for call, callee in met:
            flow = self._flow(call, callee)
            if flow.ill:
                flows[call.callee] = flow
            share = min(1.0, call.weight)
            patience = call.timeout * (1 + call.retries * flow.fail)
            longer = max(0.0, min(flow.p99, patience) - self.world.nodes[call.callee].p99)
            if flow.trouble == "late":
                lost = 1 - (1 - lost) * (1 - callee.lost)
            elif call.hard:
                passed *= 1 - share * flow.fail * 0.9**call.retries
                waited += share * longer
            else:
                waited += share * min(longer, 0.25 * node.p99)
        blamed = fault.blames.get(index)
        if blamed is not None and (strain.errors >= RED or strain.factor >= SLOW):
            usual = self.world.nodes[blamed].p99
            longer = usual + (strain.factor - 1) * max(usual, _WAIT)
            flows[blamed] = Flow(strain.errors, longer, fault.family.trouble, ill=True)
        if not flows and strain.errors <= 0.001 and strain.factor <= 1.01 and lost <= 0.001:
            return None
        p99 = node.p99 + (strain.factor - 1) * max(node.p99, _WAIT) + waited
        slower = p99 / node.p99
        busy = 1 + (slower - 1) * 0.45
        full = max(0.0, 1 - 1 / max(1.0, 0.3 * busy / _HEADROOM)) * 0.5 if node.kind in _POOLED else 0.0
        errors = 1 - passed * (1 - strain.errors) * (1 - full)
        if node.kind == "worker":
            lost = 1 - (1 - lost) * (1 - errors) / max(1.0, slower**0.5)
        return Condition(min(errors, 0.985), p99, slower, busy, lost, flows)

    def _flow(self, call: Call, callee: Condition) -> Flow:
        """What a caller meets on a call path."""
        late = min(0.9, max(0.0, (callee.p99 / call.timeout - _PATIENCE) / 2.2))
        fail = 1 - (1 - callee.errors) * (1 - late)
        fault = self.course.fault
        if call.callee in fault.strained and call.callee not in fault.blames:
            trouble = fault.family.trouble if fault.family.trouble != "none" else "errors"
            if trouble == "late":
                return Flow(0.0, callee.p99, "late", ill=callee.lost >= RED)
        elif self.world.nodes[call.callee].kind == "worker":
            trouble = "late"
        else:
            trouble = "slow" if late > callee.errors or callee.errors < RED else "errors"
        return Flow(fail, callee.p99, trouble, ill=fail >= RED or callee.slower >= SLOW)

    def lag(self, worker: int, minute: int) -> float:
        """The age in seconds of the oldest message that a worker has not handled."""
        if minute < 0 or worker not in self.touched:
            return 0.0
        known = self._lags.setdefault(worker, [])
        lag = known[-1] if known else 0.0
        for later in range(len(known), minute + 1):
            found = self.at(worker, later)
            lost = found.lost if found else 0.0
            lag = min(lag + 60 * lost, _MOST_LAG) if lost > _KEEPS_UP else max(0.0, lag - _CATCHES_UP)
            known.append(lag)
        return known[minute]

    def ratio(self, index: int, minute: int) -> float:
        """How many times the usual traffic a node gets."""
        key = (index, minute)
        known = self._ratios.get(key)
        if known is None:
            known = self._ratios[key] = self._ratio(index, minute)
        return known

    def _ratio(self, index: int, minute: int) -> float:
        usual = got = 0.0
        for call in self.world.requests_into[index]:
            part = self.world.nodes[call.caller].rate * call.weight
            usual += part
            got += part * self.arriving(call, minute)
        return (got / usual if usual else 1.0) * self.course.strain(index, minute).load

    def arriving(self, call: Call, minute: int) -> float:
        """How many times the usual number of calls of a caller gets to its callee: what fails is tried again within the
        caller's retry budget, what fails on its way never gets there, and who gets less done calls less."""
        ratio = self.ratio(call.caller, minute) * self._turning(call, minute)
        caller = self.at(call.caller, minute)
        if caller is None:
            return ratio
        if self.world.nodes[call.caller].kind == "worker":
            ratio *= 1 - caller.lost
        flow = caller.flows.get(call.callee)
        if flow is None:
            return ratio * (1 - 0.5 * caller.errors)
        tried = min(max(ratio, _RETRY_BUDGET), ratio * (1 + call.retries * min(flow.fail, 0.9)))
        return tried * (1 - flow.fail) if flow.trouble in _ON_THE_WAY else tried

    def _turning(self, call: Call, minute: int) -> float:
        """How many times the usual number of calls goes to a store, since a cache does not have the answers."""
        if call.caller not in self._turned or self.world.nodes[call.callee].kind not in STORES:
            return 1.0
        return self.course.strain(self.course.fault.focal[0], minute).behind

    def failing(self, index: int, minute: int) -> tuple[float, float]:
        """The share of requests to a node that fail, and how many times the usual they take."""
        found = self.at(index, minute)
        return (found.errors, found.slower) if found else (0.0, 1.0)


def reached(world: World, focal: tuple[int, ...]) -> tuple[int, ...]:
    """The nodes whose requests reach some nodes, those nodes included, callees before their callers."""
    found = set(focal)
    waiting = list(focal)
    while waiting:
        for call in world.callers[waiting.pop()]:
            if not call.platform and call.caller not in found:
                found.add(call.caller)
                waiting.append(call.caller)
    return tuple(index for index in world.order if index in found)


STORES = frozenset({"sql", "document", "search"})
"""Kinds of nodes that caches stand before."""
SERVING = frozenset({"edge", "gateway", "service"})
"""Kinds of nodes that journeys go through."""
DOORS = frozenset({"edge", "gateway"})
"""Kinds of nodes that page when one of their routes is unwell."""
_POOLED = frozenset({"gateway", "service", "worker"})
