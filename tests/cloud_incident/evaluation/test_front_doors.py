"""The front door of each room has what it says."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

ROOMS = ("agents", "running", "statistics", "reporting", "audit")


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_of_a_front_door_is_there(room: str) -> None:
    door = import_module(f"cloud_incident.evaluation.{room}")
    assert [name for name in door.__all__ if not hasattr(door, name)] == []
    assert not hasattr(door, "no_such_name")


def test_the_fitness_of_a_document_needs_no_other_module_of_the_audit() -> None:
    program = (
        "import sys; from cloud_incident.evaluation.audit import report_fitness;"
        "prefix = 'cloud_incident.evaluation.audit.';"
        "print(*sorted(name.removeprefix(prefix) for name in sys.modules if name.startswith(prefix)))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == ["exploits", "fitness"]
