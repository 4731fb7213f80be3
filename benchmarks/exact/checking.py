"""One incident searched, and what was found played again by the real rules with all that an agent is shown."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.exact.bare import BareCourse, BareIncident
from benchmarks.exact.moves import choose_moves
from benchmarks.exact.searching import search
from env_core.episode import begin
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.generator.naming import RUNNING_VERSION
from scenarios.proofs.repairs import LASTINGS
from scenarios.running.incident import RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import POINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from env_core.episode import Episode
    from scenarios.catalogue import Scenario
    from scenarios.incident import Course
    from scenarios.proofs import Proof
    from scenarios.vocabulary import Action, TaskId

_REPLAYED = 3
"""Plays of the greatest sum that are played again."""
_JUDGED_AGAIN = 4
"""Verdicts that are asked for again at other minutes, where a search has left the minutes out."""
_LONGEST_WAIT = 4
"""Looks that somebody takes more before a deed at those."""


class Named(NamedTuple):
    """A curated scenario by its name, or a listed draw as a task."""

    task_id: TaskId = ""
    seed: int = 0
    difficulty: int = 0
    scenario_id: str = ""


class Checked(NamedTuple):
    """What a search of an incident has found, in units of 1/`POINT`, and what did not agree with the real rules.

    `least` is the least score of a play with the greatest sum `best`, and `greatest` that of any play. `told` is a play
    with the least score, each step with what it earned. Of `replayed` plays and of verdicts `judged` again so many
    were `other` than the search had them. Most of those plays have less than the greatest sum; `against` what was found
    are those that have more, or as much with a lesser score. Of `deeds` done at several minutes so many were judged
    `variously`.
    """

    named: Named
    name: str
    by_deeds: bool
    best: int
    least: int
    greatest: int
    plays: int
    states: int
    told: tuple[str, ...]
    replayed: int
    other_plays: int
    against: int
    judged: int
    other_verdicts: int
    deeds: int
    variously: int
    seconds: float

    @property
    def is_greatest(self) -> bool:
        """Whether every play with the greatest sum has the greatest score, and none was found to earn more."""
        return self.least == self.greatest and not self.against


def check(named: Named, *, by_deeds: bool | None = None) -> Checked:
    """Search an incident. Without a wish it is told by its deeds if its verdicts are too many or too dear otherwise."""
    began = time.process_time()
    scenario, proof = _find(named)
    if by_deeds is None:
        by_deeds = proof is not None and _is_dear(scenario, proof)
    bare = scenario
    if isinstance(scenario.incident, RunningIncident):
        incident = BareIncident(scenario.incident, named.seed, named.difficulty, by_deeds=by_deeds)
        bare = replace(scenario, incident=incident)
    moves = choose_moves(bare, proof)
    found = search(bare, moves)
    greatest = POINT if found.least_score == POINT else search(bare, moves, scores_only=True).best
    chance = random.Random(scenario.incident.digest)  # noqa: S311 - the same plays in every run
    worst = min(found.ends, key=lambda end: end.score)
    ends = [chance.choice(found.ends) for _ in range(_REPLAYED)]
    replayed = [play(scenario, found.trace(end, chance)) for end in ends]
    judged = list(_judge_again(bare.incident, chance)) if by_deeds and isinstance(bare.incident, BareIncident) else []
    outcomes = _group_outcomes(bare.incident) if isinstance(bare.incident, BareIncident) else []
    return Checked(
        named,
        scenario.id,
        by_deeds,
        found.best,
        found.least_score,
        greatest,
        found.count_plays(),
        len(found.states),
        tuple(tell(play(bare, found.trace(worst, chance)))),
        len(replayed),
        sum((each.cumulative, _get_score(each)) != (found.best, greatest) for each in replayed),
        sum(_is_against(each, found.best, greatest) for each in replayed),
        len(judged),
        judged.count(False),
        len(outcomes),
        sum(len(each) > 1 for each in outcomes),
        time.process_time() - began,
    )


def play(scenario: Scenario, actions: Sequence[Action]) -> Episode:
    """The episode of some actions."""
    episode = begin("exact", Reference.to(scenario), scenario)
    for action in actions:
        episode = step(episode, action).episode
    return episode


def tell(episode: Episode) -> Iterator[str]:
    """What was done in an episode, each step with what it earned, and the score."""
    for taken in episode.steps:
        events = ", ".join(event for event, _ in taken.events)
        yield f"{taken.number}. {taken.action.name} {taken.action.target} {taken.reward / POINT:+.2f} ({events})"
    yield f"score {episode.grade.score if episode.grade else 0.0:.4f}"


def _find(named: Named) -> tuple[Scenario, Proof | None]:
    if named.scenario_id:
        return Catalogue().get(named.scenario_id), None
    proof = list_proofs()[named.seed, named.difficulty].proof
    return Catalogue().get_generated(named.task_id, named.seed, named.difficulty, RUNNING_VERSION), proof


def _is_dear(scenario: Scenario, proof: Proof) -> bool:
    """Whether verdicts take seconds each, or deeds have to be done one after another at all minutes."""
    return scenario.task.asks_repair and (proof.lasts > LASTINGS[0] or len(proof.repairs[0]) > 1)


def _is_against(episode: Episode, best: int, greatest: int) -> bool:
    """Whether a play earns more than the greatest sum, or as much with a lesser score."""
    return episode.cumulative > best or (episode.cumulative == best and _get_score(episode) < greatest)


def _get_score(episode: Episode) -> int:
    """In units of 1/`POINT`."""
    return 0 if episode.grade is None else round(episode.grade.score * POINT)


def _judge_again(incident: BareIncident, chance: random.Random) -> Iterator[bool]:
    """Whether deeds are judged the same that are done at other minutes, for some by chance."""
    done = [(*key, each.outcome) for key, each in incident.memory.deeds.items()]
    timed = BareIncident(incident, *incident.drawn_by)
    for orders, _, remedy, outcome in chance.sample(done, min(_JUDGED_AGAIN, len(done))):
        course: Course = timed.begin()
        for count in range(1, len(orders) + 1):
            course = _wait(course, chance).remedy(incident.memory.made[orders[:count]], verifies=False).course
        yield _wait(course, chance).remedy(remedy, verifies=False).outcome is outcome


def _wait(course: Course, chance: random.Random) -> Course:
    """A course some looks later."""
    if not isinstance(course, BareCourse):
        raise TypeError("a deed has changed what the course is")
    return course._replace(now=course.now + course.incident.document.look_seconds * chance.randint(0, _LONGEST_WAIT))


def _group_outcomes(incident: BareIncident) -> list[set[str]]:
    """What came of the same deeds in the same order, for those that were done at several minutes."""
    grouped: dict[object, list[str]] = {}
    for (orders, _, remedy), done in incident.memory.deeds.items():
        deeds = tuple(order._replace(at=0) for order in orders)
        grouped.setdefault((deeds, remedy), []).append(done.outcome)
    return [set(each) for each in grouped.values() if len(each) > 1]
