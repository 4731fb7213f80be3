"""The guide to the console: its example runs, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_incident.cli.serve import serve
from cloud_incident.console.api import OPERATIONS, RunRequest
from cloud_incident.console.runs import RunLimits
from cloud_incident.console.stored import MOST_BYTES, MOST_FILES
from cloud_incident.console.trajectories import MOST_UPLOADED
from env_core.frames import Frame
from tests.http_compat.talking import read_answer

if TYPE_CHECKING:
    import httpx2
    import pytest

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "console.md").read_text("utf-8")


def find_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_the_example_runs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = find_blocks("python")
    assert "http://127.0.0.1:7860" in example
    exec(compile(example.replace("http://127.0.0.1:7860", address), "console.md", "exec"), {})  # noqa: S102 - it is ours
    assert "'action_type': 'submit_root_cause'" in capsys.readouterr().out


def test_a_model_is_asked_for_as_it_says() -> None:
    (asked,) = find_blocks("json")
    assert RunRequest.model_validate_json(asked).endpoint is not None


def test_every_operation_is_told() -> None:
    listed = set(re.findall(r"^\| `(\w+) (/console/\S+)` \|", GUIDE, re.MULTILINE))
    assert listed == {(operation.method, re.sub(r":\w+}", "}", operation.path)) for operation in OPERATIONS}


def test_every_field_of_a_frame_is_told() -> None:
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| ", GUIDE.split("## Frames")[1].split("## Operations")[0], re.MULTILINE
    )
    assert [name for row in rows for name in re.findall(r"\w+", row)] == list(Frame.__annotations__)


def test_its_options_are_there() -> None:
    options = {option for parameter in serve.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"`(--[\w-]+)", GUIDE)) - {"--out"} <= options


def test_its_limits_are_those_that_hold() -> None:
    limits = RunLimits()
    assert (limits.playing, limits.kept, limits.idle_seconds, limits.unwatched_seconds) == (8, 64, 15 * 60, 30)
    assert f"({MOST_UPLOADED >> 20} MB at most)" in GUIDE
    assert f"the last {MOST_FILES} are shown, of {MOST_BYTES >> 20} MB each" in GUIDE


def test_what_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)", GUIDE):
        assert (ROOT / "docs" / link).is_file(), link


def test_the_api_is_documented(api: httpx2.Client) -> None:
    paths = read_answer(api.get("/openapi.json"))["paths"]
    for operation in OPERATIONS:
        described = paths[re.sub(r":\w+}", "}", operation.path)][operation.method.lower()]
        assert described["operationId"] == operation.name
        assert set(described["responses"]["200"]["content"]) == {operation.media}
        named = [parameter["name"] for parameter in described.get("parameters", []) if parameter["in"] == "path"]
        assert named == re.findall(r"{(\w+)", operation.path)
