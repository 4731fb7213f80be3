"""From when on a system plays otherwise than the same system without a fault."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scenarios.world import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.world import System


def find_parting(background: System, struck: System) -> float:
    """The second from which on a system that is struck may differ from its background.

    A strike adds changes, and to a component a release, a job or a feature. None of these does anything before its
    first change: a release is not rolled out, the flag of a feature is off, and a job has not begun. Where a flag or a
    job has a name that its component knew before, they differ from the start.
    """
    if struck.changes[: len(background.changes)] != background.changes:
        return 0.0
    for component in struck.components:
        names = [*component.flags, *(f"{job.name} as a job" for job in component.jobs)]
        if max(Counter(names).values(), default=1) > 1:
            return 0.0
    return min((change.at for change in struck.changes[len(background.changes) :]), default=0.0)


class Beginnings:
    """A background that is played once, without noise, and goes on from any of its moments as what strikes it."""

    def __init__(self, background: System) -> None:
        self._background = background
        self._run = Run(background, noise=False)

    def go_on(self, systems: Sequence[System], at: float) -> Run:
        """A run of some systems that are as the background before a second, at the last step before that second.

        Asked for earlier and earlier moments, each plays from the start again.
        """
        step = self._run.state.step
        moment = step * int(at / step)
        if moment < self._run.time:
            self._run = Run(self._background, noise=False)
        self._run.advance(moment - self._run.time)
        return self._run.pick([0] * len(systems), systems)
