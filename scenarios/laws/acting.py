"""Law 4: every action acts. It takes its time, leaves its entry, and does something or says why it does not."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from scenarios.laws.playing import Witness
from scenarios.laws.states import digest_state
from scenarios.telemetry import TelemetryError, look
from scenarios.world import OPERATIONS, OperationError
from scenarios.world.operations.operation import find_targets
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from scenarios.laws.subject import Move, Subject
    from scenarios.world import Run

_TOLD = ("check_recent_deploys", "query_logs", "check_service_status")
"""Where an action may leave its entry."""
_REFUSALS = re.compile(r"\bNot |\b[Nn]othing\b|\b0 |\balready\b|\b[Nn]o\b|\bnone\b|unchanged")
"""What an entry says of an action that changed nothing."""
_MOST_ORDERS = 24
"""Orders of a play that are carried out in runs of their own, to see what they do."""


class ActionWitness(Witness):
    """Carries each order out once, twice and not at all, in forks of the run, and compares what comes of it."""

    law = 4

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._orders: set[tuple[str, str]] = set()

    def order(self, run: Run, move: Move) -> None:
        if (move.name, move.target) in self._orders or len(self._orders) >= _MOST_ORDERS:
            return
        self._orders.add((move.name, move.target))
        acting = run.fork()
        before = digest_state(acting.state)
        with suppress(OperationError):
            acting.order(move.name, move.target)
            self._compare(run, acting, move, before)

    def _compare(self, run: Run, acting: Run, move: Move, before: str) -> None:
        operation = OPERATIONS[move.name]
        if operation.seconds > 0.0 and digest_state(acting.state) != before:
            self.report(run, f"{move.name} {move.target} acts at once, and not in {operation.seconds:g} s")
        idle = run.fork()
        lasts = operation.seconds + run.state.step
        acting.advance(lasts)
        once, twice = acting, acting.fork()
        twice.order(move.name, move.target)
        until = -(-(twice.time + lasts + run.state.step) // TICK) * TICK
        for fork in (idle, once, twice):
            fork.advance(until - fork.time)
        self._find_traces(run, move, "", idle, once)
        self._find_traces(run, move, ", ordered twice,", once, twice)

    def _find_traces(self, run: Run, move: Move, how: str, without: Run, acted: Run) -> None:
        operation = OPERATIONS[move.name]
        place = find_targets(run.layout, run.state, operation.target, 0)[move.target]
        names = [
            run.layout.component_names[component]
            for component in operation.find_components(run.layout, run.state, place)
        ]
        told = [text for name in names for text in _find_new(without, acted, name)]
        if not told:
            self.report(run, f"{move.name} {move.target}{how} leaves no entry")
        same = digest_state(without.state) == digest_state(acted.state)
        # Who clears a cache in the step in which it is restarted has cleared it, and nobody sees it.
        rolled = {run.layout.component_names[rollout.component] for rollout in run.state.rollouts}
        if same and rolled.isdisjoint(names) and not any(_REFUSALS.search(text) for text in told):
            self.report(run, f"{move.name} {move.target}{how} does nothing, and does not say so")


def _find_new(without: Run, acted: Run, name: str) -> list[str]:
    """The lines that one run shows of a component more often than the other."""
    found = []
    for diagnostic in _TOLD:
        try:
            known, lines = (look(run, diagnostic, name).text.split("\n")[1:] for run in (without, acted))
        except TelemetryError:
            return ["too early to be told; 0 minutes are recorded"]
        for line in known:
            if line in lines:
                lines.remove(line)
        found += lines
    return found
