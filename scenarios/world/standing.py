"""Which instances run and what they are a release of, with all that follows from these two alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.sums import add_rows, add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout

STOPPED, STARTING, RUNNING = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What runs. `open_` is 1 of an instance that takes requests, `count` are those of a component, `some` at least 1.

    `open_links` is `open_` of the caller of each link, `callers` how many of them a call has, `some_callers` at least
    1. `release` is the place of the release of each instance, `work` and `errors` are those of releases, on average
    over the running instances of each component.
    """

    running: NDArray[np.bool_]
    starting: bool
    open_: Floats
    count: Floats
    some: Floats
    open_links: Floats
    callers: Floats
    some_callers: Floats
    release: Indices
    work: Floats
    errors: Floats

    def average(self, layout: Layout, values: Floats | NDArray[np.bool_]) -> Floats:
        """The mean of a number by instance over the running instances of each component, 0 where none runs."""
        return np.asarray(add_up(layout.instance_component, self.open_ * values, len(self.count)) / self.some)


def find_standing(layout: Layout, phase: NDArray[np.int8], release: Indices) -> Standing:
    """What runs now, by the phase and the release of each instance."""
    return layout.memory.get((phase.tobytes(), release.tobytes()), _find_standing, layout, phase, release)


def _find_standing(layout: Layout, phase: NDArray[np.int8], release: Indices) -> Standing:
    running = phase == RUNNING
    open_ = running * 1.0
    release = layout.instance_release + release
    rows = (open_, open_ * layout.release_work[release], open_ * layout.release_errors[release])
    count, work, errors = add_rows(layout.instance_component_rows, rows, len(layout.components))
    some = np.maximum(count, 1.0)
    open_links = open_[layout.link_instance]
    callers = add_up(layout.link_call, open_links, len(layout.call_weight))
    return Standing(
        running=running,
        starting=bool(np.any(phase == STARTING)),
        open_=open_,
        count=count,
        some=some,
        open_links=open_links,
        callers=callers,
        some_callers=np.maximum(callers, 1.0),
        release=release,
        work=np.where(count > 0, work / some, 1.0),
        errors=errors / some,
    )
