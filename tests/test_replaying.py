"""Playing what is proved: listed draws, and fresh ones from the file that they are kept in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import replaying
from scenarios.running.listed import Listed, find_proof, know_beside, list_proofs, read_line

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FIRST = next(iter(list_proofs()))
UNLISTED = (880_000, 1)


def test_a_proof_is_known_beside_those_listed_for_as_long_as_that_is_said() -> None:
    beside = list_proofs()[FIRST]
    with know_beside({UNLISTED: beside}):
        assert find_proof(*UNLISTED) is beside.proof
        assert find_proof(*FIRST) is beside.proof
    assert find_proof(*UNLISTED) is None


def write_proof(path: Path, key: tuple[int, int], listed: Listed) -> None:
    line = {"seed": key[0], "difficulty": key[1], "drawn": listed.drawn, "proof": listed.proof.model_dump(mode="json")}
    path.write_text(f"{json.dumps(line)}\n", "utf-8")
    assert read_line(json.dumps(line)) == (key, listed)


def test_what_stands_in_a_file_is_played_and_not_played_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fresh.jsonl"
    listed = list_proofs()[FIRST]
    write_proof(path, FIRST, listed)
    asked = ["fresh", "1", "0", "0", str(path)]
    assert replaying.main(asked) == 0
    plays = 1 + len(listed.proof.repairs)
    assert f"{plays} of {plays} plays scored 1.00" in capsys.readouterr().out
    played = tmp_path / "fresh.jsonl.played"
    line = json.loads(played.read_text("utf-8"))
    line["scores"]["perfect, repair"] = 0.9
    played.write_text(f"{json.dumps(line)}\n", "utf-8")
    assert replaying.main(asked) == 1  # the scores are those of the file
    assert f"{plays - 1} of {plays} plays scored 1.00" in capsys.readouterr().out


def test_listed_draws_are_played_with_every_accepted_repair(capsys: pytest.CaptureFixture[str]) -> None:
    assert replaying.main(["replay", "1"]) == 0
    assert f"{FIRST[0]} D{FIRST[1]} listed" in capsys.readouterr().out
