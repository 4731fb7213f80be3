"""Metrics: normal values and recent samples of one node."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed, unit
from scenarios.generator.library import kinds
from scenarios.generator.simulate import SERVING
from scenarios.vocabulary import Metrics, Series

if TYPE_CHECKING:
    from scenarios.generator.family import Kind
    from scenarios.generator.scene import Scene, View
    from scenarios.generator.world import Journey, Node

SAMPLES = 10
_NOISE = 0.03
_SHADOW = 0.8
_MILD = 0.03
_HARM = frozenset({"replication", "skew", "hit", "blocked", "retries", "pending", "api", "throttled", "connections"})
"""Dimensions that callers would feel if they moved far."""
_BOUNDS = frozenset({"fds", "addresses"})
"""Dimensions that are full where they are short, for however short a time."""
_UNCOUNTED = frozenset({"unreachable", "unresolved", "stale"})
"""Troubles that a node does not count among its failed requests: they never came, or it answered."""
_TURNED_AWAY = frozenset({"blocked", "throttled"})
"""Dimensions that are the share of the requests turned away by a limit."""
_JOURNEY_NORMAL = 0.2
_COUNTS = frozenset(
    {"clients", "connections", "leases", "merges", "messages", "objects", "operations", "partitions", "pods"}
    | {"rotations", "routes", "runs", "sessions", "snapshots", "statements", "1/h"}
)
"""Units of what is counted one by one."""
_FEW = 10
_CHEAPER = 0.7
"""The share of the work that a request saves which fails at once."""
_SPARE = 0.55
"""How much of a change in traffic the processor feels."""


def metrics(scene: Scene, view: View, index: int, end: int) -> Metrics:
    step = max(2, -(-(scene.fault.now + 9) // (SAMPLES - 1)))
    times = [end - step * back for back in range(SAMPLES - 1, -1, -1)]
    node = scene.world.nodes[index]
    shown = [
        Series.model_construct(
            name=name,
            unit=unit_name,
            normal=_tidy(normal_of(node, dim), unit_name),
            recent=tuple(
                _shown(value_of(scene, view, index, dim, time), unit_name, mixed(scene.key, index, number, time))
                for time in times
            ),
        )
        for number, (dim, (name, unit_name, _, _)) in enumerate(kinds()[node.kind].metrics.items())
    ]
    shown += [
        Series.model_construct(
            name=f'journey_failed_ratio{{journey="{journey.name}"}}',
            unit="%",
            normal=_JOURNEY_NORMAL,
            recent=tuple(
                _shown(_journey_share(scene, view, journey, time), "%", mixed(scene.key, number, time))
                for time in times
            ),
        )
        for number, journey in enumerate(scene.world.journeys, 90)
        if index == journey.door and index != journey.entry and index not in scene.background.dark
    ]
    return Metrics.model_construct(service=node.name, as_of=scene.moment(end), step_minutes=step, series=tuple(shown))


def _journey_share(scene: Scene, view: View, journey: Journey, minute: int) -> float:
    return 100 * journey_failing(scene, view, journey, minute)[0] + _JOURNEY_NORMAL


def journey_failing(scene: Scene, view: View, journey: Journey, minute: int) -> tuple[float, float]:
    """The share of a journey's requests that fail, all doors on its way included, and how many times longer they take.

    For work that is done in the background it is the share of messages that wait for more than two minutes.
    """
    key = (journey.entry, journey.door, minute)
    known = view.journeys.get(key)
    if known is None:
        known = view.journeys[key] = _journey_failing(scene, view, journey, minute)
    return known


def _journey_failing(scene: Scene, view: View, journey: Journey, minute: int) -> tuple[float, float]:
    simulation, world = view.simulation, scene.world
    entry = world.nodes[journey.entry]
    if entry.kind == "worker":
        lag = simulation.lag(journey.entry, minute) if minute >= 0 else 0.0
        return (min(1.0, lag / 600) if lag > 120 else 0.0), 1.0
    errors, slower = simulation.failing(journey.entry, minute)
    passed = 1 - errors
    for door in world.doors_of(journey):
        found = simulation.at(door, minute)
        if found is None:
            continue
        strain = view.course.strain(door, minute)
        passed *= 1 - strain.errors
        slower = max(slower, strain.factor)
        for callee, flow in found.flows.items():
            if world.nodes[callee].kind not in SERVING:
                passed *= 1 - flow.fail
                slower = max(slower, flow.p99 / max(world.nodes[callee].p99, 40.0))
    return 1 - passed, slower


def normal_of(node: Node, dim: str) -> float:
    """The usual value of a dimension of a node."""
    match dim:
        case "rate":
            return node.rate
        case "errors":
            return 100 * node.errors
        case "p50":
            return node.p50
        case "p99":
            return node.p99
        case "lag":
            return 4.0
        case "backlog":
            return max(3.0, node.rate * 0.6)
        case "origin":
            return node.rate * (1 - _usual(node.kind, node.key, "hit") / 100)
        case "retries":
            return min(_usual(node.kind, node.key, dim), _MOST_RETRIED * node.rate)
    return _usual(node.kind, node.key, dim)


_MOST_RETRIED = 0.02
"""The share of requests that are usually tried again, at most."""


@lru_cache(maxsize=16384)
def _usual(kind: Kind, key: int, dim: str) -> float:
    """The usual value of a dimension that a kind of node has, drawn for a node."""
    metrics = kinds()[kind].metrics
    _, _, low, high = metrics[dim]
    return round(low + (high - low) * unit(key, list(metrics).index(dim)), 2 if high < 10 else 1)


def value_of(scene: Scene, view: View, index: int, dim: str, minute: int) -> float:
    """The value of a dimension of a node at a minute, before noise."""
    node = scene.world.nodes[index]
    simulation = view.simulation
    found = simulation.at(index, minute)
    usual = normal_of(node, dim)
    told = told_by_family(scene, index).get(dim)
    if told is not None:
        level = view.course.level(index, minute)
        return usual + (told - usual) * level * (_hit(scene, index) if dim == "errors" else 1.0)
    match dim:
        case "rate":
            served = 1 - found.lost if found and node.kind in {"worker", "cron"} else 1.0
            return usual * simulation.ratio(index, minute) * served
        case "errors":
            return (
                usual + 100 * _counted(view, index, minute) if node.kind not in _QUIETLY or _own(view, index) else usual
            )
        case "p50":
            return usual * found.slower**0.75 if found and _felt_by_most(scene, view, index, minute) else usual
        case "p99":
            return usual * found.slower if found else usual
        case "lag":
            return max(usual, simulation.lag(index, minute)) if minute >= 0 else usual
        case "backlog":
            return _backlog(scene, view, index, minute, usual)
    return _moved(scene, view, index, dim, minute, usual)


def _hit(scene: Scene, index: int) -> float:
    """The share of the callers of a node that its fault hits: what it refuses or fails is no more than they ask for."""
    fault = scene.fault
    if fault.family.spread not in {"subscribers", "tenants"}:
        return 1.0
    callers = scene.world.callers[index]
    hit = sum(call.caller in fault.strained for call in callers)
    return max(_LEAST_HIT, hit / len(callers)) if callers else 1.0


_LEAST_HIT = 0.12
"""So little of a share is still to be seen."""


def _felt_by_most(scene: Scene, view: View, index: int, minute: int) -> bool:
    """Whether the request in the middle is slow too: a few slow routes do not move it."""
    if view.course.strain(index, minute).factor > 1:
        return True
    found = view.simulation.at(index, minute)
    ill = found.flows if found else {}
    return sum(min(1.0, call.weight) for call in scene.world.calls[index] if call.callee in ill) > _MIDDLE


_MIDDLE = 0.5


_QUIETLY = frozenset({"network", "cluster", "dns"})


def _counted(view: View, index: int, minute: int) -> float:
    """The share of the requests to a node that it counts as failed."""
    found, fault = view.simulation.at(index, minute), view.course.fault
    if found is None:
        return 0.0
    if fault.family.trouble not in _UNCOUNTED or index not in fault.strained or index in fault.blames:
        return found.errors
    return max(0.0, 1 - (1 - found.errors) / (1 - view.course.strain(index, minute).errors))


def _own(view: View, index: int) -> bool:
    return index in view.course.fault.strained


def _backlog(scene: Scene, view: View, index: int, minute: int, usual: float) -> float:
    if minute < 0:
        return usual
    workers = (
        [call.caller for call in scene.world.callers[index] if scene.world.nodes[call.caller].kind == "worker"]
        if scene.world.nodes[index].kind == "queue"
        else [index]
    )
    return usual + sum(view.simulation.lag(one, minute) * scene.world.nodes[one].rate * 0.8 for one in workers)


def _moved(scene: Scene, view: View, index: int, dim: str, minute: int, usual: float) -> float:
    """A dimension that faults, oddities and load move."""
    fault = view.course.fault
    found = view.simulation.at(index, minute)
    shadow = scene.background.shadows.get(index)
    if shadow is not None and dim in shadow.root.metrics:
        share = _MILD if dim in _HARM else 1.0 if dim in _BOUNDS else _SHADOW
        return usual + (shadow.root.metrics[dim] - usual) * share
    anomaly = scene.background.anomalies.get(index)
    if anomaly is not None and dim in anomaly.metrics:
        return anomaly.metrics[dim]
    if dim == "retries" and found is not None:
        again = sum(
            call.retries * flow.fail * call.weight
            for call in scene.world.calls[index]
            if (flow := found.flows.get(call.callee)) is not None
        )
        return usual + again * scene.world.nodes[index].rate * view.simulation.ratio(index, minute)
    if dim == "cpu" or dim in _BUSY:
        ratio = view.simulation.ratio(index, minute) * (1 - _CHEAPER * view.course.strain(index, minute).errors)
        busy = found.busy if found is not None and index not in fault.strained else 1.0
        if dim in _BUSY:
            return min(100.0, _under(usual, 0.5 + 0.5 * ratio) * busy)
        return _under(usual, 1 + (ratio - 1) * _SPARE)
    return usual


def _under(usual: float, times: float) -> float:
    """A share in use under some times the usual load: what answers as quickly as ever is not full."""
    return usual * times if times <= 1 else usual + max(0.0, _FULL - usual) * (1 - 1 / times)


_BUSY = frozenset({"pool", "threads"})
_FULL = 86.0


def told_by_family(scene: Scene, index: int) -> dict[str, float]:
    """The dimensions that the fault's family moves at a node."""
    fault = scene.fault
    told = fault.family.root.metrics if index == fault.root else {}
    if index == fault.shared:
        told = fault.family.focal.metrics
    if "rate" in told:
        told = {**told, "rate": told["rate"] * scene.world.nodes[index].rate}
    if fault.family.mechanism == "throttling" and not _TURNED_AWAY.isdisjoint(told):
        share = 100 * fault.numbers["share"]
        return {dim: share if dim in _TURNED_AWAY else value for dim, value in told.items()}
    return told


def _shown(value: float, unit_name: str, key: int) -> float:
    """A sample of a value: with noise, which is small where few things are counted and where a share is nearly full."""
    spread = abs(value)
    if unit_name == "%":
        spread = min(spread, max(0.0, 2 * (100 - value)))
    elif unit_name in _COUNTS and spread < _FEW:
        spread = 0.0
    noisy = value + spread * _NOISE * (2 * unit(key) - 1)
    return _tidy(min(100.0, noisy) if unit_name == "%" else noisy, unit_name)


def _tidy(value: float, unit_name: str) -> float:
    """Three figures, as dashboards print them; counts are whole."""
    size = abs(value)
    if unit_name in _COUNTS:
        return float(round(value))
    if size >= 100:
        return float(round(value))
    return round(value, 1 if size >= 10 else 2)
