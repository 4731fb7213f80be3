"""What a run wrote down: counts and levels of each tick of fifteen seconds. It is only ever added to."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.flows import Passed
from scenarios.world.paths import Paths
from scenarios.world.processes import find_collecting
from scenarios.world.standing import find_standing
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from typing import Self

    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import State

TICK = 15.0
"""Seconds of a tick."""

COUNTS = tuple(spec.name for spec in fields(Passed) if spec.name not in {"load", "waited", "delay", "ledger"})
"""What is counted over a tick, as `Passed` names it."""
_get_counts = attrgetter(*COUNTS)
LEVELS = (
    "p50",
    "p90",
    "p99",
    "load",
    "queue",
    "running",
    "memory",
    "connections",
    "disk",
    "hits",
    "kept",
    "backlog",
    "link_loss",
    "link_latency",
    "unanswered",
    "delay",
    "collecting",
)
"""What is read at the end of a tick: latencies in seconds by route; `backlog` in messages by group;
`kept` in connections of each pool that an instance has lost;
the others by component, load, disk and hits as shares. `link_loss` (a share) and `link_latency` (seconds) are of the
worst link of a router, `unanswered` is the share of questions that a resolver does not answer. `delay` is in seconds by
call, `collecting` are the processors of a component that collect garbage."""


@dataclass(slots=True, eq=False)
class Record:
    """The ticks of a run so far. `ledger` is the largest gap in what came and went, in requests."""

    ticks: dict[str, list[Floats]] = field(default_factory=lambda: {name: [] for name in (*COUNTS, *LEVELS)})
    ledger: float = 0.0
    _open: list[Passed] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ticks["arrived"])

    def get(self, name: str, first: int = 0, end: int | None = None) -> Floats:
        """What was counted or read in some ticks, a row for each."""
        return np.array(self.ticks[name][first:end])

    def fork(self) -> Self:
        """A record that goes on by itself. The ticks so far are shared: nothing changes them."""
        return type(self)({name: list(rows) for name, rows in self.ticks.items()}, self.ledger, list(self._open))

    def list_open(self) -> list[Passed]:
        """The steps since the last tick was written."""
        return list(self._open)

    def open_with(self, steps: list[Passed]) -> None:
        """Go on after some steps of a tick that is not written yet."""
        self._open = steps

    def add(self, layout: Layout, state: State, passed: Passed, connections: Floats) -> None:
        """Add a step; with the last step of a tick the tick is written."""
        self._open.append(passed)
        self.ledger = max(self.ledger, passed.ledger)
        if len(self._open) * state.step < TICK:
            return
        nothing = layout.no_requests
        for name, parts in zip(COUNTS, zip(*map(_get_counts, self._open), strict=True), strict=True):
            total, *others = parts
            for other in others:
                # Most of what can be refused or turned away is not, in most ticks.
                if other is not nothing:
                    total = total + other
            self.ticks[name].append(total)
        own, components = layout.instance_component, len(layout.components)
        standing = find_standing(layout, state.phase, state.release)
        levels = (
            *(state.flows.latency[place] for place in (1, 2, 3)),
            passed.load,
            add_up(own, state.flows.queue, components),
            standing.count,
            add_up(own, state.memory, components) / standing.some,
            connections,
            state.disks.find_level(layout),
            state.caches.find_hit_ratio(layout, standing),
            add_up(own, state.kept, components) / standing.some,
            state.queues.find_backlog(),
            *layout.memory.get(state.paths.list_bytes(), Paths.find_worst, state.paths, components),
            state.addresses.unanswered.copy(),
            passed.delay,
            find_collecting(layout, state),
        )
        for name, level in zip(LEVELS, levels, strict=True):
            self.ticks[name].append(level)
        self._open.clear()
