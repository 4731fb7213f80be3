"""Metrics: intervals hold their means, passes rise and fall with k, losses have reasons, order is of no account."""

from __future__ import annotations

import sys
from itertools import pairwise
from math import comb
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_incident.evaluation.reporting.report import render_report
from cloud_incident.evaluation.reporting.tables import WIDTH, render_summary
from cloud_incident.evaluation.statistics.constant import find_best_constant
from cloud_incident.evaluation.statistics.intervals import estimate_mean, estimate_tasks
from cloud_incident.evaluation.statistics.losses import find_losses
from cloud_incident.evaluation.statistics.metrics import Summary, summarise
from cloud_incident.evaluation.statistics.passes import estimate_pass_at, estimate_pass_hat, measure_passes
from scenarios.running.listed import list_calm, list_proofs
from scenarios.vocabulary import TASKS
from tests.cloud_incident.evaluation.trajectories import hostile, made_up, played

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from cloud_incident.evaluation.running.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

SCORE = st.integers(0, 10_000).map(lambda points: points / 10_000)
SCORES = st.lists(SCORE, min_size=1, max_size=12)
RUN = st.lists(
    st.builds(
        made_up,
        SCORE,
        agent=st.sampled_from(["a", "b", "c"]),
        task_id=st.sampled_from(list(TASKS)),
        scenario_id=st.sampled_from(["S-1", "S-2", "S-3"]),
        seed=st.integers(0, 2),
        repeat=st.integers(0, 2),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda episode: (episode["key"], episode["task_id"]),
)
FEW = 50


@pytest.fixture(scope="module")
def summary(catalogue: Catalogue) -> Summary:
    return summarise(played(catalogue, seeds=(0, 1), repeats=3))


@given(SCORES)
def test_an_interval_holds_its_mean_and_lies_within_its_values(values: list[float]) -> None:
    found = estimate_mean(values, resamples=FEW)
    assert found == estimate_mean(values, resamples=FEW)
    assert found.low <= found.mean <= found.high
    assert min(values) - 1e-9 <= found.low
    assert found.high <= max(values) + 1e-9
    assert found.spread_known == (len(values) > 1)


@given(st.dictionaries(st.sampled_from("xyz"), st.dictionaries(st.sampled_from("123"), SCORES, min_size=1), min_size=1))
def test_the_negated_values_have_the_negated_interval(scores: dict[str, dict[str, list[float]]]) -> None:
    negated = {task: {name: [-value for value in values] for name, values in of.items()} for task, of in scores.items()}
    found, mirrored = estimate_tasks(scores, resamples=FEW).overall, estimate_tasks(negated, resamples=FEW).overall
    assert found.low <= found.mean <= found.high
    assert (mirrored.mean, mirrored.low, mirrored.high) == (-found.mean, -found.high, -found.low)


def test_an_interval_is_about_as_wide_as_theory_says() -> None:
    found = estimate_mean([0.0, 1.0] * 50)
    assert found.mean == 0.5
    assert found.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)


def test_intervals_are_those_of_scipy() -> None:
    """The reference is scipy.stats.bootstrap of scipy 1.17.1: method `percentile`, 100,000 resamples, and for all tasks
    the mean of the three samples, weighted by their sizes."""
    samples = ([1.0, 0.8, 0.9, 0.2, 0.0], [0.5, 0.4, 0.1, 0.9, 0.7, 0.3], [0.0, 0.1, 0.3])
    scores = {f"task {n}": {f"S-{m}": [value] for m, value in enumerate(values)} for n, values in enumerate(samples)}
    found = estimate_tasks(scores, resamples=20_000)
    ends = [(estimate.low, estimate.high) for estimate in (found.overall, *found.tasks.values())]
    reference = [(0.285714, 0.592857), (0.22, 0.92), (0.283333, 0.7), (0.0, 0.3)]
    for end, expected in zip(ends, reference, strict=True):
        assert end == pytest.approx(expected, abs=0.01)


def test_repeats_do_not_narrow_an_interval_over_scenarios() -> None:
    once = {"task": {f"S-{number}": [number / 5] for number in range(6)}}
    often = {"task": {name: values * 20 for name, values in once["task"].items()}}
    assert estimate_tasks(often).overall == estimate_tasks(once).overall


