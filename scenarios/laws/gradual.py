"""Law 5: nothing happens at once. Instances come one after the other, and what was lost comes back with time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.laws.playing import Witness
from scenarios.world.pools import RECONNECT_SECONDS
from scenarios.world.standing import RUNNING, STOPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenarios.world import Run
    from scenarios.world.layout import Floats, Indices
    from scenarios.world.state import Event

_ROUNDING = 1e-9


class GradualWitness(Witness):
    """Sees after each step whether processes, pools, caches and addresses changed faster than they can."""

    law = 5

    def begin(self, run: Run) -> None:
        self._events = len(run.state.events)
        self._started: dict[int, float] = {}
        self._rolled: dict[int, tuple[float, int]] = {}
        self._keep(run)

    def pass_step(self, run: Run) -> None:
        new = run.state.events[self._events :]
        self._events = len(run.state.events)
        self._check_starts(run, new)
        self._check_rollouts(run, new)
        self._check_returns(run, new)
        self._check_addresses(run)
        self._keep(run)

    def _keep(self, run: Run) -> None:
        state = run.state
        self._phase, self._warmth, self._usable = state.phase.copy(), state.warmth.copy(), state.usable.copy()
        self._finds = state.caches.finds.copy()
        self._held, self._left = state.addresses.held.copy(), state.addresses.left.copy()

    def _check_starts(self, run: Run, new: Sequence[Event]) -> None:
        layout = run.layout
        for event in new:
            if event.what == "start":
                self._started[int(event.details["instance"])] = event.at
            elif event.what == "ready":
                instance = int(event.details["instance"])
                component = layout.components[event.component]
                took = event.at - self._started.get(instance, event.at)
                if took < component.get("start_seconds") - _ROUNDING:
                    self.report(run, f"{component.name} is ready {took:g} s after its start")
        runs = (run.state.phase == RUNNING) & (self._phase == STOPPED)
        for instance in np.nonzero(runs)[0].tolist():
            component = layout.components[int(layout.instance_component[instance])]
            if component.get("start_seconds") > run.state.step:
                self.report(run, f"{component.name} runs a step after it did not")

    def _check_rollouts(self, run: Run, new: Sequence[Event]) -> None:
        """A rolling restart stops one instance, and the next when that one is ready."""
        taken_out = {event.details.get("instance") for event in new if event.what == "removed"}
        # A rollout whose instance was taken out waits for it no longer.
        self._rolled = {component: last for component, last in self._rolled.items() if last[1] not in taken_out}
        for event in new:
            instance = int(event.details.get("instance", -1))
            if event.what != "stop" or instance in taken_out or self._phase[instance] != RUNNING:
                continue
            component = run.layout.components[event.component]
            waits = max(component.get("start_seconds"), run.state.step)
            if event.at - self._rolled.get(event.component, (-np.inf, -1))[0] < waits - _ROUNDING:
                self.report(run, f"{component.name}: a rollout stops an instance before the last one is ready")
            self._rolled[event.component] = event.at, instance

    def _check_returns(self, run: Run, new: Sequence[Event]) -> None:
        layout, state = run.layout, run.state
        warmed = state.warmth - self._warmth > _grow(state.step / layout.instance["warm_seconds"], self._warmth, 1.0)
        self._report_first(run, warmed & (state.phase == RUNNING), layout.instance_component, "warms up too fast")
        ready = sorted(int(event.details["instance"]) for event in new if event.what == "ready")
        opened = state.usable - self._usable > _grow(state.step / RECONNECT_SECONDS, self._usable, 1.0)
        opened &= ~np.isin(layout.link_instance, ready)
        own = layout.instance_component[layout.link_instance]
        self._report_first(run, opened, own, "opens its connections at once")
        caches = state.caches
        filled = caches.finds - self._finds > _grow(state.step / caches.fill, self._finds, caches.best)
        # From a copy it is filled at once.
        filled &= ~np.isin(layout.instance_component, [event.component for event in new if event.what == "warm_cache"])
        self._report_first(run, filled, layout.instance_component, "has a cache that fills at once")

    def _check_addresses(self, run: Run) -> None:
        layout, state = run.layout, run.state
        runs = (state.phase == RUNNING)[layout.link_instance] & (self._phase == RUNNING)[layout.link_instance]
        known = (self._left - state.step > 0.0) & runs
        changed = known & (state.addresses.held != self._held)
        own = layout.instance_component[layout.link_instance]
        self._report_first(run, changed, own, "has another address before the old one has ended")

    def _report_first(self, run: Run, wrong: NDArray[np.bool_], own: Indices, text: str) -> None:
        if np.any(wrong):
            component = int(own[int(np.nonzero(wrong)[0][0])])
            self.report(run, f"{run.layout.component_names[component]} {text}")


def _grow(rate: Floats | float, before: Floats, most: Floats | float) -> Floats:
    """The most that a level comes nearer to its end in a step that is such a part of its time constant."""
    return np.asarray(np.maximum(0.0, most - before) * rate / (1.0 + rate) + _ROUNDING)
