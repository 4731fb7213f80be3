"""Network paths: instances stand in zones, and what goes from one zone to another may be lost or come later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.world.flows import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout

_OUT_SECONDS = 30.0
"""How long health checks fail until an instance gets no requests: three checks, ten seconds apart."""
_BACK_FACTOR = 1.5
"""Two checks that succeed bring it back."""
_CHECK_FAILS = 0.5
"""The share of packets lost from which a health check fails."""


class Crossing(NamedTuple):
    """What the network does in a step: by call the share `lost` and the seconds of `delay`; `pull` by instance."""

    lost: Floats
    delay: Floats
    pull: Floats


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

    def step(self, layout: Layout, open_: Floats, sent: Floats, users: Floats, seconds: float) -> Crossing:
        """Cross the network once. `open_` is by instance, `sent` and `users` by call and component a step before."""
        calls = len(self.caller)
        loss = self._find_loss(layout, open_)
        if not (np.any(loss) or np.any(self.latency) or np.any(self.out)):
            self.failing[:] = 0.0
            return Crossing(np.zeros(calls), np.zeros(calls), open_)
        own, components = layout.instance_component, len(layout.components)
        system, zones = self.component_system[own], len(self.failing)
        everywhere = np.maximum(add_up(own, open_, components), 1.0)
        lost, delay, arriving = np.zeros(calls), np.zeros(calls), np.zeros(calls)
        pull = (users / everywhere)[own] * open_
        for zone in range(zones):
            here = add_up(own, open_ * (self.instance_zone == zone), components) / everywhere
            losing = loss[system, zone, self.instance_zone]
            late = self.latency[system, zone, self.instance_zone]
            self._check_health(zone, losing, seconds)
            blind = _share_out(own, open_, components)
            if not np.any(self.out[zone]):
                # With no instance out, those that check and those that do not send to the same ones.
                through = blind * (1.0 - losing)
                lost = lost + here[self.caller] * add_up(own, blind * losing, components)[self.callee]
                delay = delay + here[self.caller] * add_up(own, through * late, components)[self.callee]
                arriving = arriving + here[self.caller] * add_up(own, through, components)[self.callee]
                for checks in (False, True):
                    sending = here[self.caller] * (self.checks == checks)
                    pull = pull + add_up(self.callee, sent * sending, components)[own] * through
                continue
            healthy = _share_out(own, open_ * ~self.out[zone], components)
            # Where no instance is healthy, a load balancer sends to all of them rather than to none.
            healthy = np.where(add_up(own, healthy, components)[own] > 0.0, healthy, blind)
            for checks, share in ((False, blind), (True, healthy)):
                sending = here[self.caller] * (self.checks == checks)
                through = share * (1.0 - losing)
                lost = lost + sending * add_up(own, share * losing, components)[self.callee]
                delay = delay + sending * add_up(own, through * late, components)[self.callee]
                arriving = arriving + sending * add_up(own, through, components)[self.callee]
                pull = pull + add_up(self.callee, sent * sending, components)[own] * through
        nothing = add_up(own, pull, components)[own] <= 0.0
        return Crossing(
            np.minimum(1.0, lost), delay / np.maximum(arriving, 1e-12), np.where(nothing, open_, pull * open_)
        )

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

    def _find_loss(self, layout: Layout, open_: Floats) -> Floats:
        loss = self.loss
        if self.routers or np.any(self.isolated):
            running = add_up(layout.instance_component, open_, len(layout.components))
            within = np.eye(loss.shape[1])
            crosses = np.maximum(self.isolated[:, :, None], self.isolated[:, None, :]) * (1.0 - within)
            loss = np.maximum(loss, crosses)
            for component, system, begin, end in self.routers:
                if running[component] <= 0.0:
                    loss[system, begin, end] = loss[system, end, begin] = 1.0
        return loss

    def _check_health(self, zone: int, losing: Floats, seconds: float) -> None:
        fails = losing >= _CHECK_FAILS
        failing = self.failing[zone]
        failing = np.where(
            fails, np.minimum(_OUT_SECONDS, failing + seconds), np.maximum(0.0, failing - seconds * _BACK_FACTOR)
        )
        self.out[zone] = np.where(fails, failing >= _OUT_SECONDS, self.out[zone] & (failing > 0.0))
        self.failing[zone] = failing


def _share_out(own: Indices, weights: Floats, components: int) -> Floats:
    """The share of each instance in the weights of its component."""
    return np.asarray(weights / np.maximum(add_up(own, weights, components), 1e-12)[own])
