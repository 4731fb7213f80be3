"""A system laid out as flat arrays, so that one step ticks every component, instance, route and call at once.

Several systems may stand behind one another on the same axes: they meet in no index, so a system's numbers are the
same whatever it is laid out with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import hash_names
from scenarios.world.remembering import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenarios.world.system import Component, Feature, System

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

COMPONENT_PARAMETERS = ("patience", "connections", "connection_memory", "request_memory")
_ROWS = 7
"""The most sums by one index that are made at once."""
INSTANCE_PARAMETERS = (
    "patience",
    "slots",
    "queue",
    "cores",
    "memory",
    "base_memory",
    "memory_swing",
    "collects",
    "warm_seconds",
    "automatic_starts",
)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What does not change while a system runs. An index names an instance, component, route, call, link or journey.

    Instances that are not `planned` are spares: they stand behind the others of their component, and do not run at the
    start. A link is the pool that one instance of a caller has for one call. `inputs` are the calls of each route, one
    column for each, and the last call, which stands for none, where there are fewer. What ends in `rows` is an index
    for several sums at once, as `_repeat` makes it. `instance_release` is the place of an instance's first release. Of
    `call_again`, a row for the second and one for the third attempt, 1 says that there is one. `link_target` is the
    component that is called, `call_caller` the one that calls. `tries_again` says whether users of any journey do, and
    `no_requests` are none at each route. `entry_route` are the routes at which journeys enter,
    `entry_deadline` the shortest deadline of theirs.
    """

    systems: tuple[System, ...]
    components: tuple[Component, ...]
    component_names: tuple[str, ...]
    route_names: tuple[str, ...]
    call_names: tuple[tuple[str, str], ...]
    topic_names: tuple[str, ...]
    group_names: tuple[str, ...]
    instance_component: Indices
    instance_component_rows: Indices
    instance_planned: NDArray[np.bool_]
    instance_release: Indices
    release_work: Floats
    release_errors: Floats
    release_leak: Floats
    release_slots: Floats
    release_keeps: Floats
    release_sends: Floats
    release_attempts: Floats
    features: tuple[tuple[int, Feature], ...]
    route_component: Indices
    route_component_rows: Indices
    route_work: Floats
    route_spread: Floats
    route_cpu: Floats
    route_errors: Floats
    call_source: Indices
    call_target: Indices
    call_caller: Indices
    call_target_rows: Indices
    call_weight: Floats
    call_deadline: Floats
    call_loss: Floats
    call_attempts: Floats
    call_again: Floats
    call_required: Floats
    call_component: Indices
    call_to_broker: NDArray[np.bool_]
    call_counts_connections: NDArray[np.bool_]
    link_call: Indices
    link_instance: Indices
    link_pool: Floats
    link_target: Indices
    link_checks: NDArray[np.bool_]
    link_counts_connections: NDArray[np.bool_]
    inputs: Indices
    call_place: Indices
    latency_rows: Indices
    late_route: Indices
    late_deadline: Floats
    journey_entry: Indices
    journey_demand: Floats
    journey_retries: Floats
    tries_again: bool
    no_requests: Floats
    entry_route: Indices
    entry_deadline: Floats
    component: dict[str, Floats]
    instance: dict[str, Floats]
    component_noise: NDArray[np.uint64]
    journey_noise: NDArray[np.uint64]
    instance_noise: NDArray[np.uint64]
    memory: Memory = field(default_factory=Memory)
    """What was computed last of all that seldom changes."""

    def count(self) -> tuple[int, int, int, int]:
        """Components, instances, routes and calls."""
        return len(self.components), len(self.instance_component), len(self.route_work), len(self.call_weight)


