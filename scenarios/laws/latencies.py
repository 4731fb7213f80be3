"""Law 2, of times: latencies are in order, within deadlines, and none is shorter than what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.laws.playing import Witness
from scenarios.world.reasons import FAST_REASONS

if TYPE_CHECKING:
    from scenarios.world import Run

_ROUNDING = 1.0 + 1e-9
_MOST_OWN = 12.0 * (1.0 + 6.25) * 1.04
"""The slowest request works so many medians, with the crowd in its component and the noise."""


class LatencyWitness(Witness):
    """Reads the quantiles after each step."""

    law = 2

    def begin(self, run: Run) -> None:
        layout = run.layout
        self._waits = (layout.call_required > 0) & (layout.call_weight >= 1.0)
        # Who finds an entry in the cache does not call.
        self._waits[run.state.caches.misses] = False
        self._before = run.state.flows.latency
        self._factor = np.array([max(release.work for release in each.releases) for each in layout.components])
        for component, feature in layout.features:
            self._factor[component] *= max(1.0, feature.work)
        for job in run.state.jobs:
            self._factor[job.store] *= job.job.slow
        tries = np.array([max(release.attempts for release in each.releases) for each in layout.components])
        attempts = np.maximum(layout.call_attempts, tries[layout.route_component[layout.call_source]])
        each = np.maximum(1.0, layout.call_weight) * attempts * layout.call_deadline
        self._calls = np.bincount(layout.call_source, weights=each, minlength=len(layout.route_names))

    def pass_step(self, run: Run) -> None:
        layout, state = run.layout, run.state
        latency = state.flows.latency
        if np.any(latency[1:] < latency[:-1]):
            self.report(run, "a higher quantile of a latency is below a lower one")
        self._find_impatient(run)
        factor = self._factor * state.work * state.scans
        own = layout.route_work * factor[layout.route_component] * _MOST_OWN
        patience = layout.component["patience"][layout.route_component]
        late = latency[-1] > (own + self._calls + patience) * _ROUNDING
        if np.any(late):
            route = layout.route_names[int(np.nonzero(late)[0][0])]
            self.report(run, f"a request of {route} waits beyond all its deadlines")
        self._before = latency

    def _find_impatient(self, run: Run) -> None:
        """Who waits for an answer hears of it a step later, and is not faster than that."""
        layout, flows, passed = run.layout, run.state.flows, run.state.passed
        if passed is None:
            return
        waits = self._waits & (flows.reached >= 1.0) & ~passed.failed[[*FAST_REASONS]].any(axis=0)
        callee = np.minimum(self._before[:, layout.call_target], layout.call_deadline)
        fast = waits & (flows.latency[:, layout.call_source] * _ROUNDING < callee).any(axis=0)
        if fast.any():
            source, target = layout.call_names[int(np.nonzero(fast)[0][0])]
            self.report(run, f"{source} waits for {target} and is faster than it")
