"""What OpenEnv reads of the package says what the code does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

from cloud_incident.about import describe_server
from env_core.perfect import play_perfectly
from env_core.selection import Selection
from scenarios.catalogue import Catalogue
from scenarios.vocabulary import ACTIONS, TASKS

ROOT = Path(__file__).parents[1]
PROBE = ROOT / "validation" / "runtime.json"
PROBED = "RP-001"


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "openenv.yaml").read_text("utf-8"))
    return loaded


def probe() -> dict[str, Any]:
    """Perfect play of one scenario, as OpenEnv's validator plays it."""
    scenario = Catalogue().get(PROBED)
    return {
        "plan_schema_version": "1",
        "reset": {"episode_id": "validation-probe", "seed": 0, "options": {"scenario_id": PROBED}},
        "actions": [action.dump() for action in play_perfectly(scenario.incident, scenario.task)],
    }


def test_the_manifest_says_who_we_are() -> None:
    declared, said = manifest(), describe_server()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (declared["name"], declared["version"]) == (said.name, said.version) == (project["name"], project["version"])


def test_the_manifest_declares_the_tasks(catalogue: Catalogue) -> None:
    assert manifest()["tasks"] == [
        {
            "id": task.id,
            "difficulty": task.tier,
            "max_steps": task.max_steps,
            "scenarios": [scenario.id for scenario in catalogue.of_task(task.id)],
            "grader": "deterministic, 0.0 to 1.0",
        }
        for task in TASKS.values()
    ]


def test_the_manifest_declares_tools_and_counts(catalogue: Catalogue) -> None:
    declared = manifest()["validation"]["capabilities"]
    assert declared["declared_tools"] == list(ACTIONS)
    assert declared["declared_task_count"] == {name: len(catalogue.split(name)) for name in catalogue.splits}


def test_what_the_manifest_names_is_there() -> None:
    validation = manifest()["validation"]
    for path in (
        validation["capabilities"]["oracle"]["location"],
        validation["execution"]["probe_path"],
        validation["execution"]["dockerfile"],
    ):
        assert (ROOT / path).is_file(), path


def test_the_probe_is_perfect_play() -> None:
    assert json.loads(PROBE.read_text("utf-8")) == probe()
    assert Selection(seed=0, scenario_id=PROBED).resolve(Catalogue())[0].id == PROBED
