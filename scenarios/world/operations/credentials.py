"""Operations on who may call whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _rotate_secret(_: Layout, state: State, component: int) -> None:
    """A service accepts a new secret and no other; callers get it when they start."""
    version = state.credentials.rotate(component)
    state.note(component, "rotate_secret", version=version)


def _publish_secret(_: Layout, state: State, component: int) -> None:
    """Hand out the secret that a service accepts; callers get it when they start."""
    known = state.credentials.issued[component]
    version = state.credentials.publish(component)
    state.note(component, "publish_secret_refused" if known == version else "publish_secret", version=version)


def _revert_policy(layout: Layout, state: State, component: int) -> None:
    """Take back what was decided about who may call a service: everybody may who could at the start."""
    into = layout.route_component[layout.call_target] == component
    changed = int(np.count_nonzero((state.denied[into] > 0.0) | (state.loss[into] > 0.0)))
    state.denied[into] = state.loss[into] = 0.0
    state.note(component, "revert_policy", changed=changed)


OPERATIONS = (
    Operation(
        "rotate_secret",
        "service",
        _rotate_secret,
        "Make the service accept a new secret and no other; callers read it when they start.",
        seconds=10,
        disruptive=True,
    ),
    Operation(
        "publish_secret",
        "service",
        _publish_secret,
        "Hand out the secret that the service accepts; callers read it when they start.",
        seconds=10,
    ),
    Operation(
        "revert_policy",
        "service",
        _revert_policy,
        "Take back what was decided about who may call the service.",
        seconds=10,
    ),
)
