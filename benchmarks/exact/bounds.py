"""What a play can still earn at most: never less than it does, so that what is left out of the search is no better."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from env_core.perfect import answer_perfectly
from env_core.rewards import reward_lateness, sum_events
from graders import Conduct, grade
from scenarios.incident import Achieved
from scenarios.running.incident import RunningCourse
from scenarios.vocabulary import POINT

if TYPE_CHECKING:
    from benchmarks.exact.moves import Moves
    from env_core.episode import Episode
    from scenarios.catalogue import Scenario
    from scenarios.incident import Item, Known


class View(NamedTuple):
    """What the bound knows of a point of an episode.

    `left` are the effective remediations that may still be paid, and `done` those that were. `acted`: something was
    ordered. `recovered`: the recovery was seen, or may have been.
    """

    steps: int
    seen: frozenset[Item]
    investigating: bool
    looked: frozenset[Item]
    left: int
    done: int
    acted: bool
    wrong: int
    recovered: bool


def view(episode: Episode) -> View:
    """An episode as the bound sees it."""
    course = episode.course
    if isinstance(course, RunningCourse):
        left, acted = course.left, bool(course.orders)
    else:
        left, acted = len(episode.incident.plan.steps) - len(episode.effective), bool(episode.attempted)
    return View(
        episode.step_count,
        episode.seen,
        episode.investigating,
        frozenset(episode.shown),
        left,
        len(episode.effective),
        acted,
        episode.wrong,
        episode.recovery_seen,
    )


class Bounds:
    """Upper bounds on a scenario in units of 1/`POINT`, from the real grader and the real table of rewards."""

    def __init__(self, scenario: Scenario, moves: Moves) -> None:
        self._scenario = scenario
        self._moves = moves
        self._runs = isinstance(scenario.incident.begin(), RunningCourse)
        self._plan = scenario.incident.plan.steps
        self._known: dict[frozenset[Item], Known] = {}
        self._best_known: dict[tuple[frozenset[Item], int], Known] = {}
        self._grades: dict[tuple[Known, Fraction, bool, int, int], int] = {}
        self._most: dict[tuple[View, bool], int] = {}

    def find_most(self, seen: View, *, scores_only: bool = False) -> int:
        """The most that the rest of a play can earn, its answer included; with `scores_only` the most of its score."""
        key = (seen, scores_only)
        if key not in self._most:
            left = self._scenario.task.max_steps - seen.steps
            self._most[key] = max(self.find_most_in(seen, more, scores_only=scores_only) for more in range(left))
        return self._most[key]

    def find_most_in(self, seen: View, more: int, *, scores_only: bool = False) -> int:
        """The most that so many steps and then the answer can earn."""
        task = self._scenario.task
        late = sum(sum_events(reward_lateness(task, seen.steps + number)) for number in range(1, more + 1))
        plans = []
        for sees in (True, False) if task.asks_repair else (False,):
            if sees and not seen.recovered and more < (1 if seen.acted else 2):
                continue
            # Who still has to see the recovery, and has looked at all that can show it, looks again for nothing.
            unpaid = sees and not seen.recovered and self._moves.recovery <= seen.looked
            paid = self._pay(seen, more - unpaid) + late
            plans.append((0 if scores_only else paid) + self._score(seen, more, sees=sees))
        return max(plans)

    def _pay(self, seen: View, steps: int) -> int:
        table = self._scenario.task.rewards
        items = [item for item in (*self._moves.looks, *self._moves.idle) if item not in seen.looked]
        new = len({service for _, service in items} - {service for _, service in seen.looked})
        pays = [table.effective_remediation] * seen.left
        pays += [table.new_service] * new + [table.new_query] * (len(items) - new)
        return sum(sorted(pays, reverse=True)[:steps])

    def _score(self, seen: View, more: int, *, sees: bool) -> int:
        repairs = self._scenario.task.asks_repair
        acts = repairs and not seen.acted and more > 0
        known = self._find_best_known(seen.seen, more - acts) if seen.investigating else self._know(seen.seen)
        if not self._runs:
            done = min(seen.done + min(more, seen.left), len(self._plan))
            share = Fraction(done, len(self._plan)) if self._plan else Fraction(0)
        else:
            share = Fraction(seen.acted or more > 0)
        return self._grade(known, share, sees and share == 1, seen.wrong, seen.steps + more + 1)

    def _find_best_known(self, seen: frozenset[Item], looks: int) -> Known:
        """The most that somebody can know after so many looks more."""
        key = (seen, looks)
        if key not in self._best_known:
            others = [item for item in self._moves.looks if item not in seen]
            sets = combinations(others, min(looks, len(others)))
            self._best_known[key] = max((self._know(seen | set(more)) for more in sets), key=lambda known: known.share)
        return self._best_known[key]

    def _know(self, seen: frozenset[Item]) -> Known:
        if seen not in self._known:
            self._known[seen] = self._scenario.incident.know(self._scenario.task.id, seen)
        return self._known[seen]

    def _grade(self, known: Known, share: Fraction, verified: bool, wrong: int, steps: int) -> int:
        key = (known, share, verified, wrong, steps)
        if key not in self._grades:
            incident, task = self._scenario.incident, self._scenario.task
            every = frozenset(step.step for step in self._plan)
            conduct = Conduct(
                submission=answer_perfectly(incident, task).parameters,
                steps=steps,
                pace=incident.pace(task),
                known=known,
                achieved=Achieved(share, by_outcome=self._runs),
                plan=self._plan,
                effective=every,
                attempted=every,
                wrong=wrong,
                verified=verified,
                services=incident.services,
                flags=incident.flags,
                runbook=(),
            )
            self._grades[key] = round(grade(task, incident.truth, conduct).score * POINT)
        return self._grades[key]
