"""Network paths: instances stand in zones, and what goes from one zone to another may be lost or come later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing

_OUT_SECONDS = 30.0
"""How long health checks fail until an instance gets no requests: three checks, ten seconds apart."""
_BACK_FACTOR = 1.5
"""Two checks that succeed bring it back."""
_CHECK_FAILS = 0.5
"""The share of packets lost from which a health check fails."""
_NOTHING = np.array(0.0)


class _Quiet(NamedTuple):
    """The components and instances of systems that have nothing between their zones."""

    components: NDArray[np.bool_]
    instances: NDArray[np.bool_]


class Crossing(NamedTuple):
    """What the network does in a step, and the `pull` of each instance with what is `pulled` by all of a component."""

    ways: Ways
    pull: Floats
    pulled: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """What the network does to whatever is sent now. By call the share `lost` and the seconds of `delay`.

    What instances get of calls is added up over some rows: of each, `sending` is the share of a call that takes this
    way, and `through` what each instance of the callee gets of that. `rows` is the index of callees, for all of them.
    """

    lost: Floats
    delay: Floats
    sending: Floats
    through: Floats
    rows: Indices


@dataclass(slots=True, eq=False)
class Paths:
    """Zones and what lies between them. `loss` and `latency` are by system, from zone and to zone.

    `isolated` is the share that a zone loses of all that crosses its border. `failing` are the seconds for which the
    health checks from a zone to an instance have failed, and `out` says which get nothing for that.
    """

    instance_zone: Indices
    component_system: Indices
    caller: Indices
    callee: Indices
    checks: NDArray[np.bool_]
    routers: tuple[tuple[int, int, int, int], ...]
    usual_loss: Floats
    usual_latency: Floats
    loss: Floats
    latency: Floats
    isolated: Floats
    failing: Floats
    out: NDArray[np.bool_]

    @classmethod
    def start(cls, layout: Layout) -> Paths:
        zones = max(len(system.zones) for system in layout.systems)
        places: list[int] = []
        of_system: list[int] = []
        routers: list[tuple[int, int, int, int]] = []
        loss = np.zeros((len(layout.systems), zones, zones))
        latency = np.zeros((len(layout.systems), zones, zones))
        for number, system in enumerate(layout.systems):
            first = len(of_system)
            names = [component.name for component in system.components]
            for component in system.components:
                spread = component.zones or system.zones
                places += [system.zones.index(spread[place % len(spread)]) for place in range(component.most)]
                of_system.append(number)
            for link in system.links:
                near, far = (system.zones.index(zone) for zone in link.between)
                for begin, end in ((near, far), (far, near)):
                    loss[number, begin, end], latency[number, begin, end] = link.loss, link.latency
                if link.router is not None:
                    routers.append((first + names.index(link.router), number, near, far))
        caller = layout.route_component[layout.call_source]
        health = np.array([component.get("health_checks") > 0 for component in layout.components], dtype=np.bool_)
        return cls(
            instance_zone=np.array(places, dtype=np.int64),
            component_system=np.array(of_system, dtype=np.int64),
            caller=caller,
            callee=layout.route_component[layout.call_target],
            checks=health[caller],
            routers=tuple(routers),
            usual_loss=loss.copy(),
            usual_latency=latency.copy(),
            loss=loss,
            latency=latency,
            isolated=np.zeros((len(layout.systems), zones)),
            failing=np.zeros((zones, len(places))),
            out=np.zeros((zones, len(places)), dtype=np.bool_),
        )

    def step(self, layout: Layout, standing: Standing, sent: Floats, users: Floats, seconds: float) -> Crossing:
        """Cross the network once. `sent` are attempts by call a step before, `users` their requests by component."""
        kept = (standing, self.loss.tobytes(), self.isolated.tobytes())
        losing = layout.memory.get(kept, Paths._find_losing, self, layout, standing)
        if losing is None and not (np.count_nonzero(self.latency) or np.count_nonzero(self.out)):
            self.failing[:] = 0.0
            return Crossing(layout.memory.get((), _cross_nothing, layout), standing.open_, standing.count)
        quiet = self._find_quiet(layout, standing, losing)
        self._check_health(layout, (*kept, seconds), losing, seconds)
        seen = (*kept, self.latency.tobytes(), self.out.tobytes())
        ways = layout.memory.get(seen, Paths._find_ways, self, layout, standing, losing)
        own = layout.instance_component
        pull = (users / standing.some)[own] * standing.open_
        count, components = len(ways.sending), len(layout.components)
        asked = add_up(ways.rows, (sent * ways.sending).ravel(), count * components).reshape(count, components)
        got = asked.take(own, axis=1) * ways.through
        for row in range(count):
            pull += got[row]
        pulled = add_up(own, pull, components)
        unasked = pulled <= _NOTHING
        if np.count_nonzero(unasked):
            # Nothing is pulled there, so what is added is what there is.
            more = layout.memory.get((standing, unasked.tobytes()), _pull_evenly, layout, standing, unasked)
            pull, pulled = pull + more[0], pulled + more[1]
        if quiet is not None:
            # As if they were alone, to the last digit.
            self.failing[:, quiet.instances] = 0.0
            pull = np.where(quiet.instances, standing.open_, pull)
            pulled = np.where(quiet.components, standing.count, pulled)
        return Crossing(ways, pull, pulled)

    def list_bytes(self) -> tuple[bytes, bytes, bytes]:
        """What is lost, how long it takes, and which zones are cut off."""
        return self.loss.tobytes(), self.latency.tobytes(), self.isolated.tobytes()

    def find_worst(self, components: int) -> tuple[Floats, Floats]:
        """The share of packets that the worst link of each router loses, and the seconds that its slowest one takes."""
        loss, latency = np.zeros(components), np.zeros(components)
        for component, system, begin, end in self.routers:
            for zone in (begin, end):
                loss[component] = max(float(loss[component]), float(self.isolated[system, zone]))
            for place in ((system, begin, end), (system, end, begin)):
                loss[component] = max(float(loss[component]), float(self.loss[place]))
                latency[component] = max(float(latency[component]), float(self.latency[place]))
        return loss, latency

    def restore(self, router: int) -> int:
        """Put the routes of the links of a router back as they were. Returns how many were otherwise."""
        changed = 0
        for component, system, begin, end in self.routers:
            if component == router:
                for place in ((system, begin, end), (system, end, begin)):
                    differs = self.loss[place] != self.usual_loss[place]
                    changed += int(differs or self.latency[place] != self.usual_latency[place])
                    self.loss[place] = self.usual_loss[place]
                    self.latency[place] = self.usual_latency[place]
                for zone in (begin, end):
                    changed += int(self.isolated[system, zone] > 0.0)
                    self.isolated[system, zone] = 0.0
        return changed

    def _find_quiet(self, layout: Layout, standing: Standing, losing: Floats | None) -> _Quiet | None:
        """The systems without anything between their zones that stand beside others; None if there are none."""
        if len(layout.systems) == 1:
            return None
        loud = np.any(self.latency, axis=(1, 2))
        if losing is not None:
            loud |= np.any(self._find_loss(standing), axis=(1, 2))
        of_instance = self.component_system[layout.instance_component]
        loud[of_instance[np.any(self.out, axis=0)]] = True
        return None if np.all(loud) else _Quiet(~loud[self.component_system], ~loud[of_instance])

    def _find_losing(self, layout: Layout, standing: Standing) -> Floats | None:
        """What is lost from each zone to each instance, None if nothing is lost anywhere."""
        loss = self._find_loss(standing)
        return self._spread(layout, loss) if np.any(loss) else None

    def _find_loss(self, standing: Standing) -> Floats:
        """What is lost between the zones of each system."""
        loss = self.loss
        if self.routers or np.any(self.isolated):
            within = np.eye(loss.shape[1])
            crosses = np.maximum(self.isolated[:, :, None], self.isolated[:, None, :]) * (1.0 - within)
            loss = np.maximum(loss, crosses)
            for component, system, begin, end in self.routers:
                if standing.count[component] <= 0.0:
                    loss[system, begin, end] = loss[system, end, begin] = 1.0
        return loss

    def _spread(self, layout: Layout, of_zones: Floats) -> Floats:
        """What lies between zones, from each zone to each instance."""
        system = self.component_system[layout.instance_component]
        return np.array([of_zones[system, zone, self.instance_zone] for zone in range(len(self.failing))])

    def _find_ways(self, layout: Layout, standing: Standing, losing: Floats | None) -> Ways:
        """What the network does now."""
        own, components, calls = layout.instance_component, len(layout.components), len(self.caller)
        if losing is None:
            losing = np.zeros(self.failing.shape)
        latency = self._spread(layout, self.latency)
        lost, delay, arriving = np.zeros(calls), np.zeros(calls), np.zeros(calls)
        ways: list[tuple[Floats, Floats]] = []
        blind = _share_out(own, standing.open_, components)
        for zone, late in enumerate(latency):
            here = (add_up(own, standing.open_ * (self.instance_zone == zone), components) / standing.some)[self.caller]
            for sending, share, senders in self._list_senders(layout, standing, zone, here, blind):
                through = share * (1.0 - losing[zone])
                lost = lost + sending * add_up(own, share * losing[zone], components)[self.callee]
                delay = delay + sending * add_up(own, through * late, components)[self.callee]
                arriving = arriving + sending * add_up(own, through, components)[self.callee]
                ways += [(each, through) for each in senders if np.any(each)]
        return Ways(
            lost=np.minimum(1.0, lost),
            delay=delay / np.maximum(arriving, 1e-12),
            sending=np.array([sending for sending, _ in ways]).reshape(len(ways), calls),
            through=np.array([through for _, through in ways]).reshape(len(ways), len(own)),
            rows=np.array([self.callee + row * components for row in range(len(ways))], dtype=np.int64).ravel(),
        )

    def _list_senders(
        self, layout: Layout, standing: Standing, zone: int, here: Floats, blind: Floats
    ) -> list[tuple[Floats, Floats, tuple[Floats, ...]]]:
        """Who sends from a zone: the shares of calls, what instances get of them, and the shares one by one."""
        apart = tuple(here * (self.checks == checks) for checks in (False, True))
        if not np.any(self.out[zone]):
            # With no instance out, those that check and those that do not send to the same ones.
            return [(here, blind, apart)]
        own, components = layout.instance_component, len(layout.components)
        healthy = _share_out(own, standing.open_ * ~self.out[zone], components)
        # Where no instance is healthy, a load balancer sends to all of them rather than to none.
        healthy = np.where(add_up(own, healthy, components)[own] > 0.0, healthy, blind)
        return [(sending, share, (sending,)) for sending, share in zip(apart, (blind, healthy), strict=True)]

    def _check_health(self, layout: Layout, kept: tuple[object, ...], losing: Floats | None, seconds: float) -> None:
        """Health checks of each zone fail where much is lost, and take instances out or bring them back."""
        seen = (*kept, self.failing.tobytes(), self.out.tobytes())
        if layout.memory.is_at_rest("health", seen):
            return
        fails = np.zeros(self.failing.shape, dtype=np.bool_) if losing is None else losing >= _CHECK_FAILS
        longer = np.minimum(_OUT_SECONDS, self.failing + seconds)
        self.failing = np.where(fails, longer, np.maximum(0.0, self.failing - seconds * _BACK_FACTOR))
        self.out = np.where(fails, self.failing >= _OUT_SECONDS, self.out & (self.failing > 0.0))
        if (self.failing.tobytes(), self.out.tobytes()) == seen[-2:]:
            layout.memory.note_rest("health", seen)


def _cross_nothing(layout: Layout) -> Ways:
    """What the network does where there is one place."""
    calls, instances = len(layout.call_weight), len(layout.instance_component)
    nowhere = np.zeros(0, dtype=np.int64)
    return Ways(np.zeros(calls), np.zeros(calls), np.zeros((0, calls)), np.zeros((0, instances)), nowhere)


def _pull_evenly(layout: Layout, standing: Standing, unasked: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """What instances pull of components that nobody asks, and what these pull."""
    return standing.open_ * unasked[layout.instance_component], standing.count * unasked


def _share_out(own: Indices, weights: Floats, components: int) -> Floats:
    """The share of each instance in the weights of its component."""
    return np.asarray(weights / np.maximum(add_up(own, weights, components), 1e-12)[own])
