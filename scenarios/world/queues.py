"""Brokers: topics that keep what producers send, and groups of consumers that work on it at their own pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.flows import Passed
    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing
    from scenarios.world.system import Group, Topic

_LONGEST_SECONDS = 21600.0
"""A topic that keeps messages for longer than this drops none while a system is played."""
_NO_GROUPS = np.zeros(0, dtype=np.int64)
_NOTHING, _ALL, _LITTLE = np.array(0.0), np.array(1.0), np.array(1e-12)
_NEXT = 1e-9
"""A message is at the head of its partition when there are no more than so many before it."""


@dataclass(slots=True, eq=False)
class Queues:
    """Messages by lane: a lane is a partition of a topic as one group of consumers sees it.

    A message `waits`, is `taken` by a consumer, and is done when that has committed it; if the work fails, it waits
    again. `came`, `done` and `dropped` are counted from the start. In front of a message that nobody can work on stand
    `ahead` others: then the lane `stands` still. `recent` are the messages that a topic keeps, `history` those of each
    step, as far back as the longest retention. `ledger` is the largest gap in what came and went in a step.
    """

    topic_route: Indices
    topic_broker: Indices
    topic_size: Floats
    topic_partitions: Floats
    topic_steps: Indices
    group_topic: Indices
    group_route: Indices
    group_component: Indices
    group_workers: Floats
    lane_group: Indices
    lane_topic: Indices
    waits: Floats
    taken: Floats
    came: Floats
    done: Floats
    dropped: Floats
    ahead: Floats
    stands: NDArray[np.bool_]
    recent: Floats
    history: Floats
    turn: int = 0
    ledger: float = 0.0

    @classmethod
    def start(cls, layout: Layout, seconds: float) -> Queues:
        topics: list[tuple[int, Topic]] = []
        groups: list[tuple[int, int, Group]] = []
        first_route = 0
        for system in layout.systems:
            routes, names = system.list_routes(), [topic.name for topic in system.topics]
            first_topic = len(topics)
            topics += [(first_route + routes.index(topic.route), topic) for topic in system.topics]
            groups += [
                (first_topic + names.index(g.topic), first_route + routes.index(g.route), g) for g in system.groups
            ]
            first_route += len(routes)
        topic_route = np.array([route for route, _ in topics], dtype=np.int64)
        group_topic = np.array([topic for topic, _, _ in groups], dtype=np.int64)
        group_route = np.array([route for _, route, _ in groups], dtype=np.int64)
        lanes = [number for number, (topic, _, _) in enumerate(groups) for _ in range(topics[topic][1].partitions)]
        lane_group = np.array(lanes, dtype=np.int64)
        kept = [topic.retention if topic.retention <= _LONGEST_SECONDS else 0.0 for _, topic in topics]
        steps = np.array([int(retention / seconds) for retention in kept], dtype=np.int64)
        return cls(
            topic_route=topic_route,
            topic_broker=layout.route_component[topic_route],
            topic_size=np.array([topic.size for _, topic in topics]),
            topic_partitions=np.array([float(topic.partitions) for _, topic in topics]),
            topic_steps=steps,
            group_topic=group_topic,
            group_route=group_route,
            group_component=layout.route_component[group_route],
            group_workers=np.array([group.workers for _, _, group in groups]),
            lane_group=lane_group,
            lane_topic=group_topic[lane_group],
            waits=np.zeros(len(lanes)),
            taken=np.zeros(len(lanes)),
            came=np.zeros(len(lanes)),
            done=np.zeros(len(lanes)),
            dropped=np.zeros(len(lanes)),
            ahead=np.full(len(lanes), np.inf),
            stands=np.zeros(len(lanes), dtype=np.bool_),
            recent=np.zeros(len(topics)),
            history=np.zeros((max(1, int(np.max(steps, initial=0))), len(topics))),
        )

    def take(self, layout: Layout, standing: Standing, holding: Floats, seconds: float) -> Floats:
        """The messages that consumers begin to work on in a step, by route. A worker has one partition at a time."""
        routes, groups = len(layout.route_work), len(self.group_topic)
        if not groups:
            return np.zeros(routes)
        workers = layout.memory.get((standing, self.ahead.tobytes()), Queues._count_workers, self, standing)
        can = workers * seconds / np.maximum(holding[self.group_route], 1e-9)
        there: Floats = np.maximum(_NOTHING, np.minimum(self.waits, self.ahead - self.taken))
        of_group = add_up(self.lane_group, there, groups)
        wanted = np.minimum(of_group, np.maximum(_NOTHING, can - add_up(self.lane_group, self.taken, groups)))
        moved = there * (wanted / np.maximum(of_group, _LITTLE))[self.lane_group]
        self.waits, self.taken = np.maximum(_NOTHING, self.waits - moved), self.taken + moved
        return add_up(self.group_route, add_up(self.lane_group, moved, groups), routes)

    def settle(self, layout: Layout, standing: Standing, passed: Passed) -> Indices:
        """Commit what was done, put back what failed, add what came. Returns the groups that have come to a halt."""
        groups = len(self.group_topic)
        if not len(self.topic_route):
            self.turn += 1
            return _NO_GROUPS
        came_topic = passed.good[self.topic_route]
        drops = layout.memory.get((), Queues._is_any_dropped, self)
        self._keep(came_topic, drops=drops)
        if not groups:
            return _NO_GROUPS
        brokers = layout.memory.get((standing,), Queues._find_brokers, self, standing)
        before = self.waits + self.taken
        good, failed = passed.users_good[self.group_route], passed.users_failed[self.group_route]
        pending = np.maximum(add_up(self.lane_group, self.taken, groups), _LITTLE)
        # What was done while the broker is down cannot be committed, and is done again.
        committed = np.minimum(_ALL, good / pending) * brokers
        back = np.minimum(_ALL, (good + failed) / pending) - committed
        done, again = self.taken * committed[self.lane_group], self.taken * back[self.lane_group]
        came = (came_topic / self.topic_partitions)[self.lane_topic]
        taken = np.maximum(_NOTHING, self.taken - done - again)
        waits = self.waits + again + came
        dropped = self._drop(waits, taken) if drops else np.zeros(len(waits))
        self.waits, self.taken = waits - dropped, taken
        self.came, self.done = self.came + came, self.done + done
        if drops:
            self.dropped = self.dropped + dropped
        gap = before + came - done - dropped - (self.waits + self.taken)
        self.ledger = max(self.ledger, float(np.abs(gap).max(initial=0.0)))
        return self._halt(layout, done, dropped)

    def _drop(self, waits: Floats, taken: Floats) -> Floats:
        """The messages of each lane that its topic does not keep any longer."""
        kept = np.where(self.topic_steps > 0, self.recent / self.topic_partitions, np.inf)[self.lane_topic]
        over = waits + taken - kept
        return np.where(over > 1e-6, np.minimum(waits, over), 0.0)

    def _halt(self, layout: Layout, done: Floats, dropped: Floats) -> Indices:
        """Come nearer to messages that nobody can work on. Returns the groups that stand before one now."""
        stood = self.stands
        if not layout.memory.get((self.ahead.tobytes(), stood.tobytes()), Queues._is_any_ahead, self):
            return _NO_GROUPS
        self.ahead = np.maximum(0.0, self.ahead - done - dropped)
        self.stands = self.ahead <= _NEXT
        halted = (self.stands & ~stood).astype(np.float64)
        return np.nonzero(add_up(self.lane_group, halted, len(self.group_topic)))[0]

    def _is_any_ahead(self) -> bool:
        """Whether there is, or was before, a message that nobody can work on."""
        return bool(np.any(self.ahead < np.inf) or np.any(self.stands))

    def _is_any_dropped(self) -> bool:
        """Whether a topic drops messages while a system is played."""
        return bool(np.any(self.topic_steps > 0))

    def _find_brokers(self, standing: Standing) -> Floats:
        """1 of each group whose broker runs."""
        return (standing.count[self.topic_broker][self.group_topic] > 0.0).astype(np.float64)

    def _count_workers(self, standing: Standing) -> Floats:
        """The workers of each group that have a partition which moves."""
        moving = add_up(self.lane_group, (self.ahead > _NEXT).astype(np.float64), len(self.group_topic))
        workers = np.minimum(self.group_workers * standing.count[self.group_component], moving)
        return np.asarray(workers * self._find_brokers(standing))

    def find_backlog(self) -> Floats:
        """The messages that each group has not committed."""
        return add_up(self.lane_group, self.waits + self.taken, len(self.group_topic))

    def find_kept(self, components: int) -> Floats:
        """MB that the topics of each component take on its disks."""
        return add_up(self.topic_broker, self.recent * self.topic_size, components)

    def poison(self, topic: int, partitions: int = 1) -> None:
        """Somebody sends messages that no consumer can work on: one is the last in each of some partitions now."""
        first = self._list_first_lanes(topic)
        most = min(partitions, int(self.topic_partitions[topic]))
        lanes = np.array([lane + more for lane in first.tolist() for more in range(most)], dtype=np.int64)
        self.ahead[lanes] = np.minimum(self.ahead[lanes], self.waits[lanes] + self.taken[lanes])

    def skip(self, topic: int) -> float:
        """Leave out the message at the head of the partitions that stand still. Returns how many were dropped."""
        lanes = np.nonzero((self.lane_topic == topic) & (self.ahead <= _NEXT))[0]
        skipped = np.minimum(1.0, self.waits[lanes])
        self.waits[lanes] = self.waits[lanes] - skipped
        self.dropped[lanes] = self.dropped[lanes] + skipped
        self.ahead[lanes] = np.inf
        return _add(skipped)

    def purge(self, topic: int) -> float:
        """Drop all messages of a topic that wait. Returns how many."""
        lanes = np.nonzero(self.lane_topic == topic)[0]
        purged = self.waits[lanes] + 0.0
        self.waits[lanes] = 0.0
        self.dropped[lanes] = self.dropped[lanes] + purged
        self.ahead[lanes] = np.inf
        return _add(purged)

    def _keep(self, came: Floats, *, drops: bool) -> None:
        """Count what topics keep: of those that drop what is old, what came within the retention."""
        rows = len(self.history)
        recent = self.recent + came
        if drops:
            old = self.history[(self.turn - self.topic_steps) % rows, np.arange(len(came))]
            recent = recent - np.where(self.topic_steps > 0, old, 0.0)
        self.history[self.turn % rows] = came
        self.recent = np.maximum(_NOTHING, recent)
        self.turn += 1

    def _list_first_lanes(self, topic: int) -> Indices:
        """The first partition of a topic, as each of its groups sees it."""
        groups = np.nonzero(self.group_topic == topic)[0]
        return np.searchsorted(self.lane_group, groups)


def _add(numbers: Floats) -> float:
    """The sum of some numbers, in their order."""
    return float(add_up(np.zeros(len(numbers), dtype=np.int64), numbers, 1)[0])
