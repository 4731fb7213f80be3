"""The greatest sum of rewards is play with the greatest score: by exact search on a sample of incidents."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from benchmarks.exact.__main__ import CURATED, choose_draws
from benchmarks.exact.bounds import Bounds, view
from benchmarks.exact.checking import Named, check, play
from benchmarks.exact.moves import choose_moves
from benchmarks.exact.searching import search
from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.generator.naming import RUNNING_VERSION
from scenarios.vocabulary import DIAGNOSTICS, POINT, REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS

if TYPE_CHECKING:
    from benchmarks.exact.moves import Moves
    from env_core.episode import Episode
    from scenarios.catalogue import Scenario

REPAIR = Catalogue().get("RP-001")
DRAWS = (
    Named(ROOT_CAUSE_ANALYSIS.id, 1125899906843665, 2),
    Named(REMEDIATION_PLANNING.id, 844424930137007, 3),
)


def play_at_random(scenario: Scenario, moves: Moves, seed: int) -> list[Episode]:
    """The episodes of a play by chance within a set of actions, from its start to its end."""
    chance = random.Random(seed)  # noqa: S311 - the same plays in every run
    episodes = [begin("random", Reference.to(scenario), scenario)]
    while not episodes[-1].done:
        *others, right, wrong = moves.list_actions(episodes[-1])
        action = chance.choice(others) if chance.random() < 0.9 else chance.choice((right, right, wrong))
        episodes.append(step(episodes[-1], action).episode)
    return episodes


def test_draws_are_listed_ones_of_all_difficulties_and_both_tasks() -> None:
    draws = choose_draws(100)
    assert len({(each.seed, each.difficulty) for each in draws}) == len(draws) == 100
    assert {(each.task_id, each.difficulty) for each in draws} == {
        (task, difficulty) for task in (ROOT_CAUSE_ANALYSIS.id, REMEDIATION_PLANNING.id) for difficulty in range(1, 6)
    }
    assert choose_draws(7) == draws[:7]


def test_the_set_has_what_pays_more_often_than_there_are_steps() -> None:
    moves = choose_moves(REPAIR, None)
    assert len(moves.looks) + len(moves.idle) >= REPAIR.task.max_steps
    assert len(moves.remedies) == len(REPAIR.incident.plan.steps) + 2


def test_no_play_by_chance_earns_more_and_no_bound_is_too_low() -> None:
    moves = choose_moves(REPAIR, None)
    bounds, best = Bounds(REPAIR, moves), search(REPAIR, moves).best
    for seed in range(60):
        *before, end = play_at_random(REPAIR, moves, seed)
        assert end.cumulative < best
        assert all(each.cumulative + bounds.find_most(view(each)) >= end.cumulative for each in before)


def test_a_play_is_traced_to_the_sum_that_was_found() -> None:
    moves = choose_moves(REPAIR, None)
    found = search(REPAIR, moves)
    for seed in range(10):
        chance = random.Random(seed)  # noqa: S311 - the same plays in every run
        episode = play(REPAIR, found.trace(chance.choice(found.ends), chance))
        assert (episode.cumulative, episode.grade and episode.grade.score) == (found.best, 1.0)


def test_the_greatest_score_is_found_where_none_is_perfect() -> None:
    """Half of the evidence cannot be looked at, so that the score has to be searched for as well."""
    scenario = Catalogue().get("RCA-001")
    moves = choose_moves(scenario, None)
    half = moves._replace(looks=moves.looks[:1])
    found, greatest = search(scenario, half), search(scenario, half, scores_only=True)
    assert found.least_score == greatest.best == round((0.35 + 0.25) * 0.75 * POINT)


@pytest.mark.slow
@pytest.mark.parametrize(("scenario_id", "most"), [("RP-001", 0.2), ("RCA-001", 0.3)])
def test_no_play_that_knows_nothing_scores_more(scenario_id: str, most: float) -> None:
    scenario = Catalogue().get(scenario_id)
    moves = choose_moves(scenario, None)
    idle = tuple(each for each in moves.looks if not scenario.incident.know(scenario.task.id, {each}).share)
    assert search(scenario, moves._replace(looks=idle), scores_only=True).best == round(most * POINT)


@pytest.mark.slow
def test_no_play_that_repairs_nothing_scores_more() -> None:
    moves = choose_moves(REPAIR, None)
    planned = {step.target for step in REPAIR.incident.plan.steps}
    others = tuple(each for each in moves.remedies if each.target not in planned)
    assert len(others) == 2
    assert search(REPAIR, moves._replace(remedies=others), scores_only=True).best <= round(0.2 * POINT)


@pytest.mark.slow
@pytest.mark.parametrize("named", DRAWS, ids=[each.task_id for each in DRAWS])
def test_of_a_listed_draw_neither_does(named: Named) -> None:
    scenario = Catalogue().get_generated(named.task_id, named.seed, named.difficulty, RUNNING_VERSION)
    perfect = play_perfectly(scenario.incident, scenario.task)
    first = next(place for place, action in enumerate(perfect) if action.name not in DIAGNOSTICS)
    unseen, unrepaired = play(scenario, perfect[first:]), play(scenario, [*perfect[:first], perfect[-1]])
    assert unseen.grade is not None
    assert unseen.grade.score <= (0.2 if scenario.task.asks_repair else 0.3)
    assert unrepaired.grade is not None
    assert unrepaired.grade.score <= (0.2 if scenario.task.asks_repair else 1.0)


@pytest.mark.parametrize("named", CURATED, ids=[each.scenario_id for each in CURATED])
def test_the_greatest_sum_has_the_greatest_score(named: Named) -> None:
    checked = check(named)
    assert checked.is_greatest
    assert checked.greatest == POINT
    assert checked.other_plays == 0


@pytest.mark.slow
@pytest.mark.parametrize("named", DRAWS, ids=[each.task_id for each in DRAWS])
@pytest.mark.parametrize("by_deeds", [False, True], ids=["by minutes", "by deeds"])
def test_the_greatest_sum_of_a_listed_draw_has_the_greatest_score(named: Named, by_deeds: bool) -> None:
    checked = check(named, by_deeds=by_deeds)
    assert checked.is_greatest
    assert (checked.other_plays, checked.other_verdicts) == (0, 0)
