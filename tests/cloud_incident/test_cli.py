"""The command line: help, lint, new, demo, and errors without tracebacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cloud_incident import __version__
from cloud_incident.cli import main
from cloud_incident.cli.mcp import mcp
from cloud_incident.scaffold import SCHEMA_NAME, render_schema
from tests.slow import mark_slow_after

CURATED = sorted((Path(__file__).parents[2] / "scenarios" / "curated").glob("*.yaml"))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


def test_version_and_help() -> None:
    assert __version__ in run("--version")[1]
    code, text = run("mcp", "--help")
    assert code == 0
    assert "x>0" in text
    assert "None]" not in text
    for option in ("--transport", "--profile", "--task", "--scenario", "--seed", "--scenarios", "--capacity"):
        assert option in text


@pytest.mark.parametrize("path", mark_slow_after(2, CURATED))
def test_lint_of_the_curated(path: Path) -> None:
    code, text = run("lint", str(path))
    assert code == 0, text
    assert text.endswith("fit to serve\n")
    assert "perfect play" in text


@pytest.mark.slow
def test_new_writes_an_incident_that_passes_lint(tmp_path: Path) -> None:
    file = tmp_path / "deeper" / "2nd Search!.yaml"
    code, text = run("new", str(file))
    assert code == 0
    assert str(file) in text
    assert (file.parent / SCHEMA_NAME).read_text() == render_schema()
    assert run("lint", str(file))[0] == 0
    code, text = run("new", str(file))
    assert code == 1
    assert "exists" in text


def test_the_schema_beside_the_curated_is_current() -> None:
    assert (CURATED[0].parents[1] / SCHEMA_NAME).read_text("utf-8") == render_schema()


def test_lint_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    run("new", str(file))
    text = file.read_text()
    file.write_text(text.replace("team: media", "teem: media"))
    code, said = run("lint", str(file))
    assert code == 1
    assert "teem: Extra inputs are not permitted" in said
    file.write_text(text.replace("RCA-MINE", "RCA-001"))
    code, said = run("lint", str(file))
    assert code == 1
    assert "RCA-001 is a curated scenario's id" in said
    file.write_text(text.replace("search-api p99 above 2 s", "catalog-indexer makes search-api slow"))
    code, said = run("lint", str(file))
    assert code == 1
    assert "names the root cause" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mcp", "--scenario", "RP-404"), "Scenarios: AC-001"),
        (("mcp", "--scenario", "RP-001", "--scenario-index", "3"), "contradict"),
        (("mcp", "--task", "guessing"), "'alert_classification', 'root_cause_analysis'"),
        (("mcp", "--scenarios", "/nowhere"), "does not exist"),
        (("mcp", "--profile", "agent", "--transport", "sse"), "SSE is for operators"),
        (("mcp", "--reward-mode", "terminal"), "name one with --task or --scenario"),
        (("mcp", "--transport", "streamable-http", "--scenario", "RP-404"), "Scenarios: AC-001"),
    ],
)
def test_mistakes_are_told_without_a_traceback(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert said in result.output
    assert isinstance(result.exception, SystemExit), result.exception


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("evalute",), 2, "Unknown command 'evalute'. Did you mean evaluate? Commands: audit, demo,"),
        (("mcp", "--scenario", "RP-01"), 1, "Unknown scenario 'RP-01'. Did you mean "),
        (("mcp", "--split", "validaton", "--index", "0"), 1, "Did you mean validation? Splits: curated, train"),
        (("mcp", "--task", "root_cause"), 2, "Did you mean root_cause_analysis?"),
        (("mcp", "--scenaro", "RP-001"), 2, "'--scenario'"),
        (("serve", "--mode", "simulator"), 2, "Did you mean simulation?"),
        (("show", "rp-oo1"), 1, "Did you mean RP-001"),
        (("show", "--split", "tset"), 1, "Did you mean test"),
        (("show", "--seed", "1", "--task", "remediation"), 2, "Did you mean remediation_planning?"),
        (("generate", "--split", "trian", "--out", "{}"), 1, "Did you mean train?"),
        (("audit", "--check", "semantic.oracle"), 2, "Did you mean semantic.oracle_max"),
        (("audit", "--split", "vlidation"), 2, "Did you mean validation?"),
        (("audit", "--task", "root_cause"), 2, "Did you mean root_cause_analysis?"),
        (("evaluate", "--agent", "respnder", "--out", "{}/played"), 1, "Did you mean responder"),
        (("evaluate", "--task", "root_cause", "--out", "{}/played"), 1, "Did you mean root_cause_analysis?"),
        (("evaluate", "--scenario", "AC-01", "--out", "{}/played"), 1, "Did you mean AC-001"),
        (("evaluate", "--split", "vlidation", "--out", "{}/played"), 1, "Did you mean validation?"),
    ],
)
def test_a_name_that_does_not_exist_gets_the_closest(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, text = run(*(argument.format(tmp_path) for argument in arguments))
    assert said in text
    assert ended == code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("new", "{}/file/mine.yaml"), 1, "file cannot be used: File exists."),
        (("new", "/proc/mine.yaml"), 1, "cannot be used: No such file or directory."),
        (("new", ""), 2, "an empty text is no path."),
        (("generate", "--out", "{}/file/deeper"), 1, "cannot be written to: Not a directory."),
        (("generate", "--out", "/proc/incidents"), 1, "/proc/incidents cannot be written to: No such file"),
        (("generate", "--out", ""), 2, "an empty text is no path."),
        (("audit", "--json", "{}/nowhere/figures.json"), 2, "nowhere does not exist; make it first"),
        (("audit", "--json", "{}/file/figures.json"), 2, "file is a file, not a directory."),
        (("audit", "--json", "/proc/figures.json"), 2, "/proc/figures.json cannot be written:"),
        (("audit", "--json", "{}"), 2, "is a directory."),
        (("audit", "--json", ""), 2, "an empty text is no path."),
        (("serve", "--evaluations", "{}/nowhere"), 2, "nowhere' does not exist."),
        (("lint", "{}/nowhere"), 2, "nowhere' does not exist."),
        (("lint", "{}"), 1, "holds no .yaml file"),
    ],
)
def test_a_path_that_cannot_be_used_is_one_line_before_the_work(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "file").write_text("mine")
    result = CliRunner().invoke(main, [argument.format(tmp_path) for argument in arguments])
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit), result.exception
    *_, last = result.output.splitlines()
    assert last.startswith("Error: ")
    assert said in last
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_what_is_no_trajectory_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "played.jsonl"
    for line, said in (("nonsense", "Invalid JSON"), ("{}", "`format`: Field required")):
        file.write_text(f"{line}\n")
        code, text = run("replay", str(file))
        assert code == 1
        assert text.startswith(f"Error: {file}:1 is not a trajectory: {said}")
        assert text.count("\n") == 1


def test_an_empty_scenario_is_none() -> None:
    code, text = run("show", "")
    assert code == 2
    assert "Name a scenario" in text


@pytest.mark.slow
def test_lint_of_several_files_and_directories(tmp_path: Path) -> None:
    for name in ("first", "second"):
        run("new", str(tmp_path / f"{name}.yaml"))
    broken = tmp_path / "deeper" / "broken.yaml"
    run("new", str(broken))
    broken.write_text(broken.read_text().replace("team: media", "teem: media"))
    code, text = run("lint", str(tmp_path), str(broken.parent), str(tmp_path / "first.yaml"))
    assert code == 1
    assert [text.count(f"{path}:\n") for path in (tmp_path / "first.yaml", tmp_path / "second.yaml", broken)] == [1] * 3
    assert "teem: Extra inputs are not permitted" in text
    assert text.endswith("2 of 3 are fit to serve.\n")
    assert run("lint", str(tmp_path))[0] == 0


@pytest.mark.slow
def test_a_broken_directory_is_told_at_launch(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    run("new", str(file))
    file.write_text(file.read_text().replace("team: media", "teem: media"))
    command = [sys.executable, "-m", "cloud_incident", "mcp", "--scenarios", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, input="")
    assert result.returncode == 1
    assert "mine.yaml" in result.stderr
    assert "teem" in result.stderr
    assert "Traceback" not in result.stderr


def test_every_option_is_also_a_variable() -> None:
    for option in mcp.params:
        name = (option.name or "").replace("_", "-")
        assert option.opts in ([f"--{name}"], [f"--{name}-file"])
    bogus = {"CLOUD_INCIDENT_MCP_TASK": "guessing"}
    result = CliRunner().invoke(main, ["mcp"], env=bogus, auto_envvar_prefix="CLOUD_INCIDENT")
    assert result.exit_code == 2
    assert "task (from the variable CLOUD_INCIDENT_MCP_TASK): Input should be 'alert_classification'" in result.output


@pytest.mark.slow  # the first of the README's two commands does the same
def test_the_demo_scores_one() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "cloud_incident", "demo", "--plain"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "> start_drill(incident='RP-001')" in result.stdout
    assert "Score 1.0000 of 1.0" in result.stdout
