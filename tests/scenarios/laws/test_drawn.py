"""Drawn systems keep the laws in an honest, a random and a hostile play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from scenarios.laws import LAWS, Subject, find_breaches
from tests.scenarios.world.drawing import MANY, draw_systems

if TYPE_CHECKING:
    from scenarios.world import System

_ASKED = set(LAWS) - {"bytes", "return", "step"}
"""All but what has tests of its own, and what only the document of an incident states."""
_BEGINS = 240.0


@pytest.mark.slow
@MANY
@given(draw_systems())
def test_a_drawn_system_keeps_the_laws(system: System) -> None:
    plan = tuple(("restart_service", component.name) for component in system.components[:3])
    found = find_breaches(Subject("drawn", system, _BEGINS, plan), _ASKED)
    assert not any(found.values()), found
