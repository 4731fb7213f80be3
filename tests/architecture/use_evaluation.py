"""Run inside a copy of the project that has the toys: they are used by the commands, on the task that is a toy too."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from cloud_incident.cli import main
from tests.servers import full_server


def run(*arguments: str) -> str:
    """What a command prints."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result.output


def use_toys(folder: Path) -> None:
    census = ["--task", "census_taking", "--split", "train", "--count", "2"]
    agents = [
        part for name in ("toy", "responder", "novice", "random", "shotgun", "oracle") for part in ("--agent", name)
    ]
    run("evaluate", *agents, *census, "--out", str(folder / "in-process.jsonl"))
    scores = {json.loads(line)["agent"]: json.loads(line)["score"] for line in (folder / "in-process.jsonl").open()}
    assert scores["oracle"] == 1.0, scores
    assert set(scores) >= {"toy", "responder", "novice", "random", "shotgun"}
    refused = CliRunner().invoke(main, ["evaluate", "--task", "census_taking", "--out", str(folder / "none.jsonl")])
    assert "No curated scenario belongs to census_taking" in refused.output, refused.output
    with full_server() as address:
        over = ["--url", address, "--surface", "toy", "--out", str(folder / "over-toy.jsonl")]
        run("evaluate", "--agent", "toy", "--scenario", "AC-001", *over)
    run("generate", "--seed", "7", "--out", str(folder / "frozen"))
    assert "traces:" in next((folder / "frozen").glob("*.yaml")).read_text("utf-8")
    run("lint", str(next((folder / "frozen").glob("*.yaml"))))
    assert "generator.toys" in run("audit", "--sample", "1", "--check", "generator.toys")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        use_toys(Path(folder))
    sys.stdout.write("used")
