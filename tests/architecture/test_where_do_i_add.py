"""Each row of the table names the files that an addition takes, and no others are needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.architecture import evaluation_toys, other_toys, surface_toys, vocabulary_toys

if TYPE_CHECKING:
    from tests.architecture.toy import Toy

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
TOYS = (*vocabulary_toys.TOYS, *other_toys.TOYS, *surface_toys.TOYS, *evaluation_toys.TOYS)
_ROW = re.compile(r"^\| (?P<row>[^|]+?) \| (?P<files>[^|]+) \|", re.MULTILINE)


def read_table() -> dict[str, set[str]]:
    """The rows of the table, and the files that each names. A name in angle brackets stands for any."""
    section = PAGE.read_text("utf-8").partition("## Where do I add")[2]
    return {found["row"]: set(re.findall(r"`([^`]+)`", found["files"])) for found in _ROW.finditer(section)}


def matches(pattern: str, path: str) -> bool:
    """Whether a path of the table is that of a file."""
    return fnmatchcase(path, re.sub(r"<[^>]+>", "*", pattern))


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.row)
def test_the_table_names_the_files_that_an_addition_takes(toy: Toy) -> None:
    files = read_table()[toy.row]
    for path in toy.touched:
        assert any(matches(pattern, path) for pattern in files), f"{path} is not named in the row {toy.row!r}"
    for pattern in files:
        assert any(matches(pattern, path) for path in toy.touched), f"{pattern} is not needed for {toy.row!r}"


def test_every_row_is_tried() -> None:
    assert set(read_table()) - {"to add", "---"} == {toy.row for toy in TOYS}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with every toy added."""
    copy = tmp_path_factory.mktemp("project")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    for toy in TOYS:
        toy.add_to(copy)
    return copy


def run_in(tree: Path, module: str, *arguments: str) -> str:
    """What a module prints that runs in the copy."""
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.slow
def test_what_is_declared_is_used_on_every_surface(tree: Path) -> None:
    assert '"census": 1.0' in run_in(tree, "tests.architecture.use_vocabulary")


@pytest.mark.slow
def test_families_mechanisms_and_grader_components_are_used(tree: Path) -> None:
    assert run_in(tree, "tests.architecture.use_others") == "used"


@pytest.mark.slow
def test_a_store_keeps_the_contract(tree: Path) -> None:
    assert "passed" in run_in(tree, "pytest", "tests/env_core/stores", "-k", "toy", "-rA")


@pytest.mark.slow
def test_routes_and_resources_are_found_and_used(tree: Path) -> None:
    assert run_in(tree, "tests.architecture.use_surfaces") == "used"


@pytest.mark.slow
def test_agents_adapters_and_checks_are_used_by_the_commands(tree: Path) -> None:
    assert run_in(tree, "tests.architecture.use_evaluation").endswith("used")
