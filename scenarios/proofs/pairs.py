"""Two causes: which other faults could stand in the place of one while the other stays, and which looks exclude them.

A look tells something else once the other cause is repaired: what it had hidden shows then. So each has two masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.faults import strike
from scenarios.proofs.exclusion import LOOKS, find_differences
from scenarios.proofs.reading import open_run
from scenarios.proofs.repairs import SPACING, begin_deed
from scenarios.proofs.rivals import NOTHING, list_faults, list_unwell, pages_alike, play_rivals
from scenarios.proofs.signs import read_signs
from scenarios.proofs.starting import Beginnings, find_parting
from scenarios.world import Run, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scenarios.faults import Fault
    from scenarios.incident import Item
    from scenarios.proofs.repairs import Deeds
    from scenarios.proofs.rivals import Suspect
    from scenarios.world import System

LOOKED_AFTER = (300, 900)
"""Seconds after the last operation of the other's repair at which is looked. What excludes does so at each."""


class Paging(NamedTuple):
    """A rule that fired at a second, and the second of the first look after it."""

    rule: str
    fired: int
    first_look: int


class Told(NamedTuple):
    """What looks tell: for each a mask of the suspects that it excludes, and the unwell callees that it shows."""

    masks: Mapping[Item, int]
    unwell: Mapping[str, tuple[str, ...]]


class OneOfTwo:
    """One of the two causes of an incident, and what else could stand in its place.

    A suspect is another fault that raises by itself the page that the cause raises by itself, so that it would be felt
    if the other was repaired; and together with the other raises the same page as both causes. That of who feels
    nothing by itself would be a suspect wherever the other raises the page, so of everything that nobody feels.

    Args:
        background: the system without both.
        cause: the fault that is suspected.
        other: the one that stays.
        alone: the page of the cause alone.
        both: that of both.
    """

    def __init__(self, background: System, cause: Fault, other: Fault, alone: Paging, both: Paging) -> None:
        self.background = background
        self._at = both.first_look
        self._layout = lay_out([background])
        self._usual = Run(background, noise=False)
        remaining = strike(background, other)
        beginnings = Beginnings(remaining)
        struck = strike(remaining, cause)
        self._truth = beginnings.go_on([struck, remaining], find_parting(remaining, struck))
        self._truth.advance(self._at - self._truth.time)
        others = [
            fault
            for fault in _list_felt(background, cause, alone)
            if (fault.component, fault.family) != (other.component, other.family)
        ]
        self._rivals: list[tuple[list[Fault], Run]] = []
        for faults, run in play_rivals(beginnings, remaining, others, self._at):
            opened = open_run(run)
            alike = [n for n in range(len(faults)) if pages_alike(opened, n, both.rule, both.fired, self._at)]
            if alike:
                self._rivals.append(([faults[place] for place in alike], run.pick(alike)))
        found = {(each.component, each.family) for faults, _ in self._rivals for each in faults}
        self.suspects: tuple[Suspect, ...] = tuple(sorted({*found, NOTHING}))

    def look_at_once(self) -> Told:
        """What looks tell while nothing is repaired."""
        return self._look(self._truth, [run for _, run in self._rivals], self._at)

    def look_later(self, repair: Deeds, begin: int) -> Told:
        """What looks tell when the repair of the other cause, begun at a second, has been done for some minutes."""
        runs = [self._truth.fork(), *(run.fork() for _, run in self._rivals)]
        for run in runs:
            run.advance(begin - run.time)
            for deed in repair:
                for place in range(len(run.layout.systems)):
                    begin_deed(run, deed, place)
                run.advance(SPACING)
        done = begin + SPACING * len(repair)
        found: Told | None = None
        for seconds in LOOKED_AFTER:
            for run in runs:
                run.advance(done + seconds - run.time)
            told = self._look(runs[0], runs[1:], done + seconds)
            if found is not None:
                both = {item: mask & found.masks.get(item, 0) for item, mask in told.masks.items()}
                told = Told({item: mask for item, mask in both.items() if mask}, found.unwell)
            found = told
        return found or Told({}, {})

    def _look(self, truth: Run, rivals: Iterable[Run], at: int) -> Told:
        self._usual.advance(at - self._usual.time)
        usual = open_run(self._usual)
        names = [component.name for component in self.background.components]
        opened = open_run(truth)
        shown = read_signs(open_run(opened.pick([0])), usual, at)
        told: dict[Suspect, dict[Item, bool]] = {}

        def add(suspects: list[Suspect], run: Run) -> None:
            differences = find_differences(shown, read_signs(open_run(run), usual, at), self._layout)
            for place, suspect in enumerate(suspects):
                parted = {
                    (look, name): bool(differences[look][place, n]) for look in LOOKS for n, name in enumerate(names)
                }
                known = told.setdefault(suspect, dict.fromkeys(parted, True))
                told[suspect] = {item: known[item] and parted[item] for item in parted}

        add([NOTHING], truth.pick([1]))
        for (faults, _), run in zip(self._rivals, rivals, strict=True):
            add([(each.component, each.family) for each in faults], run)
        masks = {
            item: mask
            for item in told[NOTHING]
            if (mask := sum(1 << n for n, suspect in enumerate(self.suspects) if told[suspect][item]))
        }
        return Told(masks, list_unwell(self.background, shown))


def _list_felt(background: System, cause: Fault, alone: Paging) -> list[Fault]:
    """The other faults that raise by themselves the page that a cause raises by itself."""
    found = []
    faults = list_faults(background, cause)
    for some, run in play_rivals(Beginnings(background), background, faults, alone.first_look):
        opened = open_run(run)
        found += [
            fault
            for place, fault in enumerate(some)
            if pages_alike(opened, place, alone.rule, alone.fired, alone.first_look)
        ]
    return found
