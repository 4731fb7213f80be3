"""Listed draws that are played side by side: a minute of one of 32 costs a fifth of what it costs alone.

They meet in no number, so each is what it would have been alone. With its record an incident takes 3.5 MB, no more than
alone; the moments of a block are kept for as long as one of its incidents is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.drawing import draw
from scenarios.generator.naming import region_of
from scenarios.proofs.reading import open_run
from scenarios.running.shared import MINUTE, SharedRuns
from scenarios.running.symptoms import SHOWN_SECONDS
from scenarios.world import Run
from scenarios.world.record import TICK, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.drawing import Draw
    from scenarios.proofs.proof import Proof
    from scenarios.world import System

BLOCK = 32
"""Draws that are played side by side. With 16 or 64 a minute of each costs a tenth more: what one of them changes is
computed anew for all."""


class Wanted(NamedTuple):
    """A listed draw, and how many looks somebody will take at it: each lets a minute pass."""

    seed: int
    difficulty: int
    proof: Proof
    looks: int

    @property
    def until(self) -> int:
        """The second up to which its run is sure to be asked for. Whoever ends an episode asks for its symptoms."""
        return self.proof.first_look + max(self.looks * MINUTE, SHOWN_SECONDS)


class Ahead(NamedTuple):
    """A draw whose system has been played already, as far as it was wanted."""

    drawn: Draw
    runs: SharedRuns


def play_abreast(wanted: Sequence[Wanted]) -> Iterator[tuple[int, Ahead]]:
    """Play draws, those together that are wanted for about as long; gives each with its place in `wanted`."""
    draws = [draw(each.seed, each.difficulty, split=region_of(each.seed)) for each in wanted]
    for places in _list_blocks(wanted):
        runs = _play_block([draws[place].system for place in places], [wanted[place] for place in places])
        for place, own in zip(places, runs, strict=True):
            yield place, Ahead(draws[place], own)


def _list_blocks(wanted: Sequence[Wanted]) -> Iterator[list[int]]:
    """The places of those that are played side by side: those that are wanted for about as long."""
    places = sorted(range(len(wanted)), key=lambda place: wanted[place].until)
    for first in range(0, len(places), BLOCK):
        yield places[first : first + BLOCK]


def _play_block(systems: Sequence[System], wanted: Sequence[Wanted]) -> Iterator[SharedRuns]:
    run = Run(*systems)
    since, until = min(each.proof.first_look for each in wanted), max(each.until for each in wanted)
    run.advance(since)
    moments = {}
    while run.time < until:
        moments[int(run.time)] = _fork_state(run)
        run.advance(MINUTE)
    opened = open_run(run)
    for place, system in enumerate(systems):
        yield SharedRuns(system, _Lane(opened.pick([place]), moments, place))


def _fork_state(run: Run) -> Run:
    """A run as it stands, without its record, of which each system has a copy of its own in the end."""
    forked = run.fork()
    forked.record = Record()
    return forked


class _Lane:
    """One of the systems of a block: the run of it alone, and how it stood at whole minutes since the first look.

    It is seldom that something is done at a minute. So it is taken out of the block only when it is asked for.
    """

    def __init__(self, run: Run, moments: dict[int, Run], place: int) -> None:
        self.run = run
        self._moments = moments
        self._place = place

    def find_moment(self, at: int) -> Run | None:
        """The run as it stood at a second, if that is known."""
        moment = self._moments.get(at)
        if moment is None:
            return None
        taken = moment.pick([self._place])
        known = self.run.record
        ticks = {name: rows[: int(at / TICK)] for name, rows in known.ticks.items()}
        taken.record = Record(ticks, known.ledger)
        return taken
