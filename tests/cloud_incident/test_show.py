"""`cloud-incident show`: everything of an incident, for the person who runs it and for programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from cloud_incident.show.page import WARNING, WIDTH
from scenarios.generator.naming import DIFFICULTIES
from tests.conftest import CURATED_IDS

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.catalogue import Catalogue

SALT = "0123456789abcdef0123456789abcdef"
TASKS = (("RP", 5), ("RCA", 6))
GENERATED = [f"GEN1-{task}-D{difficulty}-{seed}" for task, seed in TASKS for difficulty in DIFFICULTIES]


def run(*arguments: object, salt: str = "", colour: bool = False) -> str:
    command = ["show", *map(str, arguments)]
    result = CliRunner().invoke(main, command, env={"CLOUD_INCIDENT_SALT": salt}, color=colour)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
@pytest.mark.parametrize("scenario_id", [*CURATED_IDS, *GENERATED])
def test_the_page_tells_everything_in_a_hundred_columns(catalogue: Catalogue, scenario_id: str) -> None:
    text = run(scenario_id)
    incident = catalogue.get(scenario_id).incident
    lines = text.splitlines()
    assert lines[0] == WARNING
    assert max(map(len, lines)) <= max(WIDTH, len(WARNING))
    assert f"service  {incident.truth.service}" in text
    assert f"{incident.truth.severity}: " in text
    told = " ".join(text.split())
    for step in incident.plan.steps:
        assert step.step in told
    for harm in incident.plan.harms:
        assert f"{harm.on}:" in told
    for title in ("Alert", "Service map", "Timeline (UTC)", "Severity", "Truth", "Plan"):
        assert title in lines
    drawn = text.split("Service map")[1].split("Timeline")[0]
    for service in incident.services:
        assert f" {service} " in f"{drawn.replace(chr(10), '  ')} ", service
    assert f"◉ {incident.truth.service}" in drawn
    assert "\x1b[" not in text


@pytest.mark.slow
@pytest.mark.parametrize("scenario_id", GENERATED)
def test_callers_stand_above_and_every_call_is_drawn(scenario_id: str) -> None:
    facts = json.loads(run(scenario_id, "--json"))
    drawn = run(scenario_id).split("Service map")[1].split("Timeline")[0]
    for one in facts["services"]:
        for path in one["calls"]:
            ill = "" if path["health"] == "healthy" else " ✗"
            assert f"{path['service']}{ill}" in drawn
    assert [event["at"] for event in facts["timeline"]] == sorted(event["at"] for event in facts["timeline"])
    assert {"onset", "alert", "now"} <= {event["what"] for event in facts["timeline"]}
    assert facts["severity"]["journeys"]
    assert facts["truth"]["family"]


def test_json_is_for_programs(catalogue: Catalogue) -> None:
    facts: dict[str, Any] = json.loads(run("rca-001", "--json"))
    incident = catalogue.get("RCA-001").incident
    assert facts["truth"]["service"] == incident.truth.service
    assert len(facts["certificates"]) == len(incident.certificates("root_cause_analysis"))
    assert facts["truth"]["family"] == ""


def test_scenarios_are_chosen_as_elsewhere(catalogue: Catalogue) -> None:
    by_seed = run("--seed", 5, "--difficulty", 2, "--task", "remediation_planning")
    assert by_seed == run("GEN1-RP-D2-5")
    by_index = run("--split", "train", "--index", 3, "--task", "root_cause_analysis")
    assert by_index == run(catalogue.entry_in("train", "root_cause_analysis", 3).id)


def test_opaque_ids_are_read_with_their_salt() -> None:
    shown = json.loads(run("--seed", 5, "--task", "remediation_planning", "--json", salt=SALT))
    assert shown["scenario_id"].startswith("GX1-")
    assert json.loads(run(shown["scenario_id"], "--json", salt=SALT)) == shown
    result = CliRunner().invoke(main, ["show", shown["scenario_id"]])
    assert result.exit_code == 1
    assert "salt" in result.output


@pytest.mark.slow
def test_frozen_ones_show_the_same_truth(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["generate", "--seed", "5", "--difficulty", "1", "--out", str(tmp_path)])
    frozen = json.loads(run("FROZEN-GEN1-RP-D1-5", "--scenarios", tmp_path, "--json"))
    generated = json.loads(run("GEN1-RP-D1-5", "--json"))
    for what in ("alert", "plan", "tempting", "certificates", "fewest_steps", "summary"):
        assert frozen[what] == generated[what], what


def test_colours_are_for_terminals() -> None:
    assert "\x1b[31m" in run("GEN1-RP-D1-5", colour=True)


def test_nothing_named_is_told() -> None:
    result = CliRunner().invoke(main, ["show"])
    assert result.exit_code == 2
    assert "Name a scenario" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--index", 3), "--index counts the scenarios of a split; give --split as well, or SCENARIO."),
        (("RP-001", "--index", 2), "SCENARIO and --index contradict each other"),
        (("RP-001", "--split", "train"), "SCENARIO and --split contradict each other"),
        (("--split", "curated", "--index", 1, "--difficulty", 2), "leave --difficulty out"),
        (("--split", "train", "--index", 1_000_001), "'--index': 1000001 is not in the range"),
        (("--seed", 2**48), "'--seed': 281474976710656 is not in the range"),
    ],
)
def test_what_contradicts_is_told_by_the_names_of_options(arguments: tuple[object, ...], told: str) -> None:
    for command in ("show", "mcp"):
        given = [str(argument) for argument in arguments]
        if command == "mcp":
            given = ["--scenario", *given] if given[0] == "RP-001" else given
            told = told.replace("SCENARIO", "--scenario").replace("or --scenario.", "or --scenario-index.")
        result = CliRunner().invoke(main, [command, *given], input="")
        assert result.exit_code == 2, result.output
        assert told in result.output
        assert not re.search(r"scenario_id|scenario_index|`\w+`", result.output)
