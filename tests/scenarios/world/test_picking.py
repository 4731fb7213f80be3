"""A picked system goes on as it would have gone on where it was, and beside whatever it is put."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given

from scenarios.drawing import draw
from scenarios.faults import FAMILIES, STRENGTHS, Fault, list_targets, strike
from scenarios.world import Run, System, load_system
from scenarios.world.picking import AXES, FIXED, NOT_ARRAYS, OF_RECORD
from scenarios.world.record import COUNTS, LEVELS
from tests.scenarios.world.drawing import FEW, Drawn, draw_played

if TYPE_CHECKING:
    from scenarios.world.state import State

BEFORE, AFTER = 1140, 900
STRUCK = (3, 5, 7, 12, 31) if "WORLD_SYSTEMS" in os.environ else (3, 5)
"""Seeds whose systems are struck. Between them the first two can be struck by every family."""


def find_end(run: Run, place: int = 0, ticks: int = AFTER // 15) -> dict[str, bytes]:
    """The last ticks of the system at a place, of some systems of one kind."""
    count = len(run.layout.systems)
    cut = {}
    for name in (*COUNTS, *LEVELS):
        values = run.record.get(name)[-ticks:]
        width = values.shape[-1] // count
        cut[name] = np.ascontiguousarray(values[..., place * width : (place + 1) * width]).tobytes()
    return cut


def list_arrays(state: State) -> dict[tuple[str, str], object]:
    """All parts of a state and of its kernels."""
    parts: dict[tuple[str, str], object] = {}
    for spec in fields(state):
        value = getattr(state, spec.name)
        if is_dataclass(value) and spec.name != "passed":
            parts |= {(spec.name, part.name): getattr(value, part.name) for part in fields(value)}
        else:
            parts["", spec.name] = value
    return parts


def test_every_array_of_the_state_has_an_axis() -> None:
    """Who gives the state another part has to say how it is picked."""
    known = {(kernel, name) for kernel, axes in AXES.items() for names in axes.values() for name in names.split()}
    others = {(kernel, name) for kernel, names in NOT_ARRAYS.items() for name in names}
    found = list_arrays(Run(load_system("analytics-export")).state)
    arrays = {key for key, value in found.items() if isinstance(value, np.ndarray)}
    assert arrays == known
    assert set(found) - arrays == others
    assert {*COUNTS, *LEVELS} <= set(OF_RECORD)


def test_a_part_that_nothing_is_said_of_is_not_lost_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(load_system("analytics-export"))
    kept = {**AXES["disks"], "component": ""}
    monkeypatch.setattr("scenarios.world.picking._OF_KERNEL", {**{name: {} for name in AXES}, "disks": kept})
    with pytest.raises(TypeError, match="would be lost"):
        run.pick([0])


@pytest.mark.slow
def test_copies_go_on_as_the_system_itself() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(BEFORE)
    run.order("restart_service", "order-service")
    run.order("expand_volume", "postgres-db")
    run.advance(20)  # in the middle of a tick
    picked = run.pick([0, 0, 0])
    run.advance(AFTER)
    picked.advance(BEFORE)
    picked = run.pick([0, 0, 0])
    picked.order("restart_service", "postgres-db", system=1)
    for each in (run, picked):
        each.advance(AFTER + 10)
    own = find_end(run)
    assert find_end(picked, 0) == own
    assert find_end(picked, 2) == own
    assert find_end(picked, 1) != own
    assert len(picked.record) == len(run.record)
    first = [event for event in picked.state.events if event.component < len(run.layout.components)]
    assert first == run.state.events


@pytest.mark.slow
@FEW
@given(draw_played())
def test_drawn_systems_go_on_under_any_orders(drawn: Drawn) -> None:
    run = Run(drawn.system)
    run.advance(120)
    for _, operation, target in drawn.orders:
        run.order(operation, target)
    run.advance(40)
    picked = run.pick([0, 0])
    run.advance(AFTER)
    picked.advance(AFTER)
    assert find_end(picked, 1) == find_end(run)


@pytest.mark.slow
@pytest.mark.parametrize("seed", STRUCK)
def test_a_system_goes_on_as_one_that_a_fault_strikes_later(seed: int) -> None:
    """Whatever strikes, played from just before gives the bytes of what was struck from the start."""
    drawn = draw(seed, 4)
    at = drawn.fault.at
    faults = [
        Fault(family=name, component=target, at=at, seed=seed, strength=number % STRENGTHS)
        for number, (name, family) in enumerate(FAMILIES.items())
        for target in list_targets(family, drawn.background)[:1]
    ]
    systems = [strike(drawn.background, each) for each in faults]
    run = Run(drawn.background, noise=False)
    run.advance(5.0 * int((at - 300.0) / 5.0))  # the flag of a job is set before it begins
    picked = run.pick([0] * len(systems), systems)
    alone = Run(*systems, noise=False)
    alone.advance(at + 900)
    picked.advance(at + 900 - picked.time)
    for place, each in enumerate(faults):
        assert find_end(picked, place, 1000) == find_end(alone, place, 1000), each


def test_every_family_strikes_one_of_these_systems() -> None:
    drawn = [draw(seed, 4).background for seed in STRUCK[:2]]
    assert {name for name, family in FAMILIES.items() if any(list_targets(family, each) for each in drawn)} == set(
        FAMILIES
    )


def test_what_is_another_system_is_refused() -> None:
    run = Run(load_system("analytics-export"))
    fewer = run.layout.systems[0].model_copy(update={"journeys": run.layout.systems[0].journeys[:2], "alerts": ()})
    with pytest.raises(ValueError, match="journey"):
        run.pick([0], [fewer])


def test_every_part_of_the_state_is_taken_along() -> None:
    """A copy of a moment differs from it in nothing, with tasks, rollouts and jobs under way."""
    run = Run(load_system("analytics-export"))
    run.advance(1800)
    job = run.state.jobs[0].job
    targets = {"pause_job": job.name, "disable_feature_flag": job.flag, "cordon_zone": "zone-a"}
    for name in ("restart_service", "rotate_secret", "raise_slots", "shed_load", "expand_volume", *targets):
        run.order(name, targets.get(name, "order-service"))
    run.advance(20)
    picked = run.pick([0])
    before, after = list_arrays(run.state), list_arrays(picked.state)
    for key, value in before.items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, np.asarray(after[key])), key
        elif key[1] != "passed":
            assert value == after[key], key
    assert run.state.rollouts
    assert run.state.tasks
    assert picked.record.list_open()
    assert find_end(picked) == find_end(run)


def test_what_is_fixed_does_not_change_under_any_operation() -> None:
    run = Run(load_system("analytics-export"))
    began = {key: np.array(value) for key, value in list_arrays(run.state).items() if isinstance(value, np.ndarray)}
    for name in ("restart_service", "expand_volume", "clear_cache", "rotate_secret", "fail_over"):
        run.order(name, "postgres-db")
    run.advance(600)
    now = list_arrays(run.state)
    fixed = [(kernel, name) for kernel, axes in AXES.items() for name in axes.get(FIXED, "").split()]
    assert fixed
    for key in fixed:
        assert np.array_equal(began[key], np.asarray(now[key])), key


def test_states_of_systems_beside_others_are_taken_along() -> None:
    small = System.model_validate(
        {
            "name": "small",
            "components": [{"name": "api", "software": "go-service", "routes": [{"name": "get", "work": 0.01}]}],
            "calls": [],
            "journeys": [{"name": "get", "entry": "api/get", "demand": 9, "deadline": 1}],
        }
    )
    run = Run(small, load_system("analytics-export"), small)
    run.advance(BEFORE)
    run.order("restart_service", "order-service", system=1)
    picked = run.pick([1, 1])
    alone = Run(load_system("analytics-export"))
    alone.advance(BEFORE)
    alone.order("restart_service", "order-service")
    alone.advance(AFTER)
    picked.advance(AFTER)
    assert find_end(picked, 1) == find_end(alone)
