"""remediation_planning: find it, fix it, verify it, write it up."""

from __future__ import annotations

from scenarios.vocabulary.diagnostics import DIAGNOSTICS
from scenarios.vocabulary.remediations import REMEDIATIONS
from scenarios.vocabulary.submissions import SUBMIT_RESOLUTION
from scenarios.vocabulary.task import RewardTable, Task

REMEDIATION_PLANNING = Task(
    id="remediation_planning",
    code="RP",
    tier="hard",
    title="Remediation planning",
    objective="Find the root cause, fix it in the right order, verify the recovery and write it up.",
    way="establish the cause, repair it, then what it broke, in order; look at a diagnostic to see the recovery, run "
    "the verifications if the runbook lists any, then submit_resolution with three sentences or more.",
    max_steps=15,
    submission=SUBMIT_RESOLUTION,
    actions=(*DIAGNOSTICS.values(), *REMEDIATIONS.values(), SUBMIT_RESOLUTION),
    rewards=RewardTable(
        new_service=300,
        new_query=100,
        repeated_query=-300,
        unknown_service=-500,
        effective_remediation=600,
        wrong_remediation=-1500,
        past_halfway=-200,
        timeout=-2000,
    ),
    asks_repair=True,
)
