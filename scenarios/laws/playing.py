"""Plays somebody's moves in a run, step by step, with watches that see every step."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from scenarios.telemetry import TelemetryError, look
from scenarios.world import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.evidence import Evidence
    from scenarios.laws.subject import Move, Play, Subject
    from scenarios.world import Run

MOST_FINDINGS = 5
"""Findings of one kind that are told of a play."""


class Witness:
    """Sees a play step by step. Its findings are sentences; there are none if a law is kept."""

    law = 0
    """The number of the law that it watches over."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.findings: list[str] = []

    def report(self, run: Run, text: str) -> None:
        """Add a finding, unless there are enough."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(f"{self.subject.name} at {run.time:g} s: {text}.")

    def begin(self, run: Run) -> None:
        """Before the first step."""

    def pass_step(self, run: Run) -> None:
        """After each step."""

    def see(self, run: Run, move: Move, shown: Evidence) -> None:
        """After each look."""

    def order(self, run: Run, move: Move) -> None:
        """Before each order."""

    def end(self, run: Run) -> None:
        """After the last step."""


def follow(subject: Subject, play: Play, witnesses: Sequence[Witness]) -> Run:
    """Play some moves from the start of a run to the end of the play, and return the run."""
    run = subject.start()
    for witness in witnesses:
        witness.begin(run)
    for move in play.moves:
        _advance(run, move.at, witnesses)
        make_move(run, move, witnesses)
    _advance(run, play.until, witnesses)
    for witness in witnesses:
        witness.end(run)
    return run


def make_move(run: Run, move: Move, witnesses: Iterable[Witness] = ()) -> str:
    """Look or order. Returns what a look shows. What there is not is not done."""
    if move.is_look:
        with suppress(TelemetryError):  # too little has been recorded yet
            shown = look(run, move.name, move.target)
            for witness in witnesses:
                witness.see(run, move, shown)
            return shown.text
        return ""
    for witness in witnesses:
        witness.order(run, move)
    with suppress(OperationError):
        run.order(move.name, move.target)
    return ""


def _advance(run: Run, until: float, witnesses: Sequence[Witness]) -> None:
    while run.time < until:
        run.advance(run.state.step)
        for witness in witnesses:
            witness.pass_step(run)