def lay_out(systems: Sequence[System]) -> Layout:
    """The arrays of some systems, one behind the other."""
    components: list[Component] = []
    names: list[str] = []
    routes: list[str] = []
    calls = []
    journeys = []
    component_noise, journey_noise, instance_noise = [], [], []
    keys = _Keys()
    of_component: dict[str, int] = {}
    of_route: dict[str, int] = {}
    for number, system in enumerate(systems):
        for component in system.components:
            of_component[f"{number}:{component.name}"] = len(components)
            components.append(component)
            names.append(component.name)
        for route in system.list_routes():
            of_route[f"{number}:{route}"] = len(routes)
            routes.append(route)
        calls += [(of_route[f"{number}:{c.source}"], of_route[f"{number}:{c.target}"], c) for c in system.calls]
        journeys += [(of_route[f"{number}:{j.entry}"], j) for j in system.journeys]
        component_noise.append(keys.find(system.seed, [c.name for c in system.components], "work"))
        each_instance = [f"{part.name}/{place}" for part in system.components for place in range(part.most)]
        instance_noise.append(keys.find(system.seed, each_instance, "start"))
        journey_noise.append(keys.find(system.seed, [j.name for j in system.journeys], "arrivals"))
    each = [(index, route) for index, component in enumerate(components) for route in component.routes]
    instances = [index for index, component in enumerate(components) for _ in range(component.most)]
    planned = [place < component.instances for component in components for place in range(component.most)]
    first = np.searchsorted(np.array(instances), np.arange(len(components)))
    route_component = [index for index, _ in each]
    links = [
        (number, int(first[source]) + place, call.pool)
        for number, (route, _, call) in enumerate(calls)
        for source in [route_component[route]]
        for place in range(components[source].most)
    ]
    targets = [components[route_component[target]] for _, target, _ in calls]
    weights = np.array([call.weight for _, _, call in calls])
    attempts = np.array([float(call.attempts) for _, _, call in calls])
    deadlines: dict[int, float] = {}
    for entry, journey in journeys:
        deadlines[entry] = min(journey.deadline, deadlines.get(entry, journey.deadline))
    releases = [release for component in components for release in component.releases]
    places = list(accumulate((len(component.releases) for component in components), initial=0))
    counts = np.array([target.kind.kernel == "store" for target in targets], dtype=np.bool_)
    checks = np.array(
        [components[route_component[source]].get("checks_connections") > 0 for source, _, _ in calls], dtype=np.bool_
    )
    link_call = np.array([call for call, _, _ in links], dtype=np.int64)
    call_component = np.array([route_component[target] for _, target, _ in calls], dtype=np.int64)
    return Layout(
        systems=tuple(systems),
        components=tuple(components),
        component_names=tuple(names),
        route_names=tuple(routes),
        call_names=tuple((call.source, call.target) for _, _, call in calls),
        topic_names=tuple(topic.name for system in systems for topic in system.topics),
        group_names=tuple(group.name for system in systems for group in system.groups),
        instance_component=np.array(instances),
        instance_component_rows=_repeat(instances, len(components)),
        instance_planned=np.array(planned, dtype=np.bool_),
        instance_release=np.array([places[own] for own in instances]),
        release_work=np.array([release.work for release in releases]),
        release_errors=np.array([release.errors for release in releases]),
        release_leak=np.array([release.leak for release in releases]),
        release_slots=np.array([release.slots for release in releases]),
        release_keeps=np.array([release.keeps for release in releases]),
        release_sends=np.array([release.sends for release in releases]),
        release_attempts=np.array([float(release.attempts) for release in releases]),
        features=tuple((n, feature) for n, component in enumerate(components) for feature in component.features),
        route_component=np.array(route_component),
        route_component_rows=_repeat(route_component, len(components)),
        route_work=np.array([route.work for _, route in each]),
        route_spread=_spread(systems, keys),
        route_cpu=np.array([route.cpu for _, route in each]),
        route_errors=np.array([route.errors + components[own].get("stray_errors") for own, route in each]),
        call_source=np.array([source for source, _, _ in calls], dtype=np.int64),
        call_target=np.array([target for _, target, _ in calls], dtype=np.int64),
        call_caller=np.array([route_component[source] for source, _, _ in calls], dtype=np.int64),
        call_target_rows=_repeat([target for _, target, _ in calls], len(routes)),
        call_weight=weights,
        call_deadline=np.array([call.deadline for _, _, call in calls]),
        call_loss=np.array([components[route_component[source]].get("stray_timeouts") for source, _, _ in calls]),
        call_attempts=attempts,
        call_again=np.array([(attempts > 1.0) * 1.0, (attempts > 2.0) * 1.0]),
        call_required=np.array([0.0 if call.optional else 1.0 for _, _, call in calls]),
        call_component=call_component,
        call_to_broker=np.array([target.kind.kernel == "broker" for target in targets], dtype=np.bool_),
        call_counts_connections=counts,
        link_call=link_call,
        link_instance=np.array([instance for _, instance, _ in links], dtype=np.int64),
        link_pool=np.array([pool for _, _, pool in links]),
        link_target=call_component[link_call],
        link_checks=checks[link_call],
        link_counts_connections=counts[link_call],
        inputs=_pad(_list_inputs([source for source, _, _ in calls], len(routes)), len(calls)),
        call_place=_place_calls([source for source, _, _ in calls], len(routes)),
        latency_rows=_repeat([*range(len(routes)), *(source for source, _, _ in calls)], len(routes), 5),
        late_route=np.array([*(target for _, target, _ in calls), *deadlines], dtype=np.int64),
        late_deadline=np.array([*(call.deadline for _, _, call in calls), *deadlines.values()]),
        journey_entry=np.array([entry for entry, _ in journeys], dtype=np.int64),
        journey_demand=np.array([journey.demand for _, journey in journeys]),
        journey_retries=np.array([journey.retries for _, journey in journeys]),
        tries_again=any(journey.retries for _, journey in journeys),
        no_requests=_share_nothing(len(routes)),
        entry_route=np.array(list(deadlines), dtype=np.int64),
        entry_deadline=np.array(list(deadlines.values())),
        component=dict(zip(COMPONENT_PARAMETERS, get_parameters(components, COMPONENT_PARAMETERS), strict=True)),
        instance={
            name: values[instances]
            for name, values in zip(INSTANCE_PARAMETERS, get_parameters(components, INSTANCE_PARAMETERS), strict=True)
        },
        component_noise=np.concatenate(component_noise),
        journey_noise=np.concatenate(journey_noise),
        instance_noise=np.concatenate(instance_noise),
    )


