"""Operations that put settings, certificates and indexes back into order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _revert_config(layout: Layout, state: State, component: int) -> None:
    """Load the settings of before: limits as they were laid out, no rules against clients, and the like."""
    changed = 0
    for limit in (state.cores, state.slots, state.connections, state.memory_limit):
        changed += int(limit[component] < 1.0)
        limit[component] = max(1.0, float(limit[component]))
    for setting in (state.shed, state.together, state.addresses.unanswered):
        changed += int(setting[component] > 0.0)
        setting[component] = 0.0
    entering = layout.route_component[layout.journey_entry] == component
    changed += int(np.count_nonzero(state.blocked[entering]))
    state.blocked[entering] = 0.0
    state.note(component, "revert_config" if changed else "revert_config_unchanged", changed=changed)


def _reissue_certificate(_: Layout, state: State, component: int) -> None:
    """Hand out a certificate that is valid, and load it everywhere."""
    renewed = int(state.expired[component] > 0.0)
    state.expired[component] = 0.0
    state.note(component, "reissue_certificate" if renewed else "reissue_certificate_unchanged")


def _rebuild_indexes(_: Layout, state: State, component: int) -> None:
    """Create the indexes that the schema of a store lists and that are not there."""
    missing = int(state.scans[component] != 1.0)
    state.scans[component] = 1.0
    state.note(component, "rebuild_indexes" if missing else "rebuild_indexes_unchanged")


def _spread_partitions(layout: Layout, state: State, component: int) -> None:
    """Divide what is asked for most between the instances of a store or broker."""
    if int(np.count_nonzero(state.wanted[layout.instance_component == component])) < 2:
        state.note(component, "spread_partitions_refused")
        return
    leaning = int(state.skew[component] != 1.0)
    state.skew[component] = 1.0
    state.note(component, "spread_partitions" if leaning else "spread_partitions_unchanged")


OPERATIONS = (
    Operation(
        "revert_config",
        "service",
        _revert_config,
        "Load the settings of a service that were in force before.",
        seconds=20,
    ),
    Operation(
        "reissue_certificate",
        "service",
        _reissue_certificate,
        "Issue a new certificate for the service and load it.",
        seconds=30,
    ),
    Operation(
        "rebuild_indexes", "service", _rebuild_indexes, "Create the indexes of a store that are missing.", seconds=90
    ),
    Operation(
        "spread_partitions",
        "service",
        _spread_partitions,
        "Divide the partitions of a store or broker that are asked for most.",
        seconds=60,
    ),
)
