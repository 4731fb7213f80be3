"""Policies are played on listed draws, and those that do no work earn little."""

from __future__ import annotations

import pickle

import pytest

from benchmarks.policies.__main__ import choose_draws, choose_policies, play_case
from benchmarks.policies.case import Case, Policy, act, play
from benchmarks.policies.cheating import CHEATS
from benchmarks.policies.doors import list_doors, list_other_doors
from benchmarks.policies.honest import PERFECT, READER, SEARCHER, search_case
from benchmarks.policies.ladder import LADDER
from benchmarks.policies.scaling import find_scaling, list_way
from benchmarks.policies.sensible import BASE, SENSIBLE
from scenarios.generator.naming import DIFFICULTIES
from scenarios.proofs.searching import HASHED, LOGS_FIRST
from scenarios.vocabulary import REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS, SUBMISSIONS, TASKS

EASY = choose_draws(1, 0)[0]


def get_score(case: Case, policy: Policy) -> float:
    return play(case, policy).grade.score


def test_draws_are_listed_ones_of_each_difficulty() -> None:
    draws = choose_draws(2, 1)
    assert [difficulty for _, difficulty in draws] == [each for each in DIFFICULTIES for _ in range(2)]
    assert len(set(draws)) == len(draws)
    assert choose_draws(3, 0)[1:3] == draws[:2]


def test_an_answer_is_given_with_the_last_step_and_what_is_refused_costs_nothing() -> None:
    case = Case(ROOT_CAUSE_ANALYSIS.id, *EASY, "no idea")
    look = act("check_metrics", service=case.alerted[0])
    other = next(name for name in SUBMISSIONS if name != case.scenario.task.submission.name)
    refused = act(other, **{"severity": "P1"} if other == "submit_severity" else {"summary": "It is repaired now."})
    answer = next(policy.answer for policy in CHEATS if case.task_id in policy.tasks)
    idle = Policy("never ends", (case.task_id,), lambda _: iter([refused, *[look] * 99]), answer)
    assert play(case, idle).steps == TASKS[case.task_id].max_steps


@pytest.mark.slow
def test_who_searches_earns_more_than_who_does_not() -> None:
    case = Case(ROOT_CAUSE_ANALYSIS.id, *EASY, "no idea")
    assert get_score(case, PERFECT) == 1.0
    honest = get_score(case, SEARCHER)
    cheats = [policy for policy in CHEATS if case.task_id in policy.tasks]
    assert all(get_score(case, policy) < honest for policy in cheats)


@pytest.mark.slow
def test_who_knows_what_tells_most_needs_fewer_looks() -> None:
    case = Case(ROOT_CAUSE_ANALYSIS.id, *EASY)
    assert len(search_case(case, LOGS_FIRST)[0]) < len(search_case(case, HASHED)[0])
    assert get_score(case, READER) == 1.0


@pytest.mark.slow
def test_the_searcher_looks_only_as_often_as_it_can_and_still_repair() -> None:
    case = Case(REMEDIATION_PLANNING.id, *EASY)
    looks, _ = search_case(case, HASHED)
    assert 0 < len(looks) < TASKS[case.task_id].max_steps - len(case.rest)
    assert play(case, SEARCHER).steps <= TASKS[case.task_id].max_steps


@pytest.mark.slow
def test_a_second_look_costs_nothing_of_the_score() -> None:
    case = Case(REMEDIATION_PLANNING.id, *EASY)
    assert get_score(case, BASE) == 1.0


@pytest.mark.parametrize(
    ("seed", "difficulty", "doors", "others"),
    [
        (
            844424930132975,
            3,
            {("revert_config", "card-management"), ("stop_shedding", "card-management")},
            {("revert_config", "card-management")},
        ),
        (
            562949953422398,
            2,
            {("disable_feature_flag", "table_rewrite_enabled"), ("pause_job", "table-rewrite")},
            {("disable_feature_flag", "table_rewrite_enabled"), ("pause_job", "table-rewrite")},
        ),
        (1125899906847718, 3, set(), set()),  # a certificate has expired: nobody has changed anything
    ],
)
def test_a_change_is_taken_back_by_every_door(
    seed: int, difficulty: int, doors: set[tuple[str, str]], others: set[tuple[str, str]]
) -> None:
    case = Case(REMEDIATION_PLANNING.id, seed, difficulty)
    assert set(list_doors(case)) == doors
    assert set(list_other_doors(case)) == others


def test_who_scales_up_goes_from_the_pager_to_the_root_and_does_what_helps() -> None:
    case = Case(REMEDIATION_PLANNING.id, 281474976710662, 2)
    way = list_way(case)
    assert (way[0], way[-1]) == (case.alerted[0], case.incident.truth.service)
    scaling = find_scaling(case)
    assert scaling is not None
    assert scaling[1] in way
    assert case.find_helping([scaling, ("flush_resolver", way[0])]) == [scaling]


def test_what_was_not_struck_is_scaled_up_by_half_of_it() -> None:
    case = Case(REMEDIATION_PLANNING.id, 844424930172091, 3)
    gateway, struck = (step.replicas for step in case.incident.plan.steps)
    assert gateway is not None
    assert gateway[0] == 8  # of 5, as the proof has tried
    assert struck is not None
    assert struck[0] == 5  # as many as planned


@pytest.mark.slow
@pytest.mark.parametrize("name", ["silences first, then perfect", "perfect, then silences"])
def test_a_silence_costs_nothing_of_the_score(name: str) -> None:
    policy = next(each for each in SENSIBLE if each.name == name)
    assert get_score(Case(REMEDIATION_PLANNING.id, *EASY), policy) == 1.0


@pytest.mark.slow
def test_what_was_played_in_another_process_comes_back() -> None:
    played = play_case(Case(ROOT_CAUSE_ANALYSIS.id, *EASY, "no idea"), "cheats")
    assert pickle.loads(pickle.dumps(played)) == played  # noqa: S301 - written here
    mine = {policy.name for policy in choose_policies("cheats") if ROOT_CAUSE_ANALYSIS.id in policy.tasks}
    assert set(played.scores) == mine


@pytest.mark.slow
def test_agents_play_as_policies_to_an_answer_of_their_own() -> None:
    played = play_case(Case(ROOT_CAUSE_ANALYSIS.id, *EASY), "ladder")
    assert {policy.name for policy in LADDER} < set(played.scores)
    assert all(lost >= 0 for lost in played.by_steps.values())


@pytest.mark.slow
def test_a_drain_is_sensible_only_where_there_is_room() -> None:
    case = Case(REMEDIATION_PLANNING.id, *EASY)
    edge = case.incident.system.journeys[0].entry.partition("/")[0]
    assert case.is_harmless(("cordon_zone", case.incident.system.zones[0]))
    assert not case.is_harmless(("shed_load", edge))
