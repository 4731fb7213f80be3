"""Is every incident made, provable, and worth the whole score to who knows it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.check import Check, Found, Group, Spec, none_of
from scenarios.incident import count_fewest_steps
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context
    from scenarios.vocabulary import TaskId

SPARE_STEPS = 3
"""Steps that are left over when a task is done with as few as can be, at the least."""
FEWEST_ITEMS = 2
"""Items of a certificate, and services that they are of, at the least."""


class Solved(NamedTuple):
    """Of one incident: the oracle's scores, what is wrong with its certificates, and the tasks that are too long."""

    oracle: dict[TaskId, float]
    unproved: list[str]
    long: list[str]
    steps: dict[TaskId, int]


class Solving(Group[Solved]):
    """Generation, oracle maximum, certificates, lengths."""

    specs = (
        Spec("generator.generation", "Every incident of the sample can be made", "none fails"),
        Spec("semantic.oracle_max", "Who knows the answer earns the most there is", "1.0 on every scenario"),
        Spec(
            "generator.certificates",
            "Root cause and repair have certificates: sets of evidence from which the cause follows",
            f"one or more each, of {FEWEST_ITEMS} items or more on {FEWEST_ITEMS} services or more",
        ),
        Spec(
            "generator.plan_length",
            "Evidence, plan, a look at the recovery and the answer fit into the steps",
            f"{SPARE_STEPS} steps to spare or more",
        ),
    )

    def measure(self, case: Case) -> Solved:
        incident = case.incident
        steps = {task_id: count_fewest_steps(incident, TASKS[task_id]) for task_id in case.scenarios}
        return Solved(
            {task_id: case.played("oracle", task_id)["score"] for task_id in case.scenarios},
            [finding for task_id in case.scenarios for finding in _unproved(case, task_id)],
            [
                f"{scenario.id}: {steps[task_id]} of {scenario.task.max_steps} steps"
                for task_id, scenario in case.scenarios.items()
                if scenario.task.remediates and steps[task_id] > scenario.task.max_steps - SPARE_STEPS
            ],
            steps,
        )

    def judge(self, found: Sequence[Found[Solved]], context: Context) -> Iterator[Check]:
        made, oracle, proved, length = self.specs
        yield none_of(made, context.broken, len(found) + len(context.broken))
        scores = [(one.name, task_id, score) for one in found for task_id, score in one.value.oracle.items()]
        low = [f"{name}, {task_id}: {score:.4f}" for name, task_id, score in scores if score != 1.0]
        yield none_of(
            oracle, low, len(scores), "scenarios", {"least": min((score for *_, score in scores), default=0.0)}
        )
        yield none_of(proved, [finding for one in found for finding in one.value.unproved], len(found))
        longest: dict[str, float | int | str] = {
            f"most steps, {task_id}": max((one.value.steps[task_id] for one in found), default=0)
            for task_id in context.sample.tasks
            if TASKS[task_id].remediates
        }
        yield none_of(length, [finding for one in found for finding in one.value.long], len(found), measured=longest)


def _unproved(case: Case, task_id: TaskId) -> Iterator[str]:
    if not TASKS[task_id].remediates:
        return
    certificates = case.incident.certificates(task_id)
    if not certificates:
        yield f"{case.name}, {task_id}: no certificate"
    for one in certificates:
        if len(one) < FEWEST_ITEMS or len({service for _, service in one}) < FEWEST_ITEMS:
            yield f"{case.name}, {task_id}: {sorted(one)} is too small"
            return
