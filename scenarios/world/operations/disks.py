"""Operations on volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _expand_volume(layout: Layout, state: State, component: int) -> None:
    """Volumes half as large again. A process that has stopped is not started by that."""
    grown = state.disks.expand(layout.instance_component == component)
    state.note(component, "expand_volume" if grown else "expand_volume_refused")


def _clean_disk(layout: Layout, state: State, component: int) -> None:
    """Delete old logs and whatever else nobody needs."""
    state.note(component, "clean_disk", megabytes=round(state.disks.clean(layout.instance_component == component)))


OPERATIONS = (
    Operation(
        "expand_volume", "service", _expand_volume, "Make the volumes of the service half as large again.", seconds=60
    ),
    Operation("clean_disk", "service", _clean_disk, "Delete old logs and other files that nobody needs.", seconds=30),
)
