"""Names: callers keep the address of a target for a time, and call the old place until they ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_uniform, hash_names
from scenarios.world.flows import add_up
from scenarios.world.layout import get_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing

_FOR_LONG = 86400.0
"""How long a resolver goes on with answers that it does not renew, in seconds."""
_NOTHING = -1.0
"""What a caller has that could not look a name up."""


def _rank_names(layout: Layout) -> Floats:
    """A number in [0, 1) for the name of each component, which follows from it and the seed of its system."""
    ranks = [
        draw_uniform(hash_names(system.seed, [component.name for component in system.components], "zone"))
        for system in layout.systems
    ]
    return np.concatenate(ranks)


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """By call, the share of callers that call a place where nobody listens any more, and of those without a place."""

    stale: Floats
    unresolved: Floats


@dataclass(slots=True, eq=False)
class Addresses:
    """Where components are, as a number that changes when one `moves`, and what others have of it.

    `told` is what the resolver of the system answers, kept for `told_left` seconds; `held` and `left` are the same by
    link. A system without a resolver has addresses that never change.
    """

    resolver: Indices
    callee: Indices
    lasts: Floats
    moves: Floats
    told: Floats
    told_left: Floats
    told_lasts: Floats
    held: Floats
    left: Floats
    named: NDArray[np.bool_]
    rank: Floats
    unanswered: Floats

    @classmethod
    def start(cls, layout: Layout) -> Addresses:
        resolver: list[int] = []
        for system in layout.systems:
            first, names = len(resolver), [component.name for component in system.components]
            mine = -1 if system.resolver is None else first + names.index(system.resolver)
            resolver += [mine] * len(names)
        of_component = np.array(resolver, dtype=np.int64)
        (seconds,) = get_parameters(layout.components, ("address_seconds",))
        callee = layout.route_component[layout.call_target][layout.link_call]
        lasts = seconds[layout.instance_component[layout.link_instance]]
        # Callers have asked at different times: so their answers end one after the other.
        systems = np.repeat(np.arange(len(layout.systems)), [len(system.components) for system in layout.systems])
        of_system = systems[layout.instance_component[layout.link_instance]]
        links = np.arange(len(lasts)) - np.searchsorted(of_system, of_system)
        phase = (links * 5 % 8 + 1.0) / 8.0
        components = len(layout.components)
        return cls(
            resolver=of_component,
            callee=callee,
            lasts=lasts,
            moves=np.zeros(components),
            told=np.zeros(components),
            told_left=np.zeros(components),
            told_lasts=np.where(of_component >= 0, seconds[of_component], 0.0),
            held=np.zeros(len(lasts)),
            left=lasts * phase,
            named=of_component[callee] >= 0,
            rank=_rank_names(layout),
            unanswered=np.zeros(components),
        )

    def step(self, layout: Layout, standing: Standing, seconds: float) -> Resolved:
        """Let time pass: answers end, and names are looked up again if the resolver answers."""
        if not layout.memory.get((), _is_any_named, layout, self.named):
            return layout.memory.get((), _find_all, layout)
        answers = standing.count[self.resolver] > 0.0
        self.told_left = np.where(answers, self.told_left - seconds, 0.0)
        fresh = answers & (self.told_left <= 0.0)
        if np.count_nonzero(fresh):
            self.told = np.where(fresh, self.moves, self.told)
            self.told_left = np.where(fresh, self.told_lasts, self.told_left)
        running = standing.open_links > 0.0
        self.left = np.where(running, self.left - seconds, 0.0)
        if np.count_nonzero(self.unanswered):
            answers = answers & (self.rank >= self.unanswered[self.resolver])
        # Few ask in the same step.
        asks = np.nonzero((self.left <= 0.0) & self.named)[0]
        callee = self.callee[asks]
        answered = answers[callee]
        self.held[asks] = np.where(answered, self.told[callee], _NOTHING)
        renews = asks[answered & running[asks]]
        self.left[renews] = self.lasts[renews]
        seen = standing, self.held.tobytes(), self.moves.tobytes()
        return layout.memory.get(seen, Addresses._resolve, self, layout, standing)

    def _resolve(self, layout: Layout, standing: Standing) -> Resolved:
        """What callers have of addresses now."""
        calls, running = len(layout.call_weight), standing.open_links
        missing = (self.held == _NOTHING) & self.named
        stale = (self.held != self.moves[self.callee]) & self.named & ~missing
        return Resolved(
            add_up(layout.link_call, running * stale, calls) / standing.some_callers,
            add_up(layout.link_call, running * missing, calls) / standing.some_callers,
        )

    def move(self, component: int) -> None:
        """A component is somewhere else from now on."""
        self.moves[component] += 1.0

    def outdate(self, resolver: int, share: float) -> None:
        """A share of the names that a resolver knows lead elsewhere from now on, and it goes on with what it knew."""
        mine = (self.resolver == resolver) & (self.rank < share)
        self.moves = np.where(mine, self.moves + 1.0, self.moves)
        self.told_left = np.where(mine, _FOR_LONG, self.told_left)

    def flush(self, resolver: int) -> int:
        """Drop what a resolver has kept of answers. Returns how many of them were out of date."""
        mine = self.resolver == resolver
        old = int(np.count_nonzero(mine & (self.told != self.moves)))
        self.told_left[mine] = 0.0
        return old


def _is_any_named(_: Layout, named: NDArray[np.bool_]) -> bool:
    return bool(np.any(named))


def _find_all(layout: Layout) -> Resolved:
    """Callers find whom they call."""
    calls = len(layout.call_weight)
    return Resolved(np.zeros(calls), np.zeros(calls))
