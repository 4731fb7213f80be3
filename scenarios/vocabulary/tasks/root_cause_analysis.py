"""root_cause_analysis: where did it start, and how."""

from __future__ import annotations

from scenarios.vocabulary.diagnostics import DIAGNOSTICS
from scenarios.vocabulary.remediations import REMEDIATIONS
from scenarios.vocabulary.submissions import SUBMIT_ROOT_CAUSE
from scenarios.vocabulary.task import RewardTable, Task

ROOT_CAUSE_ANALYSIS = Task(
    id="root_cause_analysis",
    code="RCA",
    tier="medium",
    title="Root cause analysis",
    objective="Find the service where the incident started and say how it failed.",
    way="see evidence on two services or more that establishes the cause, then submit_root_cause.",
    max_steps=10,
    submission=SUBMIT_ROOT_CAUSE,
    actions=(*DIAGNOSTICS.values(), *REMEDIATIONS.values(), SUBMIT_ROOT_CAUSE),
    rewards=RewardTable(
        new_service=400,
        new_query=200,
        repeated_query=-400,
        unknown_service=-600,
        effective_remediation=600,
        wrong_remediation=-1000,
        past_halfway=-200,
        timeout=-1500,
    ),
)
