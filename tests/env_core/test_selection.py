"""Selections: what names an incident, what contradicts, and what a seed draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from env_core.selection import MOST_TYPED_SEED, Selection, SelectionError
from scenarios.catalogue import RUNNING_SPLIT, UnknownScenarioError
from scenarios.generator.naming import OPEN, region_of
from scenarios.parsing import InvalidActionError, parse_arguments
from scenarios.running import list_proved

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue
    from scenarios.vocabulary import TaskId


@pytest.mark.parametrize(
    ("selectors", "scenario_id"),
    [
        ({}, "AC-001"),
        ({"task_id": "remediation_planning"}, "RP-001"),
        ({"task_id": "root_cause_analysis", "scenario_index": 2}, "RCA-003"),
        ({"scenario_index": 1}, "AC-002"),
        ({"scenario_id": "rp-002"}, "RP-002"),
        ({"scenario_id": "RP-002", "task_id": "remediation_planning"}, "RP-002"),
        ({"task_id": ""}, "AC-001"),
        ({"split": "curated", "index": 4}, "RCA-002"),
        ({"split": "Curated", "index": 1, "task_id": "remediation_planning"}, "RP-002"),
        ({"scenario_id": "RP-001", "seed": 7, "episode_id": None}, "RP-001"),
        ({"scenario_index": "1", "random": None, "reward_mode": None, "observation": None, "split": None}, "AC-002"),
    ],
)
def test_what_is_selected(catalogue: Catalogue, selectors: dict[str, Any], scenario_id: str) -> None:
    assert Selection.read(selectors).resolve(catalogue)[0].id == scenario_id


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        ({"scenario_id": "RP-001", "scenario_index": 0}, "contradict"),
        ({"seed": 1, "random": True}, "contradict"),
        ({"split": "curated", "scenario_id": "RP-001"}, "contradict"),
        ({"split": "curated", "index": 1, "random": True}, "contradict"),
        ({"index": 1}, "give split as well"),
        ({"difficulty": 1, "scenario_id": "RP-001"}, "hand-written"),
        ({"difficulty": 1, "scenario_id": "GEN1-RP-D3-1"}, "has difficulty 3"),
        ({"difficulty": 1, "scenario_index": 1}, "leave difficulty out"),
        ({"difficulty": 1, "split": "Curated", "index": 1}, "leave difficulty out"),
        ({"scenario_id": "RP-001", "task_id": "alert_classification"}, "belongs to remediation_planning"),
        ({"scenario_id": "RP-001", "generator": 2}, "Leave generator out"),
        ({"scenario_index": 1, "generator": "2"}, "Leave generator out"),
    ],
)
def test_contradictions(catalogue: Catalogue, selectors: dict[str, Any], said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        Selection.read(selectors).resolve(catalogue)


@pytest.mark.parametrize(
    "selectors",
    [
        {"scenario_id": "RP-009"},
        {"scenario_index": 3},
        {"split": "validation", "index": 100_000},
        {"split": "private", "index": 0},
    ],
)
def test_what_does_not_exist_is_told_with_what_does(catalogue: Catalogue, selectors: dict[str, Any]) -> None:
    with pytest.raises(UnknownScenarioError, match=r"Scenarios: AC|scenarios 0 to (2|99999)|Splits: curated, train"):
        Selection.read(selectors).resolve(catalogue)


@pytest.mark.parametrize(
    "selectors",
    [
        {"seed": -1},
        {"seed": 1.5},
        {"seed": 2**48},
        {"seed": "-1"},
        {"seed": "1.5"},
        {"seed": ""},
        {"random": "yes"},
        {"random": 1},
        {"difficulty": 0},
        {"difficulty": 6},
        {"task_id": "x"},
        {"episode_id": "../x"},
        {"scenario": "RP-001"},
    ],
)
def test_malformed(selectors: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Selection.read(selectors)


def test_a_split_draws_the_same_scenario_again_and_all_of_them_in_time(catalogue: Catalogue) -> None:
    drawn = [Selection(split="curated", seed=seed).resolve(catalogue)[0].id for seed in range(200)]
    assert drawn == [Selection(split="curated", seed=seed).resolve(catalogue)[0].id for seed in range(200)]
    assert set(drawn) == set(catalogue.scenarios)
    rca: TaskId = "root_cause_analysis"
    of_task = {Selection(task_id=rca, split="curated", seed=seed).resolve(catalogue)[0].task.id for seed in range(50)}
    assert of_task == {rca}


@pytest.mark.parametrize(
    ("selectors", "scenario_id"),
    [
        ({"seed": 42}, "GEN1-AC-D3-42"),
        ({"seed": 42, "task_id": "remediation_planning"}, "GEN1-RP-D3-42"),
        ({"seed": 42, "difficulty": 5.0}, "GEN1-AC-D5-42"),
        ({"scenario_id": "gen1-rca-d2-7", "seed": 9, "difficulty": 2}, "GEN1-RCA-D2-7"),
        ({"seed": 2**48 - 1}, f"GEN1-AC-D3-{2**48 - 1}"),
        ({"seed": "42", "random": "False"}, "GEN1-AC-D3-42"),
    ],
)
def test_what_a_seed_names(catalogue: Catalogue, selectors: dict[str, Any], scenario_id: str) -> None:
    chosen = Selection.read(selectors).choose(catalogue)
    assert chosen.scenario_id == scenario_id
    assert chosen.seed == (None if "seed" not in selectors else int(selectors["seed"]))


def test_a_larger_seed_is_named_by_its_scenario_and_not_typed(catalogue: Catalogue) -> None:
    assert region_of(MOST_TYPED_SEED) == OPEN
    assert region_of(MOST_TYPED_SEED + 1) != OPEN
    with pytest.raises(InvalidActionError, match=r"0 to 281474976710655, .* start a scenario .* by its scenario_id"):
        parse_arguments("reset", Selection, {"seed": MOST_TYPED_SEED + 1})
    named = Selection(split="train", index=0).choose(catalogue).scenario_id
    assert int(named.rpartition("-")[2]) > MOST_TYPED_SEED
    assert Selection(scenario_id=named).choose(catalogue).scenario_id == named


def test_indices_of_a_split_and_their_difficulty(catalogue: Catalogue) -> None:
    tasks = [Selection(split="train", index=index).choose(catalogue).scenario_id.split("-")[1] for index in range(6)]
    assert tasks == ["AC", "RCA", "RP"] * 2
    named = Selection(split="test-ood", index=99_999, task_id="root_cause_analysis", difficulty=4).choose(catalogue)
    assert named.scenario_id.startswith("GEN1-RCA-D4-")
    assert named.seed is None
    own = Selection(split="test-ood", index=99_999, task_id="root_cause_analysis").choose(catalogue)
    assert own.scenario_id.split("-")[3] == named.scenario_id.split("-")[3]


def test_a_difficulty_alone_draws_a_seed(catalogue: Catalogue) -> None:
    chosen = Selection(difficulty=2, task_id="remediation_planning").choose(catalogue)
    assert chosen.scenario_id == f"GEN1-RP-D2-{chosen.seed}"
    drawn = Selection(split="validation", difficulty=2).choose(catalogue)
    assert Selection(split="validation", difficulty=2, seed=drawn.seed).choose(catalogue) == drawn
    assert f"-{drawn.seed}" not in drawn.scenario_id


def test_a_random_draw_reports_its_seed(catalogue: Catalogue) -> None:
    scenario, reference = Selection(random=True).resolve(catalogue)
    assert reference.seed is not None
    assert Selection(seed=reference.seed).resolve(catalogue)[0].id == scenario.id


def test_a_split_has_what_is_proved_of_generator_2(catalogue: Catalogue) -> None:
    proved = list_proved()
    size = len(catalogue.split("test", "remediation_planning", generator="2"))
    assert 0 < size == len([seed for seed, _ in proved if region_of(seed) == "test"])
    selectors = {"split": "Test", "generator": 2, "task_id": "remediation_planning"}
    for how in ({"index": size - 1}, {"seed": 5}):
        chosen = Selection.read(selectors | how).choose(catalogue)
        assert chosen.scenario_id.startswith("GEN2-RP-D")
        assert catalogue.find_split(chosen.scenario_id) == "test"
        name, _ = catalogue.origin(chosen.scenario_id)
        assert (name.seed, name.difficulty) in proved
    drawn = {Selection.read(selectors | {"seed": seed}).choose(catalogue).scenario_id for seed in range(20 * size)}
    assert len(drawn) == size
    level = name.difficulty
    entry = catalogue.entry_in("test", None, 0, level, generator="2")
    assert entry.difficulty == level
    assert len({catalogue.entry_in("train", None, index, generator="2").task.id for index in range(3)}) == 3


def test_a_split_without_proved_incidents_says_which_have_some(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownScenarioError, match="no proved incident of generator 2; these have some: train"):
        Selection.read({"split": "curated", "generator": 2, "index": 0}).choose(catalogue)


def test_what_is_drawn_and_not_proved_is_in_no_split(catalogue: Catalogue) -> None:
    seed = 1 << 48
    assert (seed, 5) not in list_proved()
    assert catalogue.find_split(f"GEN2-RCA-D5-{seed}") == RUNNING_SPLIT
