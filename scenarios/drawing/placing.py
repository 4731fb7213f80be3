"""Faults: where one strikes so that users feel it, and where it troubles a component and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.drawing.choosing import LOOK_ALIKES
from scenarios.drawing.felt import find_felt
from scenarios.faults import FAMILIES, STRENGTHS, Fault, strike

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.generator.dice import Dice
    from scenarios.world import Change, System

ONSET = (480, 1200)
"""Seconds of the run between which a fault strikes."""
_APART = (-300, 120)
"""Seconds after the fault in which a trouble of somebody else begins, from and to."""
_SOONEST = 300
_DISTANCES = {1: 0.5, 2: 1.0, 3: 2.0, 4: 3.0, 5: 3.5}
"""Calls from the edge to the fault as they are liked best, by difficulty."""
_TRIES = 4
"""How often a fault that leaves something open is drawn until users feel it."""


def draw_fault(
    system: System, family: str, targets: Sequence[str], difficulty: int, onset: int, dice: Dice
) -> Fault | None:
    """A fault of a family that users feel, of those that it can strike; None if they wait for none of them.

    It strikes at second `onset` of the run.
    """
    felt = find_felt(system)
    options: list[tuple[Fault, float]] = []
    for target in targets:
        own = dice.fork("target", target)
        for _ in range(_TRIES):
            fault = _draw(family, target, onset, own)
            struck, changes = _list_changes(system, fault)
            if any(felt.reaches(struck, change) for change in changes):
                far = felt.measure(system, target)
                # What nobody waits for itself harms what stands behind it.
                away = abs((2 if far is None else far) - _DISTANCES[difficulty])
                options.append((fault, 1.0 / (1.0 + 0.6 * away * away)))
                break
    return _pick(options, dice)


def add_look_alikes(
    system: System, targets: Mapping[str, Sequence[str]], difficulty: int, onset: int, dice: Dice
) -> tuple[System, tuple[Fault, ...]]:
    """The system with troubles that no user feels, as many as its difficulty has, each of another component.

    They begin about when the fault strikes, at second `onset`, and are as strong.
    Returns the troubles as well.
    """
    felt, troubles = find_felt(system), list[Fault]()
    spared = {part.name for part in system.components if felt.measure(system, part.name) is None}
    for number in range(LOOK_ALIKES[difficulty]):
        own = dice.fork("look-alike", number)
        for family in own.shuffled(sorted(FAMILIES)):
            quiet = [name for name in targets[family] if name in spared]
            if not quiet:
                continue
            fault = _draw(family, own.pick(quiet), max(_SOONEST, onset + own.whole(*_APART)), own)
            struck, changes = _list_changes(system, fault)
            if not any(felt.touches(struck, change) for change in changes):
                system = struck
                spared.discard(fault.component)
                troubles.append(fault)
                break
    return system, tuple(troubles)


def _draw(family: str, target: str, at: int, dice: Dice) -> Fault:
    return Fault(
        family=family,
        component=target,
        strength=dice.whole(0, STRENGTHS - 1),
        at=float(at),
        seed=dice.whole(0, (1 << 40) - 1),
    )


def _list_changes(system: System, fault: Fault) -> tuple[System, tuple[Change, ...]]:
    """The system with a fault, and the changes that the fault comes to."""
    struck = strike(system, fault)
    return struck, struck.changes[len(system.changes) :]


def _pick(options: list[tuple[Fault, float]], dice: Dice) -> Fault | None:
    """One of the faults, as often as its weight says."""
    total = 0.0
    for _, weight in options:
        total += weight
    drawn = dice.random() * total
    for fault, weight in options:
        drawn -= weight
        if drawn < 0.0:
            return fault
    return options[-1][0] if options else None
