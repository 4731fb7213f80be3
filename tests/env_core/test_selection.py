"""Selections: what names an incident, what contradicts, and what a seed draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from env_core.selection import Selection, SelectionError
from scenarios.catalogue import UnknownScenarioError

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue


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
    ],
)
def test_what_is_selected(catalogue: Catalogue, selectors: dict[str, Any], scenario_id: str) -> None:
    assert Selection(**selectors).resolve(catalogue)[0].id == scenario_id


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        ({"scenario_id": "RP-001", "scenario_index": 0}, "contradict"),
        ({"seed": 1, "random": True}, "contradict"),
        ({"split": "curated", "scenario_id": "RP-001"}, "contradict"),
        ({"split": "curated", "index": 1, "random": True}, "contradict"),
        ({"index": 1}, "give split as well"),
        ({"scenario_id": "RP-001", "task_id": "alert_classification"}, "belongs to remediation_planning"),
    ],
)
def test_contradictions(catalogue: Catalogue, selectors: dict[str, Any], said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        Selection(**selectors).resolve(catalogue)


@pytest.mark.parametrize("selectors", [{"scenario_id": "RP-009"}, {"scenario_index": 3}])
def test_what_does_not_exist_is_told_with_what_does(catalogue: Catalogue, selectors: dict[str, Any]) -> None:
    with pytest.raises(UnknownScenarioError, match=r"Scenarios: AC-001|has scenarios 0 to 2"):
        Selection(**selectors).resolve(catalogue)


@pytest.mark.parametrize(
    "selectors", [{"seed": -1}, {"seed": 1.5}, {"task_id": "x"}, {"episode_id": "../x"}, {"scenario": "RP-001"}]
)
def test_malformed(selectors: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Selection(**selectors)


def test_seeds_draw_the_same_scenario_again_and_all_of_them_in_time(catalogue: Catalogue) -> None:
    drawn = [Selection(seed=seed).resolve(catalogue)[0].id for seed in range(200)]
    assert drawn == [Selection(seed=seed).resolve(catalogue)[0].id for seed in range(200)]
    assert set(drawn) == set(catalogue.scenarios)
    of_task = {Selection(task_id="root_cause_analysis", seed=seed).resolve(catalogue)[0].task.id for seed in range(50)}
    assert of_task == {"root_cause_analysis"}


def test_a_random_draw_reports_its_seed(catalogue: Catalogue) -> None:
    scenario, reference = Selection(random=True).resolve(catalogue)
    assert reference.seed is not None
    assert Selection(seed=reference.seed).resolve(catalogue)[0].id == scenario.id
