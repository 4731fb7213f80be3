"""`cloud-incident generate`: files that the other commands take, named by what they hold, kept unless forced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from cloud_incident.scaffold import SCHEMA_NAME, render_schema
from scenarios.catalogue import Catalogue
from scenarios.loading import load_document

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.vocabulary import TaskId

SALT = "0123456789abcdef0123456789abcdef"


def run(*arguments: object, salt: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(one) for one in arguments], env={"CLOUD_INCIDENT_SALT": salt})
    return result.exit_code, result.output


def named(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.glob("*.yaml"))


@pytest.mark.slow
def test_seeds_are_written_for_all_tasks(tmp_path: Path) -> None:
    code, said = run("generate", "--seed", 4, "--seed", 9, "--difficulty", 1, "--out", tmp_path / "deeper")
    assert code == 0, said
    assert named(tmp_path / "deeper") == ["frozen-gen1-d1-4.yaml", "frozen-gen1-d1-9.yaml"]
    assert all(str(tmp_path / "deeper" / name) in said for name in named(tmp_path / "deeper"))
    assert (tmp_path / "deeper" / SCHEMA_NAME).read_text("utf-8") == render_schema()
    catalogue = Catalogue([tmp_path / "deeper"])
    assert catalogue.get("frozen-gen1-rp-d1-9").incident.plan == catalogue.get("gen1-rp-d1-9").incident.plan
    assert len(catalogue.scenarios) == 9 + 2 * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--start", 20, "--count", 2, "--difficulty", 1), ["frozen-gen1-d1-20.yaml", "frozen-gen1-d1-21.yaml"]),
        (("--seed", 30, "--count", 2, "--difficulty", 1), ["frozen-gen1-d1-30.yaml", "frozen-gen1-d1-31.yaml"]),
        (("--seed", 2**63 - 1), [f"frozen-gen1-d3-{2**63 - 1}.yaml"]),
    ],
)
def test_counting_from_a_start(tmp_path: Path, options: tuple[object, ...], names: list[str]) -> None:
    assert run("generate", *options, "--out", tmp_path)[0] == 0
    assert named(tmp_path) == names
    for name in names:
        load_document(tmp_path / name)


@pytest.mark.slow
def test_a_split_of_one_task(tmp_path: Path) -> None:
    task: TaskId = "root_cause_analysis"
    options = ("--split", "validation", "--start", 3, "--count", 2, "--task", task, "--difficulty", 1)
    assert run("generate", *options, "--out", tmp_path)[0] == 0
    wanted = [Catalogue().entry_in("validation", task, index, 1).id for index in (3, 4)]
    assert set(Catalogue([tmp_path]).scenarios) - set(Catalogue().scenarios) == {f"FROZEN-{one}" for one in wanted}


def test_nothing_is_written_over_unless_forced(tmp_path: Path) -> None:
    asked = ("generate", "--seed", 4, "--difficulty", 1, "--out", tmp_path)
    run(*asked)
    file = tmp_path / "frozen-gen1-d1-4.yaml"
    fresh = file.read_bytes()
    file.write_text("mine")
    code, said = run("generate", "--seed", 3, *asked[1:])
    assert code == 1
    assert "frozen-gen1-d1-4.yaml exist; give --force" in said
    assert named(tmp_path) == [file.name]
    assert file.read_text() == "mine"
    assert run(*asked, "--force")[0] == 0
    assert file.read_bytes() == fresh


def test_under_a_salt_names_stay_opaque(tmp_path: Path) -> None:
    code, said = run("generate", "--split", "private", "--index", 1, "--difficulty", 1, "--out", tmp_path, salt=SALT)
    assert code == 0, said
    assert "FROZEN-GX1-" in said
    assert "-D1-" not in said
    assert all(name.startswith("frozen-gx1-") for name in named(tmp_path))
    assert run("generate", "--split", "private", "--index", 1, "--out", tmp_path)[0] == 1


@pytest.mark.slow
def test_a_frozen_incident_passes_lint(tmp_path: Path) -> None:
    run("generate", "--seed", 3, "--difficulty", 2, "--out", tmp_path)
    code, said = run("lint", tmp_path / "frozen-gen1-d2-3.yaml")
    assert code == 0, said
    assert said.endswith("fit to serve\n")


@pytest.mark.slow
def test_the_naive_rules_are_asked_of_what_is_no_longer_frozen(tmp_path: Path) -> None:
    run("generate", "--seed", 1, "--difficulty", 5, "--out", tmp_path)
    file = tmp_path / "frozen-gen1-d5-1.yaml"
    text = file.read_text("utf-8")
    assert "recent change of all" not in run("lint", file)[1]
    file.write_text("".join(line for line in text.splitlines(True) if not line.startswith("frozen_from:")), "utf-8")
    assert "affected and shows nothing of the recovery" in run("lint", file)[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seed", 1, "--split", "train"), "contradict"),
        (("--index", 1), "give --split as well"),
        (("--seed", 1, "--seed", 2, "--count", 3), "goes on from one --seed"),
        (("--seed", 1, "--start", 2), "contradict"),
        (("--split", "curated", "--index", 0), "written down already"),
        (("--split", "tests"), "Splits: curated"),
        (("--split", "test", "--index", 100_000), "there is no index"),
    ],
)
def test_mistakes_say_what_to_give(tmp_path: Path, options: tuple[object, ...], said: str) -> None:
    code, text = run("generate", *options, "--out", tmp_path)
    assert code == 1
    assert said in text
    assert named(tmp_path) == []
