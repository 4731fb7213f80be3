"""An evaluation on a server that asks for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cloud_incident.cli import main
from cloud_incident.evaluation.running import SURFACES, read_results, read_score
from tests.cloud_incident.tokens.holding import WRONG, Tokens, guarded_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens.write(tmp_path_factory.mktemp("tokens") / "tokens.txt")


@pytest.fixture(scope="module")
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens) as address:
        yield address


def evaluate(out: Path, *arguments: str, **variables: str) -> Result:
    asked = ["evaluate", "--agent", "oracle", "--scenario", "AC-001", "--out", str(out), *arguments]
    return CliRunner().invoke(main, asked, env=variables)


@pytest.mark.parametrize("surface", SURFACES)
def test_the_token_of_a_file_is_sent(address: str, tokens: Tokens, tmp_path: Path, surface: str) -> None:
    file, out = tmp_path / "alice.token", tmp_path / "run.jsonl"
    file.write_text(f"{tokens.alice['operate']}\n", "utf-8")
    said = evaluate(out, "--url", address, "--surface", surface, "--token-file", str(file))
    assert said.exit_code == 0, said.output
    assert [read_score(line) for line in read_results(out)] == [1.0]
    assert tokens.alice["operate"] not in out.read_text("utf-8") + said.output


def test_the_token_of_a_variable_is_sent(address: str, tokens: Tokens, tmp_path: Path) -> None:
    said = evaluate(tmp_path / "run.jsonl", "--url", address, CLOUD_INCIDENT_TOKEN=tokens.alice["operate"])
    assert said.exit_code == 0, said.output


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("token", ["", WRONG])
def test_without_a_valid_token_nothing_is_played(address: str, tmp_path: Path, surface: str, token: str) -> None:
    variables = {"CLOUD_INCIDENT_TOKEN": token} if token else {}
    said = evaluate(tmp_path / "run.jsonl", "--url", address, "--surface", surface, **variables)
    assert said.exit_code == 1
    assert "asks for a token" in said.output
    assert "--token-file or in CLOUD_INCIDENT_TOKEN" in said.output
    assert "AC-001" not in said.output