def test_every_scenario_counts_alike() -> None:
    assert estimate_tasks({"task": {"a": [1.0] * 9, "b": [0.0]}}).overall.mean == 0.5


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_passes_of_k(count: tuple[int, int]) -> None:
    attempts, passed = count
    any_of = [estimate_pass_at(k, attempts, passed) for k in range(1, attempts + 1)]
    all_of = [estimate_pass_hat(k, attempts, passed) for k in range(1, attempts + 1)]
    assert any_of[0] == pytest.approx(passed / attempts)
    assert all_of[0] == pytest.approx(passed / attempts)
    assert any_of[-1] == (passed > 0)
    assert all_of[-1] == (passed == attempts)
    assert all(less <= more for less, more in pairwise(any_of))
    assert all(less >= more for less, more in pairwise(all_of))
    assert all(0 <= hat <= at <= 1 for hat, at in zip(all_of, any_of, strict=True))


def test_pass_at_k_by_counting_every_choice() -> None:
    assert estimate_pass_at(2, 4, 1) == pytest.approx(3 / comb(4, 2))
    assert estimate_pass_hat(2, 4, 3) == pytest.approx(3 / comb(4, 2))


def test_passes_go_as_far_as_the_problem_with_the_fewest_repeats() -> None:
    run = [made_up(score, scenario_id="A", repeat=number) for number, score in enumerate([1.0, 0.0, 1.0])]
    run += [made_up(0.9985, scenario_id="B", repeat=number) for number in range(2)]
    found = measure_passes(run)
    assert found.problems == 2
    assert found.any_of == pytest.approx(((2 / 3 + 0) / 2, (1 + 0) / 2))
    assert found.all_of == pytest.approx(((2 / 3 + 0) / 2, (1 / 3 + 0) / 2))
    assert measure_passes(run, threshold=0.5).any_of[1] == 1.0


@given(RUN, st.randoms(use_true_random=False))
def test_the_order_of_episodes_is_of_no_account(run: list[Trajectory], shuffler: random.Random) -> None:
    shuffled = list(run)
    shuffler.shuffle(shuffled)
    found = summarise(run, resamples=FEW)
    assert summarise(shuffled, resamples=FEW) == found
    for agent in found.agents:
        of_agent = [agent.score, *(task.score for task in agent.tasks)]
        assert all(0 <= estimate.low <= estimate.mean <= estimate.high <= 1 for estimate in of_agent)
    ranks = [agent.rank for agent in found.agents]
    assert ranks == sorted(ranks)
    assert ranks[0] == 1
    assert max(map(len, render_summary(found).splitlines())) <= WIDTH


def test_no_trajectories_make_no_summary() -> None:
    with pytest.raises(ValueError, match="no trajectories"):
        summarise([])


def test_ranking_goes_by_first_attempts_alone() -> None:
    run = [made_up(score, agent="lucky later", repeat=number) for number, score in enumerate([0.2, 1.0, 1.0])]
    run += [made_up(0.5, agent="steady", repeat=number) for number in range(3)]
    run += [made_up(0.5, agent="twin"), made_up(1.0, agent="never first", repeat=1)]
    found = summarise(run)
    assert [(agent.agent, agent.rank) for agent in found.agents] == [
        ("steady", 1),
        ("twin", 1),
        ("lucky later", 3),
        ("never first", 4),
    ]
    assert found.agents[2].score.mean > found.agents[0].score.mean
    assert found.agents[3].first is None


def test_losses_name_items_sums_and_the_most_frequent_reason() -> None:
    def point(name: str, points: float, most: float, reason: str, code: str) -> dict[str, Any]:
        reasons = [{"code": code, "facts": {}}]
        return {"name": name, "points": points, "most": most, "reason": reason, "reasons": reasons}

    def graded(score: float, reason: str, number: int) -> Trajectory:
        breakdown = [
            point("service", 0.35, 0.35, "right", "right_service"),
            point("efficiency", 0.1, 0.4, reason, reason.partition(" ")[2] or reason),
            point("wrong remediations", -0.1, 0.0, "1 wrong", "wrong_remediations"),
            point("investigation", 0.1, 0.0, "looked", "evidence_before_any_fix"),
        ]
        return made_up(score, repeat=number, grade={"score": score, "breakdown": breakdown})

    run = [graded(0.4, reason, number) for number, reason in enumerate(["9 steps", "late", "7 steps", "9 steps"])]
    given_up = made_up(0.0, repeat=4, gave_up="no valid action in 3 replies", done=False)
    del given_up["grade"]
    run.append(given_up)
    found = {loss.item: loss for loss in find_losses(run)}
    assert list(found) == ["efficiency", "not finished", "wrong remediations"]
    efficiency = found["efficiency"]
    assert (efficiency.points, efficiency.times, efficiency.episodes) == (1.2, 4, 5)
    assert (efficiency.reason, efficiency.reason_times) == ("9 steps", 3)
    assert efficiency.mean == pytest.approx(0.24)
    assert found["not finished"].reason == "The agent gave up: no valid action in 3 replies"
    assert found["wrong remediations"].points == 0.4


