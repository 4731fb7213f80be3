"""Operations: what a remediation does to the state of whatever it is applied to. Each acts, right or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.errors import CloudIncidentError
from scenarios.suggesting import describe_unknown
from scenarios.world.state import RUNNING, Rollout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.world.layout import Layout
    from scenarios.world.state import State


class OperationError(CloudIncidentError):
    """An operation that cannot be carried out: it or its target does not exist. Nothing was done."""

    code = "invalid_action"


class Order(NamedTuple):
    """An operation as it is asked for. `target` is a component or a flag, as the operation has it."""

    operation: str
    target: str


def order(layout: Layout, state: State, wanted: Order) -> None:
    """Carry out an operation now.

    Raises:
        OperationError: if the operation or its target does not exist.
    """
    carry_out = OPERATIONS.get(wanted.operation)
    if carry_out is None:
        raise OperationError(describe_unknown("operation", wanted.operation, OPERATIONS))
    carry_out(layout, state, wanted.target)


def _find_component(layout: Layout, target: str) -> int:
    if target not in layout.component_names:
        raise OperationError(describe_unknown("service", target, layout.component_names))
    return layout.component_names.index(target)


def _restart_service(layout: Layout, state: State, target: str) -> None:
    component = _find_component(layout, target)
    roll(layout, state, component, None)
    state.note(component, "restart")


def _rollback_deploy(layout: Layout, state: State, target: str) -> None:
    component = _find_component(layout, target)
    newest = int(np.max(state.release[layout.instance_component == component]))
    if newest == 0:
        state.note(component, "rollback_refused", version=layout.components[component].releases[0].version)
        return
    roll(layout, state, component, newest - 1)
    state.note(component, "rollback", version=layout.components[component].releases[newest - 1].version)


def _disable_feature_flag(_: Layout, state: State, target: str) -> None:
    owners = [component for component, flag in state.flags if flag == target]
    if not owners:
        raise OperationError(describe_unknown("flag", target, sorted({flag for _, flag in state.flags})))
    for component in owners:
        if state.flags[component, target]:
            state.flags[component, target] = False
            state.note(component, "flag", flag=target, value="false")


def roll(layout: Layout, state: State, component: int, release: int | None) -> None:
    """Restart the instances of a component one by one; those that do not run come first."""
    state.rollouts = [rollout for rollout in state.rollouts if rollout.component != component]
    instances = np.nonzero((layout.instance_component == component) & state.wanted)[0].tolist()
    instances.sort(key=lambda instance: (state.phase[instance] == RUNNING, instance))
    state.rollouts.append(Rollout(component, instances, release))


OPERATIONS: Mapping[str, Callable[[Layout, State, str], None]] = {
    "restart_service": _restart_service,
    "rollback_deploy": _rollback_deploy,
    "disable_feature_flag": _disable_feature_flag,
}
"""Every operation by its name: that of the remediation."""
