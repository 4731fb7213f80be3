"""Operations on third parties: they run what they run, and we choose whom we ask and for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State

_THIRD_PARTY = "third-party"


def _switch_provider(layout: Layout, state: State, component: int) -> None:
    """Send to another provider what went to this one."""
    if layout.components[component].software != _THIRD_PARTY:
        state.note(component, "switch_provider_refused")
        return
    troubles = (state.errors, state.shed, state.expired)
    same = state.work[component] == 1.0 and not any(trouble[component] for trouble in troubles)
    for trouble in troubles:
        trouble[component] = 0.0
    state.work[component] = 1.0
    state.note(component, "switch_provider_unchanged" if same else "switch_provider")


def _raise_quota(layout: Layout, state: State, component: int) -> None:
    """Have a partner let in more requests. It does nothing about anything else that is wrong there."""
    if layout.components[component].software != _THIRD_PARTY:
        state.note(component, "raise_quota_refused")
        return
    turned_away = state.shed[component] > 0.0
    state.shed[component] = 0.0
    state.note(component, "raise_quota" if turned_away else "raise_quota_unchanged")


OPERATIONS = (
    Operation(
        "switch_provider",
        "service",
        _switch_provider,
        "Send to the second provider what goes to a third party.",
        seconds=60,
    ),
    Operation(
        "raise_quota", "service", _raise_quota, "Have a third party raise the limit of our requests.", seconds=90
    ),
)
