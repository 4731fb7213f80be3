"""The README and the guide: their examples run, their tables agree with the code."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cloud_incident.cli.evaluate import evaluate
from cloud_incident.evaluation.agents import collect_agents
from cloud_incident.evaluation.audit.exploits import LATE_CEILING, RANDOM_CEILING, SOUP_CEILING
from cloud_incident.evaluation.running import (
    InProcess,
    ReopeningEnvironment,
    Runner,
    list_attempts,
    play_actions,
    read_score,
)
from env_core.perfect import play_perfectly, word_summary
from env_core.selection import Selection
from http_compat.dialects import parse_step
from mcp_server.meta import FRAMES
from scenarios.catalogue import CURATED_SPLIT
from scenarios.errors import ERRORS
from scenarios.generator.naming import SPLITS
from scenarios.parsing import parse_action
from scenarios.vocabulary import ACTIONS, SEVERITIES, TASKS, Kind
from tests.servers import full_server

if TYPE_CHECKING:
    from graders import Grade
    from scenarios.catalogue import Catalogue, Scenario

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SCORING = (ROOT / "docs" / "scoring.md").read_text("utf-8")
PYTHON = (ROOT / "docs" / "python.md").read_text("utf-8")
RUNNING = (ROOT / "docs" / "running.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
OPENENV = (ROOT / "docs" / "openenv.md").read_text("utf-8")
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
CLIENTS = (ROOT / "docs" / "clients.md").read_text("utf-8")
APP = (ROOT / "docs" / "mcp-app.md").read_text("utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

Move = tuple[str, dict[str, Any]]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def _graded(scenario: Scenario, *moves: Move) -> Grade:
    """The grade of these moves on a scenario, or of perfect play if there are none."""
    actions = [parse_action(*move) for move in moves] or play_perfectly(scenario.incident, scenario.task)
    grade = play_actions(scenario, actions).grade
    assert grade is not None
    return grade


def test_python_examples_run() -> None:
    pages = {"README.md": README, "docs/python.md": PYTHON, "docs/running.md": RUNNING}
    examples = {name: blocks(page, "python") for name, page in pages.items()}
    assert all(examples.values())
    for name, example in ((name, example) for name, found in examples.items() for example in found):
        exec(compile(example, name, "exec"), {})  # noqa: S102 - the documents are ours


def test_the_client_in_a_few_lines_plays_an_incident_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    (client,) = blocks(CLIENTS, "python")
    command = '"/path/to/cloud-incident/.venv/bin/cloud-incident", args=["mcp"]'
    assert command in client
    installed = f'{str(Path(sys.executable).parent / "cloud-incident")!r}, args=["mcp", "--store", "memory"]'
    exec(compile(client.replace(command, installed), "docs/clients.md", "exec"), {})  # noqa: S102 - the documents are ours
    told = capsys.readouterr().out
    assert "RCA-001 · Root cause analysis · 10 steps" in told
    assert re.search(r"^Score 0\.\d{4} of 1\.0$", told, re.MULTILINE)


def test_the_example_with_curl_ends_with_a_score(catalogue: Catalogue) -> None:
    (shown,) = (block for block in blocks(README, "console") if "/grader" in block)
    bodies = [json.loads(body) for body in re.findall(r"-d '(.+)'", shown)]
    scenario = catalogue.of_task(*re.findall(r"task_id=(\w+)", shown))[0]
    assert _graded(scenario, *((body["action_type"], body["parameters"]) for body in bodies)).score == 1.0


def test_the_agent_of_ones_own_is_graded(capsys: pytest.CaptureFixture[str]) -> None:
    (harness,) = blocks(EVALUATION, "py")
    with full_server() as address:
        here = harness.replace('"http://127.0.0.1:7860"', repr(address))
        exec(compile(here, "docs/evaluation.md", "exec"), {})  # noqa: S102 - the documents are ours
    told = re.findall(r"^(AC-\d+) (\d\.\d+) \['Submitted P1", capsys.readouterr().out, re.MULTILINE)
    assert [name for name, _ in told] == ["AC-001", "AC-002", "AC-003"]
    assert told[0] == ("AC-001", "1.0")


def test_configurations_are_json() -> None:
    assert len([json.loads(block) for block in blocks(README, "json")]) == 2


def test_the_table_of_pages_names_the_tools_that_have_one() -> None:
    rows = re.findall(r"^\| (.+?) \|", APP, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    diagnostics = {spec.name for spec in ACTIONS.values() if spec.kind is Kind.DIAGNOSTIC}
    assert named == {"start_drill", "show_drill", "grade_drill", *diagnostics}
    assert FRAMES in APP


def test_the_scoring_table_is_what_perfect_play_is_paid(catalogue: Catalogue) -> None:
    paid = [
        (task_id, point.name, f"{float(point.most):.2f}")
        for task_id in TASKS
        for point in _graded(catalogue.of_task(task_id)[0]).breakdown
    ]
    rows = re.findall(r"^\| (?:`(\w+)`)? ?\| ([a-z ]+) \| (\d\.\d\d) \|", SCORING, re.MULTILINE)
    tasks = [task for task, *_ in rows]
    for index, task in enumerate(tasks):
        tasks[index] = task or tasks[index - 1]
    assert [(task, part, most) for task, (_, part, most) in zip(tasks, rows, strict=True)] == paid


def test_a_severity_earns_what_is_told(catalogue: Catalogue) -> None:
    scenario = catalogue.of_task("alert_classification")[0]
    right = SEVERITIES.index(scenario.incident.truth.severity)
    earned = {
        abs(SEVERITIES.index(level) - right): _graded(scenario, ("submit_severity", {"severity": level})).score
        for level in SEVERITIES
    }
    told = re.findall(r"the exact severity: (.*); one level off: (.*); two levels off: (.*) \|", SCORING)
    told += re.findall(r"the exact severity earns (.*), one level off (.*), two levels off (.*)\.\n", README)
    assert told == 2 * [tuple(f"{earned[distance]:.2f}" for distance in range(3))]


def test_deductions_are_what_is_told(catalogue: Catalogue) -> None:
    scenario = catalogue.get("RP-001")
    told = " ".join(SCORING.split())
    wrong, most = re.findall(r"wrong remediation costs (\d\.\d\d), up to (\d\.\d\d)", told)[0]
    (false,) = re.findall(r"never made costs (\d\.\d\d)", told)
    innocent = set(scenario.incident.services) - {step.target for step in scenario.incident.plan.steps}
    restarts = [("restart_service", {"service": name}) for name in sorted(innocent)]
    finish: Move = ("submit_resolution", {"summary": "Nothing is known."})
    for count, costs in ((1, wrong), (len(restarts), most)):
        points = {point.name: point.points for point in _graded(scenario, *restarts[:count], finish).breakdown}
        assert f"{float(points['wrong remediations']):.2f}" == f"-{costs}"
    perfect = play_perfectly(scenario.incident, scenario.task)
    said = f"{word_summary(scenario.incident)} We restarted {min(innocent)}."
    *work, _ = [(action.name, action.parameters.model_dump()) for action in perfect]
    boast = _graded(scenario, *work, ("submit_resolution", {"summary": said}))
    assert f"{1 - boast.score:.2f}" == false


def test_what_cheats_earn_at_most_is_what_they_are_held_to() -> None:
    rows = dict(re.findall(r"^\| (.+) \| (0(?:\.\d\d)?) \|$", SCORING, re.MULTILINE))
    ceilings = {f"{ceiling:.2f}" for ceiling in (SOUP_CEILING, LATE_CEILING, RANDOM_CEILING)}
    assert ceilings <= set(rows.values())


def test_the_splits_told_have_the_size_told(catalogue: Catalogue) -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \|", OPENENV.split("## Splits")[1], re.MULTILINE))
    sizes = {name: split.size for name, split in SPLITS.items()} | {CURATED_SPLIT: len(catalogue.scenarios)}
    assert {name: int(size.replace(",", "")) for name, size in rows.items()} == sizes


def test_what_is_linked_is_there() -> None:
    for document in PAGES:
        for link, anchor in re.findall(r"\]\(([^)#:]*)(?:#([\w-]+))?\)", document.read_text("utf-8")):
            target = document.parent / link if link else document
            assert target.exists(), f"{document.name}: {link}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
                anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
                assert anchor in anchors, f"{document.name}: {link}#{anchor}"


def test_every_command_named_exists() -> None:
    for document in PAGES:
        for script in re.findall(r"`(scripts/[\w-]+)", document.read_text("utf-8")):
            assert (ROOT / script).is_file(), f"{document.name}: {script}"


def test_every_file_named_exists() -> None:
    rooms = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    named = [
        (document.name, path)
        for document in PAGES
        for path in re.findall(rf"`((?:{rooms})/[\w./-]*)`", document.read_text("utf-8"))
    ]
    assert named
    assert [found for found in named if not (ROOT / found[1]).exists()] == []


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
    told = {int(status) for status in re.findall(r"\b([45]\d\d)\b", table)}
    assert told == {*(kind.status for kind in ERRORS.values()), 408, 413, 421, 429, 431}


def test_the_agents_are_all_told() -> None:
    told = set(re.findall(r"`([\w-]+)`", EVALUATION.split("## Who plays")[1].split("Tests hold")[0]))
    assert set(collect_agents()) <= told | {"always-P2", "always-P3"}


def test_the_options_of_an_evaluation_are_all_told() -> None:
    table = EVALUATION.split("## Who plays")[0]
    options = {option for parameter in evaluate.params for option in parameter.opts}
    assert options - {"--scenarios"} <= set(re.findall(r"--[\w-]+", table))


@pytest.mark.slow
def test_the_scores_told_are_those_that_are_reached(catalogue: Catalogue) -> None:
    rows = re.findall(r"^\| ([\w-]+) \| (\d\.\d\d) \| (\d\.\d\d) \| (\d\.\d\d) \|$", EVALUATION, re.MULTILINE)
    assert len(rows) == 7
    for agent, *told in rows:
        runner = Runner(catalogue, collect_agents(), lambda: InProcess(catalogue))
        environment = ReopeningEnvironment(lambda: InProcess(catalogue))
        attempts = list_attempts([agent], list(catalogue.scenarios), repeats=50 if agent == "random" else 1)
        played = [asyncio.run(runner.play(attempt, environment)) for attempt in attempts]
        means = [mean(read_score(episode) for episode in played if episode["task_id"] == task) for task in TASKS]
        assert [f"{score:.2f}" for score in means] == told, agent
