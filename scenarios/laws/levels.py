"""Law 2, of levels: used is at most what there is, and memory and disks change at a rate that something explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.laws.playing import Witness
from scenarios.world.processes import count_connections
from scenarios.world.standing import RUNNING
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world import Run

_ROUNDING = 1e-6
"""MB and shares below this come from rounding."""


class LevelWitness(Witness):
    """Reads levels after each step, and explains what changed in it."""

    law = 2

    def begin(self, run: Run) -> None:
        self._keep(run)
        self._events = 0

    def pass_step(self, run: Run) -> None:
        new = run.state.events[self._events :]
        self._events = len(run.state.events)
        self._check_limits(run)
        # Whoever dies after memory was counted takes connections along that were counted in it.
        if not any(event.what in ("oom", "disk_stop") for event in new):
            self._explain_memory(run, {event.component for event in new})
        self._explain_disks(run, {event.component for event in new if event.what == "clean_disk"})
        self._keep(run)

    def _keep(self, run: Run) -> None:
        state = run.state
        self._leaked = state.leaked.copy()
        self._held = [job.held for job in state.jobs]
        self._data, self._waste = state.disks.data.copy(), state.disks.waste.copy()

    def _check_limits(self, run: Run) -> None:
        layout, state = run.layout, run.state
        limits = {
            "queue": (state.flows.queue, layout.instance["queue"]),
            "memory": (state.memory, layout.instance["memory"] * state.memory_limit[layout.instance_component]),
            "disk": (state.disks.used, state.disks.capacity),
            "share of slots": (state.passed.load if state.passed else np.zeros(1), np.ones(1)),
            "share of connections": (state.usable, np.ones(1)),
            "share of entries": (state.caches.finds, state.caches.best),
            "warmth": (state.warmth, np.ones(1)),
        }
        for name, (used, capacity) in limits.items():
            if np.any(used > capacity * (1.0 + 1e-9) + 1e-9) or np.any(used < 0.0):
                self.report(run, f"{name}: more is used than there is, or less than nothing")

    def _explain_memory(self, run: Run, changed: set[int]) -> None:
        layout, state, passed = run.layout, run.state, run.state.passed
        if passed is None:
            return
        own, components = layout.instance_component, len(layout.components)
        quiet = (state.phase == RUNNING) & ~np.isin(own, sorted(changed))
        releases = layout.release_leak[layout.instance_release + state.release]
        # Who collects garbage all the time serves less, and loses less with it.
        most = self._leaked + (releases + state.leak[own]) * state.step
        beyond = (state.leaked > most + _ROUNDING) | (state.leaked < self._leaked - _ROUNDING)
        self._report_first(run, quiet & beyond, "memory leaks that nothing explains")
        held = np.zeros(components)
        for job, before in zip(state.jobs, self._held, strict=True):
            if job.held > before + job.job.memory_rate * state.step + _ROUNDING:
                self.report(run, f"job {job.job.name} holds more memory than it takes in a step")
            if job.since is not None:
                held[job.store] += job.held
        count = np.maximum(add_up(own, (state.phase == RUNNING) * 1.0, components), 1.0)
        at_work = add_up(layout.route_component, passed.done * state.flows.holding, components) / state.step
        connections = count_connections(layout, state) * layout.component["connection_memory"]
        each = (at_work * layout.component["request_memory"] + connections + held) / count
        explained = layout.instance["base_memory"] + state.leaked + each[own] + state.swell
        room = layout.instance["base_memory"] * layout.instance["memory_swing"]
        self._report_first(run, np.abs(state.swell) > 2.0 * room + _ROUNDING, "memory moves more than it may")
        limit = layout.instance["memory"] * state.memory_limit[own]
        gap = np.abs(state.memory - np.minimum(explained, limit))
        self._report_first(run, quiet & (gap > _ROUNDING * np.maximum(1.0, explained)), "memory is used for nothing")

    def _explain_disks(self, run: Run, cleaned: set[int]) -> None:
        layout, state, passed = run.layout, run.state, run.state.passed
        if passed is None:
            return
        disks, own = state.disks, layout.instance_component
        if not np.any(disks.capacity):
            return
        written = add_up(layout.route_component, passed.good * disks.writes, len(layout.components))[own] * disks.write
        grown = disks.data - self._data
        beyond = (grown < -_ROUNDING) | (grown > written + _ROUNDING)
        self._report_first(run, beyond & ~_find_imports(run)[own], "data on a disk that nobody wrote")
        logs = (disks.rate + disks.extra[own]) * state.step
        wasted = disks.waste - self._waste
        lost = (wasted < -_ROUNDING) & ~np.isin(own, sorted(cleaned))
        self._report_first(run, lost | (wasted > logs + _ROUNDING), "files on a disk that nothing explains")

    def _report_first(self, run: Run, wrong: NDArray[np.bool_], text: str) -> None:
        if np.any(wrong):
            component = int(run.layout.instance_component[int(np.nonzero(wrong)[0][0])])
            self.report(run, f"{run.layout.component_names[component]}: {text}")


def _find_imports(run: Run) -> NDArray[np.bool_]:
    """The components on whose disks a change puts data in this step."""
    layout, names = run.layout, set[str]()
    for change in layout.systems[0].changes:
        if change.what == "disk_data" and change.at <= run.time <= change.at + change.over + 2.0 * run.state.step:
            names.add(change.target)
    return np.array([name in names for name in layout.component_names])
