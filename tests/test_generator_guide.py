"""The guide to generated incidents: its tables and its family agree with the code, its commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from cloud_incident.cli.generate import generate
from scenarios.generator.background import ANOMALIES, CHRONIC, NEAR_CHANGES, SHADOWS, SILENT
from scenarios.generator.draw import DISTANCE
from scenarios.generator.mechanisms import MECHANISMS
from scenarios.generator.naming import DIFFICULTIES
from scenarios.generator.topology import SIZES

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "generator.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


def test_the_table_of_difficulties_is_right() -> None:
    for difficulty in DIFFICULTIES:
        drawn = [table[difficulty] for table in (SIZES, DISTANCE, NEAR_CHANGES, ANOMALIES, SHADOWS, CHRONIC, SILENT)]
        assert f"| {difficulty} | {' | '.join(map(_range, drawn))} |" in GUIDE


def _range(bounds: tuple[int, int]) -> str:
    return str(bounds[0]) if bounds[0] == bounds[1] else f"{bounds[0]}–{bounds[1]}"


def test_the_mechanisms_are_all_told() -> None:
    told = GUIDE.split("The mechanisms are ")[1].split(".")[0]
    assert set(re.findall(r"`(\w+)`", told)) == set(MECHANISMS)


def test_the_family_shown_is_a_real_one() -> None:
    name = re.findall(r"This is `([\w-]+\.yaml)`", GUIDE)[0]
    (shown,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert shown == (ROOT / "scenarios" / "generator" / "families" / name).read_text("utf-8")


def test_the_options_of_generate_are_all_told() -> None:
    told = set(re.findall(r"--[\w-]+", GUIDE.split("## Frozen exports")[1].split("## Showing one")[0]))
    assert {option for parameter in generate.params for option in parameter.opts} <= told


def test_what_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)", GUIDE):
        assert (ROOT / "docs" / link).is_file(), link


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^cloud-incident ((?:show|generate) [^#\n]+)", GUIDE, re.MULTILINE)
    commands += re.findall(r"`cloud-incident ((?:show|generate) [^`]+)`", README)
    assert len(commands) == 4
    for command in commands:
        result = CliRunner().invoke(main, [*shlex.split(command), *(["--force"] if "--out" in command else [])])
        assert result.exit_code == 0, result.output
    assert len(list(tmp_path.glob("my-incidents/*.yaml"))) == 3
