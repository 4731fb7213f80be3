"""A system gives the same bytes whatever it runs beside, in every process, and on every processor."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scenarios
from scenarios.world import Run, System
from scenarios.world.record import COUNTS, LEVELS
from tests.scenarios.world.drawing import FEW, MANY, draw_systems

SHIPPED = Path(scenarios.__file__).parent / "world" / "systems" / "analytics-export.yaml"
SECONDS = 25 * 60.0
BY_CALL = {"sent", "reached", "succeeded", "failed", "given_up"}
BY_COMPONENT = {"load", "queue", "running", "memory", "connections", "computed", "disk", "kept", "hits"}
BY_GROUP = {"backlog"}
"""What is recorded by call, component and group of consumers; all else is by route."""


def _cut(run: Run, place: int) -> dict[str, bytes]:
    """All that a run recorded of the system at a place, and what happened in it."""
    sizes = [
        (
            len(system.components),
            len(system.list_routes()),
            len(system.calls),
            sum(component.most for component in system.components),
            len(system.groups),
        )
        for system in run.layout.systems
    ]
    starts = [sum(size[axis] for size in sizes[:place]) for axis in range(5)]
    cut = {}
    for name in (*COUNTS, *LEVELS):
        axis = 0 if name in BY_COMPONENT else 2 if name in BY_CALL else 4 if name in BY_GROUP else 1
        values = run.record.get(name)[..., starts[axis] : starts[axis] + sizes[place][axis]]
        cut[name] = values.tobytes()
    happened = []
    for event in run.state.events:
        component = event.component - starts[0]
        if 0 <= component < sizes[place][0]:
            details = {**event.details}
            if "instance" in details:
                details["instance"] = int(details["instance"]) - starts[3]
            happened.append((event.at, component, event.what, details))
    return {**cut, "events": repr(happened).encode()}


def _check_batch(systems: list[System]) -> None:
    together = Run(*systems)
    together.advance(600)
    for place, system in enumerate(systems):
        alone = Run(system)
        alone.advance(600)
        assert _cut(together, place) == _cut(alone, 0)


@FEW
@given(st.lists(draw_systems(), min_size=3, max_size=3))
def test_a_system_does_not_depend_on_what_it_runs_beside(systems: list[System]) -> None:
    _check_batch(systems)


@pytest.mark.slow
@MANY
@given(st.lists(draw_systems(), min_size=3, max_size=3))
def test_many_systems_do_not_depend_on_what_they_run_beside(systems: list[System]) -> None:
    _check_batch(systems)


def digest() -> str:
    """A digest of the whole record of the shipped system, its chance included."""
    run = Run(System.load(SHIPPED))
    run.advance(SECONDS)
    return hashlib.sha256(repr(sorted(_cut(run, 0).items())).encode()).hexdigest()


def _digest_in_process(**variables: str) -> str:
    command = [sys.executable, "-W", "error", "-c", f"from {__name__} import digest; print(digest())"]
    environment = {**os.environ, **variables, "PYTHONPATH": str(Path(scenarios.__file__).parent.parent)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_two_processes_give_the_same_bytes() -> None:
    first, second = (_digest_in_process(PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first == second == digest()


def test_a_processor_without_wide_registers_gives_the_same_bytes() -> None:
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    assert _digest_in_process(NPY_DISABLE_CPU_FEATURES=" ".join(found)) == digest()
