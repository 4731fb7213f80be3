"""Law 1: history is append-only. What was shown of a moment is shown again when somebody asks for that moment later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.laws.playing import Witness
from scenarios.telemetry import Clock, TelemetryError, look
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.world.record import COUNTS, LEVELS

if TYPE_CHECKING:
    from scenarios.evidence import Evidence
    from scenarios.laws.subject import Move, Subject
    from scenarios.world import Run
    from scenarios.world.state import Event

_EVERY = 60.0
"""Seconds from one sample to the next. A look of an agent is another one."""
_AT_ONCE = 2
"""Pairs of diagnostic and component that are asked about at a time, and as many that are asked about again."""


class HistoryWitness(Witness):
    """Asks for what is shown now, and again later; and that nothing is recorded or happens before what is over."""

    law = 1

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._clock = Clock(subject.system)
        names = [component.name for component in subject.system.components]
        self._pairs = [(diagnostic, name) for name in names for diagnostic in DIAGNOSTICS]
        self._known: list[tuple[str, str, float, str]] = []
        self._turn = 0
        self._events: list[Event] = []
        self._rows: list[tuple[str, int, bytes]] = []

    def pass_step(self, run: Run) -> None:
        for event in run.state.events[len(self._events) :]:
            if event.at < run.time - run.state.step:
                self.report(run, f"something ({event.what}) is said to have happened at {event.at:g} s, which was over")
        self._events += run.state.events[len(self._events) :]
        if run.time % _EVERY == 0.0 and run.time >= self.subject.begins:
            self._ask(run)

    def see(self, run: Run, move: Move, shown: Evidence) -> None:
        self._keep(run, move.name, move.target, shown)
        self._ask_again(run)

    def end(self, run: Run) -> None:
        for known in self._known:
            self._compare(run, known)
        if run.state.events[: len(self._events)] != self._events:
            self.report(run, "what has happened is told otherwise than before")
        for name, tick, row in self._rows:
            if run.record.ticks[name][tick].tobytes() != row:
                self.report(run, f"{name} of tick {tick} is recorded otherwise than before")

    def _ask(self, run: Run) -> None:
        last = len(run.record) - 1
        self._rows += [(name, last, run.record.ticks[name][last].tobytes()) for name in (*COUNTS, *LEVELS)]
        for _ in range(_AT_ONCE):
            diagnostic, name = self._pairs[self._turn * 7 % len(self._pairs)]
            self._turn += 1
            try:
                shown = look(run, diagnostic, name)
            except TelemetryError:
                continue
            self._keep(run, diagnostic, name, shown)
        self._ask_again(run)

    def _keep(self, run: Run, diagnostic: str, name: str, shown: Evidence) -> None:
        if shown.as_of != self._clock.get_moment(run.time):
            self.report(run, f"{diagnostic} of {name} says that it is complete up to {shown.as_of}")
        self._known.append((diagnostic, name, run.time, shown.text))

    def _ask_again(self, run: Run) -> None:
        for place in range(_AT_ONCE):
            if self._known:
                self._compare(run, self._known[(self._turn * 5 + place * 11) % len(self._known)])

    def _compare(self, run: Run, known: tuple[str, str, float, str]) -> None:
        diagnostic, name, at, text = known
        if look(run, diagnostic, name, as_of=at).text != text:
            self.report(run, f"{diagnostic} of {name} shows something else of {at:g} s than it showed then")
