"""Comparisons: identical runs are equal, swapping flips the sign, and what has no partner is said."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_incident.evaluation.reporting.tables import WIDTH, render_run_comparison
from cloud_incident.evaluation.statistics.comparison import (
    RunComparison,
    compare_episodes,
    compare_runs,
    compute_p_value,
)
from cloud_incident.evaluation.statistics.grouping import group_by_agent
from tests.cloud_incident.evaluation.statistics.test_metrics import FEW, SCORE
from tests.cloud_incident.evaluation.trajectories import made_up, played

if TYPE_CHECKING:
    from cloud_incident.evaluation.running.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

PAIRS = st.lists(st.tuples(SCORE, SCORE), min_size=1, max_size=10)


def runs(pairs: list[tuple[float, float]]) -> tuple[list[Trajectory], list[Trajectory]]:
    """Two runs over four scenarios, repeated as often as there are pairs."""
    first, second = (
        [made_up(pair[side], scenario_id=f"S-{number % 4}", repeat=number // 4) for number, pair in enumerate(pairs)]
        for side in (0, 1)
    )
    return first, second


@given(PAIRS)
def test_a_run_equals_itself(pairs: list[tuple[float, float]]) -> None:
    run, _ = runs(pairs)
    found = compare_episodes(run, run, resamples=FEW)
    assert found.p_value == 1.0
    assert found.difference[:3] == (0.0, 0.0, 0.0)
    assert (found.wins, found.ties, found.losses) == (0, len(pairs), 0)
    assert (found.only_first, found.only_second, found.changed) == ((), (), ())


@given(PAIRS)
def test_swapping_the_runs_flips_the_sign(pairs: list[tuple[float, float]]) -> None:
    first, second = runs(pairs)
    found, swapped = compare_episodes(first, second, resamples=FEW), compare_episodes(second, first, resamples=FEW)
    assert found.difference.low <= found.difference.mean <= found.difference.high
    assert swapped.difference.mean == -found.difference.mean
    assert (swapped.difference.low, swapped.difference.high) == (-found.difference.high, -found.difference.low)
    assert swapped.p_value == found.p_value
    assert (swapped.wins, swapped.ties, swapped.losses) == (found.losses, found.ties, found.wins)
    assert found.wins + found.ties + found.losses == found.pairs == len(pairs)
    assert found.difference.mean == pytest.approx(found.second_mean - found.first_mean)


@given(st.lists(st.floats(-1, 1), max_size=8))
def test_the_exact_p_value_counts_every_way_to_flip(differences: list[float]) -> None:
    sums = [
        abs(sum(sign * difference for sign, difference in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    expected = sum(total >= abs(sum(differences)) - 1e-9 for total in sums) / len(sums)
    found, exact = compute_p_value(differences)
    assert exact
    assert found == pytest.approx(expected)


def test_the_sampled_p_value_is_near_the_exact_one() -> None:
    differences = [0.3, -0.1, 0.2, 0.25, -0.05, 0.4, 0.1, -0.3, 0.2, 0.15, -0.12, 0.07]
    exact, counted = compute_p_value(differences)
    assert exact == 0.15234375  # as scipy.stats.permutation_test of scipy 1.17.1 has it
    # A difference too small to matter, often enough that not every way is counted.
    sampled, all_counted = compute_p_value([*differences, *[1e-13] * 5])
    assert (counted, all_counted) == (True, False)
    assert sampled == pytest.approx(exact, abs=0.02)
    assert compute_p_value([0.5] * 40)[0] == pytest.approx(1 / 10_001)
    assert compute_p_value([0.5] * 40, seed=7) == compute_p_value([0.5] * 40, seed=7)


def test_what_has_no_partner_or_has_changed_is_said() -> None:
    first = [made_up(0.5, scenario_id="A"), made_up(0.5, scenario_id="B"), made_up(0.5, scenario_id="C", seed=3)]
    second = [made_up(0.7, scenario_id="A"), made_up(0.5, scenario_id="D", repeat=1)]
    second[0]["reference"]["digest"] = "another"
    found = compare_episodes(first, second)
    assert found.pairs == 1
    assert found.only_first == ("B seed 0 repeat 0", "C seed 3 repeat 0")
    assert found.only_second == ("D seed 0 repeat 1",)
    assert found.changed == ("A",)
    text = render_run_comparison(RunComparison(comparisons=(found,)))
    assert "Only in first, and not compared: B seed 0 repeat 0, C seed 3 repeat 0." in text
    assert "Changed between the two" in text


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="no episode of the same"):
        compare_episodes([made_up(1.0, scenario_id="A")], [made_up(1.0, scenario_id="B")])
    with pytest.raises(ValueError, match="more than one episode of A"):
        compare_episodes([made_up(1.0, scenario_id="A", agent=name) for name in "xy"], [made_up(1.0, scenario_id="A")])
    with pytest.raises(ValueError, match="No agent is in both"):
        compare_runs([made_up(1.0, agent="x"), made_up(1.0, agent="y")], [made_up(1.0, agent="z")])


def test_agents_of_one_run(catalogue: Catalogue) -> None:
    agents = group_by_agent(played(catalogue, repeats=2))
    found = compare_episodes(agents["random"], agents["oracle"], names=("random", "oracle"))
    assert found.pairs == 18
    assert found.losses == 0
    assert found.difference.low > 0.5
    assert found.p_value < 0.01
    differences = [abs(scenario.difference) for scenario in found.scenarios]
    assert differences == sorted(differences, reverse=True)
    text = render_run_comparison(RunComparison(comparisons=(found,)))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "oracle (second) less random (first)" in text


def test_runs_are_compared_agent_by_agent() -> None:
    def run(*agents: str) -> list[Trajectory]:
        return [made_up(0.5, agent=agent) for agent in agents]

    found = compare_runs(run("a", "b", "c"), run("b", "c", "d"), names=("old", "new"))
    assert [(compared.first, compared.second) for compared in found.comparisons] == [
        ("b (old)", "b (new)"),
        ("c (old)", "c (new)"),
    ]
    assert (found.only_first, found.only_second) == (("a",), ("d",))
    assert "Only in the second run: d." in render_run_comparison(found)
    (only,) = compare_runs(run("a"), run("z")).comparisons
    assert (only.first, only.second) == ("a (first run)", "z (second run)")
