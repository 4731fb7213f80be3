"""Names: callers keep the address of a target for a time, and call the old place until they ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_uniform, hash_names
from scenarios.world.layout import get_parameters
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing

_FOR_LONG = 86400.0
"""How long a resolver goes on with answers that it does not renew, in seconds."""
_NOW = np.array(0.0)
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
        silent, stopped = layout.memory.get((standing,), Addresses._find_silent, self, standing)
        self.told_left = self.told_left - seconds
        if silent is not None:
            np.putmask(self.told_left, silent, _NOW)
        fresh = self.told_left <= _NOW
        if np.count_nonzero(fresh):
            self._renew(fresh, silent)
        self.left = self.left - seconds
        np.putmask(self.left, stopped, _NOW)
        told = standing, self.told.tobytes(), self.unanswered.tobytes()
        answers, renews = layout.memory.get(told, Addresses._answer, self, standing)
        asks = (self.left <= _NOW) & self.named
        np.putmask(self.held, asks, answers)
        np.putmask(self.left, asks & renews, self.lasts)
        seen = standing, self.held.tobytes(), self.moves.tobytes()
        return layout.memory.get(seen, Addresses._resolve, self, layout, standing)

    def _find_silent(self, standing: Standing) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_]]:
        """The components whose resolver does not run, None if all run, and the links whose caller does not."""
        silent = ~(standing.count[self.resolver] > 0.0)
        return silent if np.any(silent) else None, ~(standing.open_links > 0.0)

    def _renew(self, fresh: NDArray[np.bool_], silent: NDArray[np.bool_] | None) -> None:
        """Resolvers look up again what they kept for long enough."""
        fresh = fresh if silent is None else fresh & ~silent
        self.told = np.where(fresh, self.moves, self.told)
        self.told_left = np.where(fresh, self.told_lasts, self.told_left)

    def _answer(self, standing: Standing) -> tuple[Floats, NDArray[np.bool_]]:
        """What each link is answered if it asks now, and which of them keep that."""
        answers = (standing.count[self.resolver] > 0.0) & (self.rank >= self.unanswered[self.resolver])
        answered = answers[self.callee]
        return np.where(answered, self.told[self.callee], _NOTHING), answered & (standing.open_links > 0.0)

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
