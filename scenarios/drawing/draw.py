"""Drawing: from a seed and a difficulty to a system that serves its users, and a fault that strikes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, NamedTuple

from scenarios.drawing.apart import is_kept_apart
from scenarios.drawing.assembling import assemble
from scenarios.drawing.changing import add_changes, add_history
from scenarios.drawing.choosing import SIZES, choose
from scenarios.drawing.data import load_businesses
from scenarios.drawing.fitting import fit
from scenarios.drawing.placing import ONSET, add_look_alikes, draw_fault
from scenarios.drawing.pruning import prune
from scenarios.drawing.topology import draw_topology
from scenarios.drawing.watching import draw_alerts
from scenarios.faults import FAMILIES, list_targets, strike
from scenarios.generator.dice import Dice
from scenarios.generator.naming import OUT_OF_DISTRIBUTION, RUNNING_VERSION, count_causes, region_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.drawing.sketch import Sketch
    from scenarios.faults import Fault
    from scenarios.generator.library import Archetype
    from scenarios.world import System

_LATER = 240
"""Seconds after the first cause within which the second strikes."""
_PATIENCE = 6
"""Systems that are drawn for a family until another is taken."""


@dataclass(frozen=True)
class Draw:
    """What a seed and a difficulty come to: a system with all that is innocent, and a fault.

    The `look_alikes` are troubles in the background that no user feels. Of an incident with two causes `second` is the
    other fault: of another family, on another component, at the same time or later.
    """

    seed: int
    difficulty: int
    background: System
    fault: Fault
    look_alikes: tuple[Fault, ...] = ()
    second: Fault | None = None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What strikes it, one after another."""
        return (self.fault,) if self.second is None else (self.fault, self.second)

    @property
    def name(self) -> str:
        """What the draw is called, as an incident of it is."""
        return f"gen{RUNNING_VERSION}-d{self.difficulty}-{self.seed}"

    @property
    def digest(self) -> str:
        """What tells this draw from every other one: of a proof that it is about another, if drawing has changed."""
        written = "".join(each.model_dump_json() for each in (self.background, *self.faults))
        return hashlib.sha256(written.encode()).hexdigest()[:16]

    @cached_property
    def system(self) -> System:
        """The background struck by its faults."""
        return reduce(strike, self.faults, self.background)


def draw(seed: int, difficulty: int, *, split: str | None = None) -> Draw:
    """The system and the fault of a seed (0 or more) and a difficulty (1 to 5), the same on every machine.

    Nothing is simulated: that the fault is felt is likely, and not proved. Some families strike some lines of business
    in the split out of distribution only; the `split` is that in whose region the seed lies, if it is not said.

    Raises:
        ValueError: if there is no such difficulty.
    """
    if difficulty not in range(1, 6):
        raise ValueError(f"difficulty {difficulty}: it goes from 1 to 5")
    dice = Dice(RUNNING_VERSION, seed, difficulty)
    apart = (split or region_of(seed)) == OUT_OF_DISTRIBUTION
    two = count_causes(seed, difficulty) == 2
    attempt = 0
    for family in dice.fork("family").shuffled(sorted(FAMILIES)):
        businesses = [each for each in load_businesses() if is_kept_apart(family, each.archetype) == apart]
        for _ in range(_PATIENCE if businesses else 0):
            onset = dice.fork("onset", attempt).whole(*ONSET)
            base = _draw_base(businesses, difficulty, onset, dice.fork("background", attempt))
            targets = [name for name in list_targets(FAMILIES[family], base.system) if name not in base.troubled]
            fault = draw_fault(base.system, family, targets, difficulty, onset, dice.fork("fault", attempt))
            second = _draw_second(base, fault, difficulty, dice.fork("second", attempt)) if fault and two else None
            if fault is not None and (second is not None or not two):
                struck = base.troubled | {each.component for each in (fault, second) if each}
                background = add_changes(base.system, base.sketch, onset, struck, dice.fork("changes", attempt))
                return Draw(seed, difficulty, background, fault, base.look_alikes, second)
            attempt += 1
    raise RuntimeError(f"nothing strikes a system of seed {seed} at difficulty {difficulty}")


class _Base(NamedTuple):
    """A system before anything innocent is changed, its sketch, and troubles that components have of their own."""

    system: System
    sketch: Sketch
    look_alikes: tuple[Fault, ...]

    @property
    def troubled(self) -> frozenset[str]:
        """The components that have one."""
        return frozenset(fault.component for fault in self.look_alikes)


def _draw_second(base: _Base, first: Fault, difficulty: int, dice: Dice) -> Fault | None:
    """A second fault that users feel beside the first one; None if nothing strikes."""
    business = base.sketch.business
    apart = is_kept_apart(first.family, business)
    onset = int(first.at) + dice.whole(0, _LATER)
    for family in dice.fork("family").shuffled(sorted(FAMILIES)):
        if family == first.family or is_kept_apart(family, business) != apart:
            continue
        taken = {first.component, *base.troubled}
        targets = [name for name in list_targets(FAMILIES[family], base.system) if name not in taken]
        fault = draw_fault(base.system, family, targets, difficulty, onset, dice.fork("fault", family))
        if fault is not None:
            return fault
    return None


def _draw_base(businesses: Sequence[Archetype], difficulty: int, onset: int, dice: Dice) -> _Base:
    """A system of one of some lines of business, with its history, look-alikes and alert rules."""
    sketch = _draw_sketch(businesses, difficulty, dice)
    fit(sketch, dice.fork("fitting"))
    system = assemble(sketch, dice.whole(0, (1 << 40) - 1), dice.fork("assembling"))
    targets = {name: list_targets(family, system) for name, family in FAMILIES.items()}
    system = add_history(system, sketch, dice.fork("past"))
    system, look_alikes = add_look_alikes(system, targets, difficulty, onset, dice.fork("troubles"))
    base = _Base(system, sketch, look_alikes)
    alerts = draw_alerts(sketch, base.troubled, dice.fork("alerts"))
    return base._replace(system=system.model_copy(update={"alerts": alerts}))


def _draw_sketch(businesses: Sequence[Archetype], difficulty: int, dice: Dice) -> Sketch:
    """The components of a system and what calls what, of a size that the difficulty has."""
    least, most = SIZES[difficulty]
    attempt = 0
    while True:
        own = dice.fork("sketch", attempt)
        business = own.pick(businesses)
        choice = choose(business, difficulty, own.fork("choice"))
        attempt += 1
        if least <= choice.count() <= most:
            sketch = draw_topology(business.archetype, choice, own.fork("topology"))
            prune(sketch)
            if least <= len(sketch.parts) <= most:
                return sketch
