"""Operations on feature flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation, list_flags

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _disable_feature_flag(_: Layout, state: State, place: int) -> None:
    """Turn a flag off for every component of the system that reads it."""
    owner, flag = list_flags(state)[place]
    system = state.paths.component_system
    if not state.flags[owner, flag]:
        state.note(owner, "flag_unchanged", flag=flag, value="false")
        return
    for component, name in list_flags(state):
        if name == flag and system[component] == system[owner]:
            state.flags[component, flag] = False
            state.note(component, "flag", flag=flag, value="false")


OPERATIONS = (Operation("disable_feature_flag", "flag", _disable_feature_flag, "Turn a flag off."),)
