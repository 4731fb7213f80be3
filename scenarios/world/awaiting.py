"""Users who wait until consumers are done with what their request has sent: whose message is too old is not served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from scenarios.world.flows import Passed
    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.queues import Queues

_PACE_SECONDS = 60.0
"""The time constant with which the pace of a partition is known."""


@dataclass(slots=True, eq=False)
class Awaiting:
    """The routes at which such users enter, the group that they await, and for how many seconds at most.

    `pace` are the messages a second that came to each lane of late.
    """

    route: Indices
    group: Indices
    within: Floats
    pace: Floats

    @classmethod
    def start(cls, layout: Layout, lanes: int) -> Awaiting:
        found: dict[int, tuple[int, float]] = {}
        first = journeys = 0
        for system in layout.systems:
            names = [group.name for group in system.groups]
            for number, journey in enumerate(system.journeys, journeys):
                if journey.awaits is not None:
                    route = int(layout.journey_entry[number])
                    within = min(journey.within, found.get(route, (0, journey.within))[1])
                    found[route] = first + names.index(journey.awaits), within
            first, journeys = first + len(names), journeys + len(system.journeys)
        return cls(
            route=np.array(list(found), dtype=np.int64),
            group=np.array([group for group, _ in found.values()], dtype=np.int64),
            within=np.array([within for _, within in found.values()]),
            pace=np.zeros(lanes),
        )

    def fail(self, queues: Queues, passed: Passed, seconds: float) -> None:
        """Users whose messages wait for too long have failed in what passed."""
        if not len(self.route):
            return
        came = (passed.good.take(queues.topic_route) / queues.topic_partitions).take(queues.lane_topic)
        rate = seconds / _PACE_SECONDS
        now = came / seconds
        # A lane to which nothing came before has the pace of now.
        known = (self.pace + now * rate) / (1.0 + rate)
        self.pace = known if np.count_nonzero(self.pace) == len(now) else np.where(self.pace > 0.0, known, now)
        age = (queues.waits + queues.taken) / np.maximum(self.pace, 1e-6)
        if not np.count_nonzero(age > self.within.min()):
            return
        groups = len(queues.group_topic)
        lanes = np.maximum(add_up(queues.lane_group, np.ones(len(age)), groups), 1.0)
        good, failed = passed.users_good.copy(), passed.users_failed.copy()
        for route, group, within in zip(self.route.tolist(), self.group.tolist(), self.within.tolist(), strict=True):
            # Between once and twice that time ever more of those who wait are late.
            late = np.minimum(1.0, np.maximum(0.0, age / within - 1.0)) * (queues.lane_group == group)
            share = float(add_up(queues.lane_group, late, groups)[group] / lanes[group])
            failed[route] += good[route] * share
            good[route] *= 1.0 - share
        passed.users_good, passed.users_failed = good, failed
