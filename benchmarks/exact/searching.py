"""The search: all plays of the greatest sum within a set of actions, the most promising first."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.exact.bounds import Bounds, View, view
from benchmarks.exact.moves import WATCH
from env_core.episode import Episode, begin
from env_core.reference import Reference
from env_core.transition import step
from scenarios.parsing import InvalidActionError
from scenarios.running.incident import HASTY_SECONDS, RunningCourse
from scenarios.vocabulary import POINT, Diagnostic, Remediation

if TYPE_CHECKING:
    import random
    from collections.abc import Hashable, Iterator

    from benchmarks.exact.moves import Moves
    from scenarios.catalogue import Scenario
    from scenarios.incident import Item
    from scenarios.vocabulary import Action

Key = tuple["Hashable", ...]


@dataclass
class State:
    """Plays that cannot differ in what follows: the greatest sum so far, an episode that has it, and how it is reached.

    `before` are all ways to that sum.
    """

    episode: Episode
    before: list[tuple[Key, Action]] = field(default_factory=list)


class End(NamedTuple):
    """An episode that has ended, and the state that its answer was given in."""

    episode: Episode
    key: Key
    answer: Action

    @property
    def score(self) -> int:
        """In units of 1/`POINT`."""
        grade = self.episode.grade
        return 0 if grade is None else round(grade.score * POINT)


class Found(NamedTuple):
    """What a search has found: the greatest sum, in units of 1/`POINT`, and all ends of plays that have it."""

    best: int
    ends: list[End]
    states: dict[Key, State]

    @property
    def least_score(self) -> int:
        """The least score of plays with the greatest sum."""
        return min(end.score for end in self.ends)

    def count_plays(self) -> int:
        """The plays that have the greatest sum."""
        counts: dict[Key, int] = {}

        def reach(key: Key) -> int:
            if key not in counts:
                before = self.states[key].before
                counts[key] = sum(reach(earlier) for earlier, _ in before) if before else 1
            return counts[key]

        return sum(reach(end.key) for end in self.ends)

    def trace(self, end: End, chance: random.Random) -> list[Action]:
        """The actions of a play with this end, one of them by chance."""
        actions, key = [end.answer], end.key
        while before := self.states[key].before:
            key, action = chance.choice(before)
            actions.append(action)
        return actions[::-1]


def search(scenario: Scenario, moves: Moves, *, scores_only: bool = False) -> Found:
    """All plays with the greatest sum of rewards; with `scores_only` one of the greatest score."""
    return _Search(scenario, moves, scores_only=scores_only).run()


def find_key(episode: Episode, moves: Moves) -> Key:
    """What decides all that can follow.

    Of an incident with a plan it is the steps done and what was last shown; of one that runs, what was ordered when,
    the time, and how long ago the looks were taken that may be taken again.
    """
    course = episode.course
    state: Key = (
        episode.step_count,
        episode.seen,
        episode.investigating,
        frozenset(episode.shown),
        episode.effective,
        episode.attempted,
        episode.wrong,
        episode.recovery_seen,
    )
    if not isinstance(course, RunningCourse):
        last = frozenset((item, episode.shown[item].text) for item in moves.again if item in episode.shown)
        return (*state, getattr(course, "progress", None), last)
    ages = frozenset(_list_ages(course, moves.again))
    moment = course.now if course.orders or ages or not getattr(course.incident, "by_deeds", False) else 0
    return (*state, course.orders, moment, ages)


def _list_ages(course: RunningCourse, items: frozenset[Item]) -> Iterator[tuple[Item, int]]:
    for item in items:
        looked = course.looked.get(item)
        if looked is not None and looked.ordered == len(course.orders) and course.now - looked.at < HASTY_SECONDS:
            yield item, course.now - looked.at


class _Search:
    def __init__(self, scenario: Scenario, moves: Moves, *, scores_only: bool) -> None:
        self._moves = moves
        self._scores_only = scores_only
        self._bounds = Bounds(scenario, moves)
        self._table = scenario.task.rewards
        self._states: dict[Key, State] = {}
        self._heap: list[tuple[int, int, int, int, Key, Action]] = []
        self._number = count()
        self._best = -(10**9)
        self._ends: list[End] = []
        self._start = begin("exact", Reference.to(scenario), scenario)

    def run(self) -> Found:
        self._visit(self._start, None)
        while self._heap:
            most, _, _, cumulative, key, action = heappop(self._heap)
            state = self._states[key]
            if -most < self._best or (self._scores_only and self._best == -most):
                break
            if cumulative < state.episode.cumulative and not self._scores_only:
                continue  # the same state was reached with more
            try:
                after = step(state.episode, action).episode
            except InvalidActionError:
                continue  # refused, and it costs nothing
            if after.done:
                self._end(after, key, action)
            else:
                self._visit(after, (key, action))
        return Found(self._best, self._ends, self._states)

    def _end(self, episode: Episode, key: Key, action: Action) -> None:
        end = End(episode, key, action)
        total = end.score if self._scores_only else episode.cumulative
        if total > self._best:
            self._best, self._ends = total, []
        if total == self._best:
            self._ends.append(end)

    def _visit(self, episode: Episode, before: tuple[Key, Action] | None) -> None:
        key = find_key(episode, self._moves)
        known = self._states.get(key)
        if known is not None and before is not None:
            if episode.cumulative == known.episode.cumulative:
                known.before.append(before)
            if episode.cumulative <= known.episode.cumulative or self._scores_only:
                return
        self._states[key] = State(episode, [before] if before else [])
        seen = view(episode)
        for action in self._moves.list_actions(episode):
            most = self._find_most(episode, seen, action)
            if most >= self._best:
                entry = (-most, -episode.step_count, next(self._number), episode.cumulative, key, action)
                heappush(self._heap, entry)

    def _find_most(self, episode: Episode, seen: View, action: Action) -> int:
        """The most that a play can earn that goes on with an action. Nothing is judged for it."""
        earned = 0 if self._scores_only else episode.cumulative
        if not isinstance(action.declaration, Diagnostic | Remediation):
            return earned + self._bounds.find_most_in(seen, 0, scores_only=self._scores_only)
        pays, after = self._go_on(seen, action)
        if seen.steps + 1 >= episode.task.max_steps:
            return earned + pays + self._table.timeout + self._table.past_halfway
        late = self._table.past_halfway if 2 * (seen.steps + 1) > episode.task.max_steps else 0
        if self._scores_only:
            pays = late = 0
        return earned + pays + late + self._bounds.find_most(after, scores_only=self._scores_only)

    def _go_on(self, seen: View, action: Action) -> tuple[int, View]:
        """The most that an action earns by itself, and the best view of the episode after it."""
        after = seen._replace(steps=seen.steps + 1)
        if action == WATCH:
            return 0, after
        if isinstance(action.declaration, Remediation):
            if seen.left:
                return self._table.effective_remediation, after._replace(
                    left=seen.left - 1, done=seen.done + 1, acted=True
                )
            return 0, after._replace(acted=True)
        item = (action.name, action.target)
        pays = 0
        if item not in seen.looked:
            is_new = all(service != item[1] for _, service in seen.looked)
            pays = self._table.new_service if is_new else self._table.new_query
        return pays, after._replace(
            seen=seen.seen | {item} if seen.investigating else seen.seen,
            looked=seen.looked | {item},
            recovered=seen.recovered or (seen.acted and item in self._moves.recovery),
        )
