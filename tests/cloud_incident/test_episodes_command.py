"""`cloud-incident episodes`: what a person does with stored episodes."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import anyio
import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.stores import SqliteStore
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.catalogue import Catalogue


@pytest.fixture
def stored(tmp_path: Path, catalogue: Catalogue) -> Path:
    """A file with an episode of two steps, one of none, and one that has ended."""
    path = tmp_path / "episodes.db"

    async def play() -> None:
        service = EpisodeService(catalogue, SqliteStore(path))
        for scenario_id, episode_id in (("RCA-001", "run-1"), ("RP-001", "run-2"), ("AC-001", "run-3")):
            await service.create(Selection(scenario_id=scenario_id, episode_id=episode_id))
        for name in ("postgres-db", "api-gateway"):
            await service.step("run-1", parse_action("query_logs", {"service": name}))
        await service.step("run-3", parse_action("submit_severity", {"severity": "P1"}))

    anyio.run(play)
    return path


def run(stored: Path, *arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(main, ["episodes", *arguments, "--store", str(stored)])
    assert result.exit_code == exit_code, result.output
    return result.output


def test_they_are_listed_shown_forked_and_pruned(stored: Path) -> None:
    told = {line["episode_id"]: line for line in map(json.loads, run(stored, "list", "--json").splitlines())}
    assert {handle: (line["scenario_id"], line["steps"], line["done"]) for handle, line in told.items()} == {
        "run-1": ("RCA-001", 2, False),
        "run-2": ("RP-001", 0, False),
        "run-3": ("AC-001", 1, True),
    }
    assert "run-1  RCA-001  open  2 steps" in run(stored, "list")
    assert " 2. query_logs api-gateway" in run(stored, "show", "run-1")
    assert "score" in run(stored, "show", "run-3").casefold()
    assert run(stored, "fork", "run-1", "--after", "1", "--as", "what-if") == "what-if\n"
    assert "api-gateway ·" not in run(stored, "show", "what-if")
    assert run(stored, "prune", "run-2", "--idle-days", "1") == "run-2\n"
    assert "run-2" not in run(stored, "list")


def test_an_export_has_what_is_stored(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "episodes.jsonl"
    run(stored, "export", "run-1", "--out", str(out))
    (line,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert line["reference"]["scenario_id"] == "RCA-001"
    assert [action["parameters"]["service"] for action in line["actions"]] == ["postgres-db", "api-gateway"]
    assert run(stored, "export").count("\n") == 3


def test_an_episode_with_an_action_that_this_release_does_not_know_is_listed_exported_and_pruned(stored: Path) -> None:
    database = sqlite3.connect(stored)
    database.execute("UPDATE episodes SET events = replace(events, 'query_logs', 'drain_node') WHERE id = 'run-1'")
    database.commit()
    database.close()
    assert "run-1  RCA-001  open  2 steps" in run(stored, "list")
    (line,) = map(json.loads, run(stored, "export", "run-1").splitlines())
    assert line["actions"][0] == {"action_type": "drain_node", "parameters": {"service": "postgres-db"}}
    assert run(stored, "export").count("\n") == 3
    assert "does not know its step 1, drain_node" in run(stored, "show", "run-1", exit_code=1)
    assert "does not know its step 1" in run(stored, "fork", "run-1", exit_code=1)
    assert run(stored, "prune", "run-1") == "run-1\n"


def test_an_episode_with_a_reference_that_this_release_does_not_know_is_listed_exported_and_pruned(
    stored: Path,
) -> None:
    database = sqlite3.connect(stored)
    database.execute("UPDATE episodes SET reference = json_set(reference, '$.hints', 3) WHERE id = 'run-1'")
    database.commit()
    database.close()
    assert "run-1  RCA-001  open  2 steps" in run(stored, "list")
    (line,) = map(json.loads, run(stored, "export", "run-1").splitlines())
    assert line["reference"]["hints"] == 3
    for command in ("show", "fork"):
        assert "does not know what the reference" in run(stored, command, "run-1", exit_code=1)
    assert run(stored, "prune", "run-1") == "run-1\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("show", "run-9"), 1, "no open episode 'run-9'"),
        (("fork", "run-1", "--after", "3"), 1, "has 2 steps; 3 were asked for"),
        (("fork", "run-1", "--as", "run-2"), 1, "already exists"),
        (("prune",), 2, "Name episodes, or give --idle-days."),
        (("prune", "run-1", "run-9"), 1, "no open episode 'run-9'"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    stored: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    before = run(stored, "export")
    assert told in run(stored, *arguments, exit_code=code)
    assert sorted(run(stored, "export").splitlines()) == sorted(before.splitlines())


def test_where_nothing_is_stored_no_file_is_made(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["episodes", "list"], env={"XDG_DATA_HOME": str(tmp_path), "CLOUD_INCIDENT_STORE": ""}
    )
    assert result.exit_code == 1
    assert "No episode is stored in" in result.output
    assert not list(tmp_path.iterdir())
