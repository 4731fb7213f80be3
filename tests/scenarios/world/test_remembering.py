"""What is remembered from one step to the next is what would be computed again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from scenarios.world import Run, load_system
from scenarios.world.record import COUNTS, LEVELS
from scenarios.world.remembering import Memory
from tests.scenarios.world.drawing import FEW, Drawn, draw_played

if TYPE_CHECKING:
    from collections.abc import Callable


class Forgetful(Run):
    """Runs that remember nothing."""

    def _pass_step(self) -> None:
        self.layout = replace(self.layout, memory=Memory())
        super()._pass_step()


def find_bytes(run: Run) -> dict[str, bytes]:
    return {name: run.record.get(name).tobytes() for name in (*COUNTS, *LEVELS)}


@pytest.mark.slow
@FEW
@given(draw_played())
def test_a_run_that_remembers_nothing_gives_the_same_bytes(drawn: Drawn) -> None:
    runs = Run(drawn.system, drawn.system), Forgetful(drawn.system, drawn.system)
    for run in runs:
        run.advance(120)
        for _, operation, target in drawn.orders:
            run.order(operation, target, system=1)
        run.advance(600)
    remembering, forgetful = runs
    assert find_bytes(remembering) == find_bytes(forgetful)
    assert remembering.state.events == forgetful.state.events


def test_what_somebody_else_changes_in_the_state_is_seen() -> None:
    def break_something(run: Run) -> None:
        run.state.slots[:] = 0.5
        run.state.leak[0] = 2.0
        run.state.credentials.accepted[1] = 2.0
        run.state.disks.capacity[:] *= 0.5

    def play(change: Callable[[Run], None], kind: type[Run]) -> dict[str, bytes]:
        run = kind(load_system("analytics-export"))
        run.advance(300)
        change(run)
        run.advance(300)
        return find_bytes(run)

    assert play(break_something, Run) == play(break_something, Forgetful)
    assert play(break_something, Run) != play(lambda _: None, Run)


def test_the_last_result_is_taken_as_long_as_the_same_is_seen() -> None:
    memory, computed = Memory(), list[int]()

    def compute(number: int) -> int:
        computed.append(number)
        return number

    assert [memory.get((seen,), compute, seen) for seen in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 1]
    assert computed == [1, 2, 1]


def test_what_is_at_rest_is_so_for_what_was_seen() -> None:
    memory = Memory()
    assert not memory.is_at_rest("warmth", (b"a",))
    memory.note_rest("warmth", (b"a",))
    assert memory.is_at_rest("warmth", (b"a",))
    assert not memory.is_at_rest("warmth", (b"b",))
    assert not memory.is_at_rest("usable", (b"a",))
