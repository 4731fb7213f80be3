"""Checks that every incident can be made and proved, and that whoever knows it earns the whole score."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.check import Check, CheckGroup, CheckResult, Measurement, require_no_problems
from scenarios.incident import count_fewest_steps
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext
    from scenarios.vocabulary import TaskId

SPARE_STEPS = 3
"""How many steps must be left over when a task is done with as few as possible."""
FEWEST_ITEMS = 2
"""How many items a certificate needs at least, and how many services they must come from."""


class SolvabilityFigures(NamedTuple):
    """The figures of one incident: the oracle's scores, weak certificates, tasks that are too long, steps by task.

    The oracle has no score where its episode failed.
    """

    oracle: dict[TaskId, float | None]
    unproved: list[str]
    long: list[str]
    steps: dict[TaskId, int]


class SolvabilityChecks(CheckGroup[SolvabilityFigures]):
    """Generation, oracle maximum, certificates, lengths."""

    specs = (
        Check("generator.generation", "Every incident of the sample can be made", "none fails"),
        Check("semantic.oracle_max", "Who knows the answer earns the most there is", "1.0 on every scenario"),
        Check(
            "generator.certificates",
            "Root cause and repair have certificates: sets of evidence from which the cause follows",
            f"one or more each, of {FEWEST_ITEMS} items or more on {FEWEST_ITEMS} services or more",
        ),
        Check(
            "generator.plan_length",
            "Evidence, plan, a look at the recovery and the answer fit into the steps",
            f"{SPARE_STEPS} steps to spare or more",
        ),
    )

    def measure(self, case: Case) -> SolvabilityFigures:
        incident = case.incident
        steps = {task_id: count_fewest_steps(incident, TASKS[task_id]) for task_id in case.scenarios}
        return SolvabilityFigures(
            {task_id: case.play("oracle", task_id)["score"] for task_id in case.scenarios},
            [finding for task_id in case.scenarios for finding in _find_weak_certificates(case, task_id)],
            [
                f"{scenario.id}: {steps[task_id]} of {scenario.task.max_steps} steps"
                for task_id, scenario in case.scenarios.items()
                if scenario.task.remediates and steps[task_id] > scenario.task.max_steps - SPARE_STEPS
            ],
            steps,
        )

    def judge(self, found: Sequence[Measurement[SolvabilityFigures]], context: AuditContext) -> Iterator[CheckResult]:
        made, oracle, proved, length = self.specs
        yield require_no_problems(made, context.broken, len(found) + len(context.broken))
        scores = [(name, task_id, score) for _, name, value in found for task_id, score in value.oracle.items()]
        low = [
            f"{name}, {task_id}: {'it failed' if score is None else f'{score:.4f}'}"
            for name, task_id, score in scores
            if score != 1.0
        ]
        least = min((score for *_, score in scores if score is not None), default=0.0)
        yield require_no_problems(oracle, low, len(scores), "scenarios", {"least": least})
        yield require_no_problems(
            proved, [finding for measurement in found for finding in measurement.value.unproved], len(found)
        )
        longest: dict[str, float | int | str] = {
            f"most steps, {task_id}": max((measurement.value.steps[task_id] for measurement in found), default=0)
            for task_id in context.sample.tasks
            if TASKS[task_id].remediates
        }
        yield require_no_problems(
            length,
            [finding for measurement in found for finding in measurement.value.long],
            len(found),
            measured=longest,
        )


def _find_weak_certificates(case: Case, task_id: TaskId) -> Iterator[str]:
    if not TASKS[task_id].remediates:
        return
    certificates = case.incident.certificates(task_id)
    if not certificates:
        yield f"{case.name}, {task_id}: no certificate"
    for certificate in certificates:
        if len(certificate) < FEWEST_ITEMS or len({service for _, service in certificate}) < FEWEST_ITEMS:
            yield f"{case.name}, {task_id}: {sorted(certificate)} is too small"
            return
