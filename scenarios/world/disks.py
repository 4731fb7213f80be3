"""Disks: they fill at a rate, never beyond what they hold, and one that is full takes no writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.layout import get_parameters
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing

_NOTHING = np.array(0.0)
_NONE = np.zeros(0, dtype=np.int64)
_MOST = 4.0
"""A volume can be made so many times as large as it was laid out."""


@dataclass(slots=True, eq=False)
class Disks:
    """MB by instance: the `capacity`, 0 where disks do not count, the `data` and what may be thrown away (`waste`).

    `used` is all of it, with what queues keep. An `extra` rate in MB a second comes from whatever has begun to write.
    """

    capacity: Floats
    laid_out: Floats
    data: Floats
    waste: Floats
    used: Floats
    rate: Floats
    write: Floats
    writes: Floats
    stops: NDArray[np.bool_]
    extra: Floats

    @classmethod
    def start(cls, layout: Layout) -> Disks:
        own = layout.instance_component
        names = ("disk", "disk_data", "disk_waste", "disk_rate", "write_disk", "stops_when_full")
        parameters = get_parameters(layout.components, names)
        capacity, data, waste, rate, write, stops = (values[own] for values in parameters)
        routes = [route for component in layout.components for route in component.routes]
        return cls(
            capacity=capacity,
            laid_out=capacity.copy(),
            data=np.minimum(data, capacity),
            waste=np.minimum(waste, np.maximum(0.0, capacity - data)),
            used=np.minimum(data + waste, capacity),
            rate=rate,
            write=write,
            writes=np.array([route.writes for route in routes]),
            stops=stops > 0.0,
            extra=np.zeros(len(layout.components)),
        )

    def refuse(self, layout: Layout, standing: Standing) -> Floats:
        """The share of the requests of each route that fail because they write to a disk that is full."""
        full = self._find_full(layout)
        return layout.memory.get((standing, full.tobytes()), Disks._refuse, self, layout, standing, full)

    def _refuse(self, layout: Layout, standing: Standing, full: NDArray[np.bool_]) -> Floats:
        return np.asarray(self.writes * standing.average(layout, full)[layout.route_component])

    def step(
        self, layout: Layout, standing: Standing, good: Floats, kept: Floats | None, seconds: float
    ) -> tuple[Indices, Indices]:
        """Write for a step. `good` are answered requests by route, `kept` MB of queues by component, None without any.

        Returns the instances whose disk has just become full, and those that stop because theirs is.
        """
        if not np.count_nonzero(self.capacity):
            return _NONE, _NONE
        own, open_ = layout.instance_component, standing.open_
        written = add_up(layout.route_component, good * self.writes, len(layout.components)) / standing.some
        used = self.used
        held = _NOTHING if kept is None else (kept / standing.some)[own] * open_
        free = self.capacity - self.data - self.waste
        free = np.maximum(_NOTHING, free if kept is None else free - held)
        seen = standing, self.extra.tobytes(), seconds
        write, waste = layout.memory.get(seen, Disks._find_rates, self, layout, standing, seconds)
        data = np.minimum(free, written[own] * write)
        waste = np.minimum(free - data, waste)
        self.data, self.waste = self.data + data, self.waste + waste
        there = self._find_held()
        np.putmask(there, standing.running, held)
        self.used = np.minimum(self.capacity, self.data + self.waste + there)
        full = self._find_full(layout)
        if not np.count_nonzero(full):
            return _NONE, _NONE
        before = used >= layout.memory.get((self.capacity.tobytes(),), Disks._find_brim, self)
        return np.nonzero(full & ~before)[0], np.nonzero(full & self.stops & standing.running)[0]

    def _find_rates(self, layout: Layout, standing: Standing, seconds: float) -> tuple[Floats, Floats]:
        """MB that instances write for a request that writes, and in a step of what may be thrown away."""
        waste = (self.rate + self.extra[layout.instance_component]) * seconds
        return self.write * standing.open_, waste * standing.open_

    def _find_full(self, layout: Layout) -> NDArray[np.bool_]:
        """Which disks are full, of which it is asked twice in a step."""
        brim = layout.memory.get((self.capacity.tobytes(),), Disks._find_brim, self)
        return np.asarray(self.used >= brim)

    def _find_brim(self) -> Floats:
        """What disks are full with; there is no such number where disks do not count."""
        return np.where(self.capacity > 0.0, self.capacity - 1e-6, np.inf)

    def is_full(self) -> NDArray[np.bool_]:
        """Which disks are full."""
        return np.asarray(self.used >= self._find_brim())

    def find_level(self, layout: Layout) -> Floats:
        """The share of its disk that the fullest instance of each component uses."""
        level = np.zeros(len(layout.components))
        places = np.nonzero(self.used)[0]
        used = self.used[places] / np.maximum(self.capacity[places], 1e-9)
        np.maximum.at(level, layout.instance_component[places], used)
        return level

    def expand(self, instances: NDArray[np.bool_]) -> bool:
        """Make the volumes of some instances half as large again. Returns whether they may grow."""
        grown = np.minimum(self.laid_out * _MOST, self.capacity * 1.5)
        grows = bool(np.any(grown[instances] > self.capacity[instances]))
        self.capacity = np.where(instances, grown, self.capacity)
        return grows

    def clean(self, instances: NDArray[np.bool_]) -> float:
        """Throw away what some instances do not need. Returns the MB that became free."""
        freed = np.where(instances, self.waste, 0.0)
        self.waste, self.used = self.waste - freed, self.used - freed
        return float(add_up(np.zeros(len(freed), dtype=np.int64), freed, 1)[0])

    def _find_held(self) -> Floats:
        """What is used beside data and waste: what queues keep on an instance that does not run."""
        return np.asarray(np.maximum(0.0, self.used - self.data - self.waste))
