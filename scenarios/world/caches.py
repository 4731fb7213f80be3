"""Caches: what they find, how they fill from the store behind them, and what a miss costs that store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.layout import get_parameters
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.flows import Passed
    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing


_WARMED = 0.95
"""What a cache finds that was filled from a copy, as a share of what it finds at best."""


_ASKED, _MISSED = np.ones(1), np.zeros(1)
"""The look-up of a cache that asks itself: it succeeds."""
_ALL, _LITTLE = np.array(1.0), np.array(1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Caching:
    """The instances that find anything at best: their `places`, their components (`own`), and what a step changes."""

    places: Indices
    own: Indices
    running: NDArray[np.bool_]
    all_run: bool
    best: Floats
    fills: Floats
    ages: Floats
    persists: Floats


@dataclass(slots=True, eq=False)
class Caches:
    """The share of look-ups that each instance `finds`, and which calls are made for the others.

    `misses` are the calls that are made on a miss in the component `cache`; `look_ups` are the calls that ask it for
    the same request, or the last call and one more, where the caller is the cache itself.
    """

    finds: Floats
    best: Floats
    fill: Floats
    lasts: Floats
    persists: Floats
    misses: Indices
    cache: Indices
    look_ups: Indices

    @classmethod
    def start(cls, layout: Layout) -> Caches:
        systems = enumerate(layout.systems)
        named = ((number, component.name) for number, system in systems for component in system.components)
        places = {key: place for place, key in enumerate(named)}
        calls = [(number, call) for number, system in enumerate(layout.systems) for call in system.calls]
        misses = [place for place, (_, call) in enumerate(calls) if call.on_miss is not None]
        cache = [places[calls[place][0], calls[place][1].on_miss or ""] for place in misses]
        own, source = layout.instance_component, layout.call_source
        asked = layout.route_component[layout.call_target]
        look_ups = []
        for place, component in zip(misses, cache, strict=True):
            asking = np.nonzero((source == source[place]) & (asked == component))[0]
            look_ups.append(int(asking[0]) if len(asking) else len(calls))
        parameters = get_parameters(layout.components, ("hit_ratio", "fill_seconds", "entry_seconds", "persists"))
        best, fill, lasts, persists = (values[own] for values in parameters)
        return cls(
            finds=best * layout.instance_planned,
            best=best,
            fill=fill,
            lasts=lasts,
            persists=persists,
            misses=np.array(misses, dtype=np.int64),
            cache=np.array(cache, dtype=np.int64),
            look_ups=np.array(look_ups, dtype=np.int64),
        )

    def step(self, layout: Layout, standing: Standing, room: Floats, passed: Passed | None, seconds: float) -> Floats:
        """Fill what has room and lose what is old. Returns how often a request makes each call now.

        A miss that is not answered fills nothing, while what is there gets old. `room` is the share of its memory that
        each component has; what is found grows with the root of it.
        """
        if not len(self.misses):
            return layout.call_weight
        caching = layout.memory.get(
            (standing, room.tobytes(), seconds), Caches._find_caching, self, layout, standing, room, seconds
        )
        answered, asked = self._find_answered(layout, passed)
        answered = answered[caching.own]
        finds = self.finds[caching.places]
        fills, ages = caching.fills * answered, caching.ages * (_ALL - answered)
        filled = (finds + fills * caching.best) / (_ALL + fills + ages)
        if not caching.all_run:
            filled = np.where(caching.running, filled, finds * caching.persists)
        self.finds[caching.places] = filled
        missed = _ALL - self.find_hit_ratio(layout, standing)[self.cache] * asked
        weights = layout.call_weight.copy()
        weights[self.misses] = weights[self.misses] * missed
        return weights

    def find_hit_ratio(self, layout: Layout, standing: Standing) -> Floats:
        """The share of look-ups that each component finds, 0 of one that does not run."""
        found = add_up(layout.instance_component, self.finds * standing.open_, len(layout.components))
        return np.asarray(found / standing.some)

    def _find_caching(self, layout: Layout, standing: Standing, room: Floats, seconds: float) -> Caching:
        places = np.nonzero(self.best)[0]
        own = layout.instance_component[places]
        return Caching(
            places=places,
            own=own,
            running=standing.running[places],
            all_run=bool(np.all(standing.running[places])),
            best=(self.best * np.sqrt(np.minimum(1.0, room))[layout.instance_component])[places],
            fills=(seconds / self.fill)[places],
            ages=(seconds / self.lasts)[places],
            persists=self.persists[places],
        )

    def _find_answered(self, layout: Layout, passed: Passed | None) -> tuple[Floats, Floats]:
        """The share of misses that were answered, by cache, and by miss the share of look-ups that were."""
        components = len(layout.components)
        if passed is None:
            return np.ones(components), np.ones(len(self.misses))
        sent = add_up(self.cache, passed.sent[self.misses], components)
        succeeded = add_up(self.cache, passed.succeeded[self.misses], components)
        good, lost = passed.succeeded, passed.given_up
        if layout.memory.get((), Caches._is_any_asking_itself, self, layout):
            good, lost = np.concatenate((good, _ASKED)), np.concatenate((lost, _MISSED))
        good = good[self.look_ups]
        return np.minimum(_ALL, _find_share(succeeded, sent)), _find_share(good, good + lost[self.look_ups])

    def _is_any_asking_itself(self, layout: Layout) -> bool:
        """Whether a cache fills itself: then no call looks up in it."""
        return bool(np.any(self.look_ups == len(layout.call_weight)))

    def warm(self, layout: Layout, component: int, open_: Floats) -> bool | None:
        """Fill a cache with what is asked for most. Returns whether anything was missing, None if no cache runs."""
        own = (layout.instance_component == component) & (open_ > 0.0)
        missing = own & (self.finds < _WARMED * self.best)
        self.finds = np.where(missing, _WARMED * self.best, self.finds)
        return bool(np.any(missing)) if np.any(self.best[own] > 0.0) else None

    def clear(self, layout: Layout, component: int) -> bool:
        """Empty a cache. Returns whether there was anything in it."""
        own = layout.instance_component == component
        had = bool(np.any(self.finds[own] > 0.0))
        self.finds[own] = 0.0
        return had


def _find_share(part: Floats, whole: Floats) -> Floats:
    """The share of a part in the whole, 1 where the whole is nothing."""
    share: Floats = part / np.maximum(whole, _LITTLE)
    np.putmask(share, whole <= _LITTLE, _ALL)
    return share
