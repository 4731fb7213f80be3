"""The three tasks: limits, submissions and the reward table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from scenarios.actions import VOCABULARY, Kind, actions_of

TaskId = Literal["alert_classification", "root_cause_analysis", "remediation_planning"]

POINT = 10_000
"""Rewards and scores are integers of 1/10,000 inside, so that sums are exact, and floats of four decimals outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTable:
    """What each event of a step earns, in units of 1/`POINT`."""

    new_service: int
    new_query: int
    repeated_query: int
    unknown_service: int
    effective_remediation: int
    wrong_remediation: int
    foreign_submission: int
    past_halfway: int
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: what is asked, in how many steps, and which submission ends it."""

    id: TaskId
    tier: Literal["easy", "medium", "hard"]
    title: str
    objective: str
    max_steps: int
    submission: str
    remediates: bool
    rewards: RewardTable

    @property
    def available_actions(self) -> list[str]:
        """The actions that this task lists, in declared order."""
        return list(_available(self.remediates, self.submission, len(VOCABULARY)))


@lru_cache
def _available(remediates: bool, submission: str, _declared: int) -> tuple[str, ...]:
    """Every observation lists the actions; they are put together once for a vocabulary of this many actions."""
    remediations = actions_of(Kind.REMEDIATION) if remediates else []
    return (*actions_of(Kind.DIAGNOSTIC), *remediations, submission)


TASKS: dict[TaskId, Task] = {
    task.id: task
    for task in (
        Task(
            id="alert_classification",
            tier="easy",
            title="Alert classification",
            objective="Classify the alert's severity, P1 to P4, by its real impact on users and revenue.",
            max_steps=3,
            submission="submit_severity",
            remediates=False,
            rewards=RewardTable(
                new_service=400,
                new_query=200,
                repeated_query=-300,
                unknown_service=-600,
                effective_remediation=0,
                wrong_remediation=-800,
                foreign_submission=-800,
                past_halfway=-400,
                timeout=-1500,
            ),
        ),
        Task(
            id="root_cause_analysis",
            tier="medium",
            title="Root cause analysis",
            objective="Find the service where the incident started and say how it failed.",
            max_steps=10,
            submission="submit_root_cause",
            remediates=True,
            rewards=RewardTable(
                new_service=400,
                new_query=200,
                repeated_query=-400,
                unknown_service=-600,
                effective_remediation=600,
                wrong_remediation=-1000,
                foreign_submission=-1000,
                past_halfway=-200,
                timeout=-1500,
            ),
        ),
        Task(
            id="remediation_planning",
            tier="hard",
            title="Remediation planning",
            objective="Find the root cause, fix it in the right order, verify the recovery and write it up.",
            max_steps=15,
            submission="submit_resolution",
            remediates=True,
            rewards=RewardTable(
                new_service=300,
                new_query=100,
                repeated_query=-300,
                unknown_service=-500,
                effective_remediation=600,
                wrong_remediation=-1500,
                foreign_submission=-1200,
                past_halfway=-200,
                timeout=-2000,
            ),
        ),
    )
}

SEVERITY_MATRIX: tuple[tuple[str, str, str], ...] = (
    (
        "P1",
        "Critical",
        "A core journey (sign-in, checkout, payment) fails for most users, or data or large revenue is being lost now.",
    ),
    (
        "P2",
        "Major",
        "A core journey is degraded or fails for a part of the users, or a major function is slow or down; "
        "most revenue still flows.",
    ),
    (
        "P3",
        "Minor",
        "A secondary feature fails or falls back gracefully; core journeys and revenue are untouched.",
    ),
    ("P4", "Negligible", "Cosmetic, internal only, or no effect on users at all."),
)
"""Severity, name and criterion, as the on-call guide prints them."""
