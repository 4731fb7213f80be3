"""The README and the guide: their examples run, their tables agree with the code."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import yaml

from cloud_incident.cli.evaluate import evaluate
from cloud_incident.evaluation.environments import InProcess, Reopened
from cloud_incident.evaluation.players import players
from cloud_incident.evaluation.runner import Runner
from cloud_incident.evaluation.schedule import schedule
from env_core.selection import Selection
from http_compat.dialects import parse_step
from http_compat.problems import STATUSES
from mcp_server.apps import FRAMES
from scenarios.vocabulary import ACTIONS, TASKS, Kind

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
OPENENV = (ROOT / "docs" / "openenv.md").read_text("utf-8")
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
APP = (ROOT / "docs" / "mcp-app.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_python_examples_run() -> None:
    examples = blocks(README, "python")
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - the README is ours


def test_configurations_are_json() -> None:
    assert len([json.loads(block) for block in blocks(README, "json")]) == 2


def test_the_tool_table_is_complete() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", README.split("## The tools")[1], re.MULTILINE)
    control = {"start_incident", "get_incident", "list_incidents", "grade_incident", "close_incident"}
    assert rows[: len(ACTIONS)] == list(ACTIONS)
    assert set(rows) == set(ACTIONS) | control


def test_the_table_of_pages_names_the_tools_that_have_one() -> None:
    rows = re.findall(r"^\| (.+?) \|", APP, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    diagnostics = {spec.name for spec in ACTIONS.values() if spec.kind is Kind.DIAGNOSTIC}
    assert named == {"start_incident", "get_incident", "grade_incident", *diagnostics}
    assert FRAMES in APP


def test_the_task_table_is_right() -> None:
    for task in TASKS.values():
        assert f"| `{task.id}` | {task.max_steps} | `{task.submission.name}` |" in README


def test_what_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README + GUIDE + OPENENV + EVALUATION):
        assert (ROOT / link).exists() or (ROOT / "docs" / link).exists(), link


def test_every_command_named_exists() -> None:
    for script in re.findall(r"scripts/[\w-]+", README + OPENENV):
        assert (ROOT / script).is_file(), script


def test_the_space_header_is_what_a_space_reads() -> None:
    header = yaml.safe_load(README.split("---")[1])
    manifest = yaml.safe_load((ROOT / "openenv.yaml").read_text("utf-8"))
    assert (header["sdk"], header["app_port"]) == ("docker", manifest["port"])
    assert "openenv" in header["tags"]


def test_the_forms_of_a_step_are_understood() -> None:
    forms = [json.loads(block) for block in blocks(OPENENV, "json")]
    assert len([parse_step(form) for form in forms]) == 4


def test_the_options_of_a_reset_are_all_told() -> None:
    told = re.findall(r"`(\w+)`", OPENENV.split("## What a reset takes")[1].split("Options that")[0])
    assert set(Selection.model_fields) <= set(told)


def test_the_statuses_are_those_that_are_answered() -> None:
    table = OPENENV.split("## What is refused")[1].split("## Production")[0]
    told = {int(status) for status in re.findall(r"\b(4\d\d)\b", table)}
    assert told == {*STATUSES.values(), 403, 413, 421}


def test_the_agents_are_all_told() -> None:
    told = set(re.findall(r"`([\w-]+)`", EVALUATION.split("## Who plays")[1].split("Tests hold")[0]))
    assert set(players()) <= told | {"always-P2", "always-P3"}


def test_the_options_of_an_evaluation_are_all_told() -> None:
    table = EVALUATION.split("## Who plays")[0]
    options = {option for parameter in evaluate.params for option in parameter.opts}
    assert options - {"--scenarios"} <= set(re.findall(r"--[\w-]+", table))


def test_the_scores_told_are_those_that_are_reached(catalogue: Catalogue) -> None:
    rows = re.findall(r"^\| ([\w-]+) \| (\d\.\d\d) \| (\d\.\d\d) \| (\d\.\d\d) \|$", EVALUATION, re.MULTILINE)
    assert len(rows) == 7
    for agent, *told in rows:
        runner = Runner(catalogue, players(), lambda: InProcess(catalogue))
        environment = Reopened(lambda: InProcess(catalogue))
        attempts = schedule([agent], list(catalogue.scenarios), repeats=50 if agent == "random" else 1)
        played = [asyncio.run(runner.attempt(attempt, environment)) for attempt in attempts]
        means = [mean(one["score"] for one in played if one["task_id"] == task) for task in TASKS]
        assert [f"{score:.2f}" for score in means] == told, agent
