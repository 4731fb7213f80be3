"""The README and the guide: their examples run, their tables agree with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scenarios.actions import VOCABULARY
from scenarios.tasks import TASKS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "scenarios.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_python_examples_run() -> None:
    examples = blocks(README, "python")
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - the README is ours


def test_configurations_are_json() -> None:
    assert len([json.loads(block) for block in blocks(README, "json")]) == 2


def test_the_tool_table_is_complete() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", README.split("## The tools")[1], re.MULTILINE)
    control = {"start_incident", "get_incident", "list_incidents", "grade_incident", "close_incident"}
    assert rows[: len(VOCABULARY)] == list(VOCABULARY)
    assert set(rows) == set(VOCABULARY) | control


def test_the_task_table_is_right() -> None:
    for task in TASKS.values():
        assert f"| `{task.id}` | {task.max_steps} | `{task.submission}` |" in README


def test_what_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README + GUIDE):
        assert (ROOT / link).exists() or (ROOT / "docs" / link).exists(), link


def test_every_command_named_exists() -> None:
    for script in re.findall(r"scripts/\w+", README):
        assert (ROOT / script).is_file(), script
