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
    for component, name in list_flags(state):
        if name == flag and system[component] == system[owner]:
            already = int(not state.flags[component, flag])
            state.flags[component, flag] = False
            state.note(component, "flag", flag=flag, value="false", already=already)


OPERATIONS = (Operation("disable_feature_flag", "flag", _disable_feature_flag),)