def _share_nothing(routes: int) -> Floats:
    """Zeros that steps and ticks have in common, so that nobody may write into them."""
    nothing = np.zeros(routes)
    nothing.flags.writeable = False
    return nothing


TAILS = {
    "short": (0.6, 1.0, 1.6, 2.8, 6.0),
    "even": (0.55, 1.0, 1.9, 3.9, 9.0),
    "usual": (0.5, 1.0, 2.2, 5.0, 12.0),
    "wide": (0.45, 1.0, 2.6, 6.2, 16.0),
    "long": (0.4, 1.0, 2.9, 8.1, 24.0),
}
"""Own work at the knots of latencies, in medians."""


def _spread(systems: Sequence[System], hashed: _Keys) -> Floats:
    """The tail of each route: that of the document, or else one that follows from its name, a column each."""
    shapes = list(TAILS.values())
    columns = []
    for system in systems:
        keys = hashed.find(system.seed, system.list_routes(), "tail").tolist()
        given = [route.tail for component in system.components for route in component.routes]
        columns += [TAILS[tail] if tail else shapes[key % len(shapes)] for tail, key in zip(given, keys, strict=True)]
    return np.array(columns).reshape(len(columns), len(shapes)).transpose().copy()


def get_parameters(components: Sequence[Component], names: Sequence[str]) -> list[Floats]:
    """Some parameters of components, an array by component for each. What systems share is asked once."""
    known = {id(component): component for component in components}
    asked = {key: [component.get(name) for name in names] for key, component in known.items()}
    rows = [asked[id(component)] for component in components]
    return [np.array([row[place] for row in rows], dtype=np.float64) for place in range(len(names))]


class _Keys:
    """Hashes of names, each made once: systems that are laid out together have most of their names in common."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, tuple[str, ...]], NDArray[np.uint64]] = {}

    def find(self, seed: int, names: list[str], purpose: str) -> NDArray[np.uint64]:
        key = seed, purpose, tuple(names)
        if key not in self._known:
            self._known[key] = hash_names(seed, names, purpose)
        return self._known[key]


def _list_inputs(sources: list[int], routes: int) -> list[list[int]]:
    """The calls of each route."""
    rows: list[list[int]] = [[] for _ in range(routes)]
    for call, source in enumerate(sources):
        rows[source].append(call)
    return rows


def _place_calls(sources: list[int], routes: int) -> Indices:
    """Where calls stand in `inputs`, counted over all its columns."""
    rows = _list_inputs(sources, routes)
    places = {call: place * routes + route for route, row in enumerate(rows) for place, call in enumerate(row)}
    return np.array([places[call] for call in range(len(sources))], dtype=np.int64)


def _repeat(index: list[int], size: int, rows: int = _ROWS) -> Indices:
    """An index again and again, each time `size` places further on."""
    return np.array([row * size + place for row in range(rows) for place in index], dtype=np.int64)


def _pad(rows: list[list[int]], nothing: int) -> Indices:
    """Rows of indices as columns, the last ones filled with an index that stands for nothing."""
    width = max((len(row) for row in rows), default=0)
    return np.array(
        [[row[column] if column < len(row) else nothing for row in rows] for column in range(width)], dtype=np.int64
    ).reshape(width, len(rows))