def test_oracle_and_random_play(summary: Summary) -> None:
    oracle, chance = summary.agents
    assert (oracle.agent, chance.agent) == ("oracle", "random")
    assert oracle.score == (1.0, 1.0, 1.0, 9)
    assert oracle.losses == ()
    assert oracle.passes.all_of == (1.0, 1.0, 1.0)
    assert chance.score.high < 0.3
    assert chance.truncated > 0
    assert summary.task_ids == tuple(TASKS)
    assert len(summary.scenarios) == 9
    assert oracle.above_constant == pytest.approx(1 - 2 / 3, abs=0.01)
    for task in chance.tasks:
        lost = sum(loss.mean for loss in chance.losses if loss.task_id == task.task_id)
        assert lost >= 1 - task.score.mean - 1e-4  # sums below 0 are cut off, so that more may be withheld than 1


def test_the_best_constant_is_found_from_what_grades_say(catalogue: Catalogue) -> None:
    found = find_best_constant(played(catalogue, ["oracle"]))
    assert found is not None
    assert found.severity == "P2"
    assert found.score == pytest.approx(2 / 3)
    assert find_best_constant(played(catalogue, ["oracle"], ["AC-001"])) == ("P1", 1.0)
    assert find_best_constant([made_up(0.0, task_id="alert_classification")]) is None
    assert find_best_constant([made_up(1.0)]) is None


def test_the_summary_as_text(summary: Summary) -> None:
    text = render_summary(summary)
    assert max(map(len, text.splitlines())) <= WIDTH
    for words in (
        "oracle",
        "random",
        "Best constant answer",
        "P2, 0.667",
        "pass@3",
        "pass^3",
        "RP-003",
        "was not called before the steps ran out",
    ):
        assert words in text


def test_what_needs_no_repair_is_told_apart_too(catalogue: Catalogue) -> None:
    calm, other = (min(drawn) for drawn in (list_calm(), list_proofs().keys() - list_calm()))
    ids = [f"GEN2-RP-D{difficulty}-{seed}" for seed, difficulty in (calm, other)]
    episodes = played(catalogue, agents=["oracle"], scenario_ids=ids)
    # An episode without an answer says nothing of it, and is told by what another says of its scenario.
    silent = made_up(0.0, agent="random", task_id="remediation_planning", scenario_id=ids[0])
    found = summarise([*episodes, silent, made_up(0.5, agent="random")])
    oracle, random_agent = (next(each for each in found.agents if each.agent == name) for name in ("oracle", "random"))
    assert oracle.calm is not None
    assert (oracle.calm.episodes, oracle.calm.score.mean) == (1, 1.0)
    assert random_agent.calm is not None
    assert (random_agent.calm.episodes, random_agent.calm.score.mean) == (1, 0.0)
    assert "Nothing to repair" in render_summary(found)
    assert "Nothing to repair" not in render_summary(summarise([episodes[1]]))
    assert "Nothing to repair, oracle" in render_report([*episodes, silent])


def test_text_steers_no_terminal() -> None:
    text = render_summary(summarise(hostile()))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.replace("\n", "").isprintable()


@pytest.mark.slow
def test_twice_the_episodes_take_about_twice_the_calls() -> None:
    run = [made_up(number % 7 / 6, scenario_id=f"S-{number}") for number in range(300)]
    few, many = count_calls(lambda: summarise(run[:150])), count_calls(lambda: summarise(run))
    assert many <= 2.5 * few


def count_calls(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile."""
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls
