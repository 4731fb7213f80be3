"""Operations: what remediations and the runbook do to the state of whatever they are applied to, right or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.suggesting import describe_unknown
from scenarios.world.operations import (
    credentials,
    disks,
    flags,
    jobs,
    limits,
    names,
    partners,
    placement,
    queues,
    services,
    settings,
    traffic,
)
from scenarios.world.operations.operation import Operation, OperationError, Order, find_targets
from scenarios.world.operations.services import roll
from scenarios.world.state import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.world.layout import Layout
    from scenarios.world.state import State

__all__ = ["OPERATIONS", "Operation", "OperationError", "Order", "find_targets", "finish_tasks", "order", "roll"]

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for group in (
        services,
        flags,
        placement,
        limits,
        traffic,
        jobs,
        credentials,
        disks,
        queues,
        names,
        settings,
        partners,
    )
    for operation in group.OPERATIONS
}
"""Every operation by its name: that of the remediation or of the line of the runbook."""


def order(layout: Layout, state: State, wanted: Order) -> None:
    """Begin an operation now; it takes effect after its `seconds`.

    Raises:
        OperationError: if the operation or its target does not exist.
    """
    operation = OPERATIONS.get(wanted.operation)
    if operation is None:
        raise OperationError(describe_unknown("operation", wanted.operation, OPERATIONS))
    targets = find_targets(layout, state, operation.target, wanted.system)
    if wanted.target not in targets:
        raise OperationError(describe_unknown(operation.target, wanted.target, list(targets)))
    place = targets[wanted.target]
    if operation.seconds == 0.0:
        _carry_out(layout, state, Task(state.time, operation.name, place, wanted.number))
        return
    for component in operation.find_components(layout, state, place):
        state.note(component, f"{operation.name}_begin", seconds=operation.seconds)
    state.tasks.append(Task(state.time + operation.seconds, operation.name, place, wanted.number))


def finish_tasks(layout: Layout, state: State) -> None:
    """Carry out what is due by now, in the order in which it was begun."""
    due = [task for task in state.tasks if task.due <= state.time]
    if due:
        state.tasks = [task for task in state.tasks if task.due > state.time]
    for task in due:
        if task.operation in placement.STEPS:
            placement.STEPS[task.operation](layout, state, task.place)
        else:
            _carry_out(layout, state, task)


def _carry_out(layout: Layout, state: State, task: Task) -> None:
    operation = OPERATIONS[task.operation]
    if operation.set_to is not None and task.number is not None:
        operation.set_to(layout, state, task.place, task.number)
    else:
        operation.carry_out(layout, state, task.place)
