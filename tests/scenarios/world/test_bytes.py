"""A system gives the same bytes whatever it runs beside, in every process, and on every processor."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scenarios
from scenarios.drawing import draw
from scenarios.laws.bytes import cut_record
from scenarios.running import list_proved
from scenarios.world import Run, System
from tests.scenarios.world.drawing import FEW, MANY, draw_systems

SHIPPED = Path(scenarios.__file__).parent / "world" / "systems" / "analytics-export.yaml"
SECONDS = 25 * 60.0


def _check_batch(systems: list[System]) -> None:
    together = Run(*systems)
    together.advance(600)
    for place, system in enumerate(systems):
        alone = Run(system)
        alone.advance(600)
        assert cut_record(together, place) == cut_record(alone, 0)


@pytest.mark.slow
@FEW
@given(st.lists(draw_systems(), min_size=3, max_size=3))
def test_a_system_does_not_depend_on_what_it_runs_beside(systems: list[System]) -> None:
    _check_batch(systems)


@pytest.mark.slow
@MANY
@given(st.lists(draw_systems(), min_size=3, max_size=3))
def test_many_systems_do_not_depend_on_what_they_run_beside(systems: list[System]) -> None:
    _check_batch(systems)


@pytest.mark.slow
def test_a_system_of_one_place_does_not_depend_on_one_with_a_network() -> None:
    draws = [draw(seed, difficulty).system for seed, difficulty in sorted(list_proved())[:40]]
    crossing = [system for system in draws if system.links][:2]
    staying = [system for system in draws if not system.links][:2]
    assert len(crossing) == len(staying) == 2
    _check_batch([*crossing, *staying])


@cache
def digest() -> str:
    """A digest of the whole record of the shipped system, its chance included."""
    run = Run(System.load(SHIPPED))
    run.advance(SECONDS)
    return hashlib.sha256(repr(sorted(cut_record(run, 0).items())).encode()).hexdigest()


def _digest_in_process(**variables: str) -> str:
    command = [sys.executable, "-W", "error", "-c", f"from {__name__} import digest; print(digest())"]
    environment = {**os.environ, **variables, "PYTHONPATH": str(Path(scenarios.__file__).parent.parent)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_two_processes_give_the_same_bytes() -> None:
    assert _digest_in_process(PYTHONHASHSEED="1") == digest()


@pytest.mark.slow
def test_a_processor_without_wide_registers_gives_the_same_bytes() -> None:
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    assert _digest_in_process(NPY_DISABLE_CPU_FEATURES=" ".join(found)) == digest()
