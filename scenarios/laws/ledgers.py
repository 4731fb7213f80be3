"""Law 2, of what flows: nothing is made or lost on the way of requests, messages and users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.laws.playing import Witness
from scenarios.world.record import COUNTS
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from scenarios.world import Run

EXACT = 1e-9
"""What ledgers close to, as a share of the traffic."""


class LedgerWitness(Witness):
    """Sets what came against what went: in each step, in each tick at each callee, and in each queue."""

    law = 2

    def begin(self, run: Run) -> None:
        layout = run.layout
        asked = np.concatenate([layout.journey_entry, run.state.queues.group_route])
        self._called_only = ~np.isin(np.arange(len(layout.route_names)), asked)
        self._ticks = 0

    def pass_step(self, run: Run) -> None:
        queues, passed = run.state.queues, run.state.passed
        if passed is None:
            return
        gap = np.abs(queues.came - queues.done - queues.dropped - (queues.waits + queues.taken))
        if np.any(gap > EXACT * np.maximum(1.0, queues.came)):
            self.report(run, f"{float(gap.max()):g} messages of a backlog neither came nor went")
        for name in COUNTS:
            values = getattr(passed, name)
            if not np.all(np.isfinite(values)) or np.any(values < 0.0):
                self.report(run, f"a counter goes back or is no number ({name})")
        if len(run.record) > self._ticks:
            self._ticks = len(run.record)
            self._compare_callees(run)

    def end(self, run: Run) -> None:
        record = run.record
        traffic = max(1.0, *(float(np.max(record.get(name), initial=0.0)) for name in ("sent", "arrived")))
        if record.ledger > EXACT * traffic:
            self.report(run, f"in some step {record.ledger:g} of {traffic:g} requests neither came nor went")

    def _compare_callees(self, run: Run) -> None:
        layout, ticks = run.layout, run.record.ticks
        counted = ticks["arrived"][-1] + ticks["rejected"][-1]
        sent = add_up(layout.call_target, ticks["reached"][-1], len(counted))
        gap = np.abs(counted - sent) * self._called_only
        worst = int(np.argmax(gap))
        if gap[worst] > EXACT * max(1.0, float(sent[worst])):
            self.report(run, f"{layout.route_names[worst]} counts {counted[worst]:g} requests of {sent[worst]:g} sent")
        left = ticks["sent"][-1] - ticks["reached"][-1]
        if np.any(left < -EXACT * np.maximum(1.0, ticks["sent"][-1])):
            self.report(run, "more requests reached a callee than were sent")
