"""alert_classification: how severe is it."""

from __future__ import annotations

from scenarios.vocabulary.diagnostics import DIAGNOSTICS
from scenarios.vocabulary.submissions import SUBMIT_SEVERITY
from scenarios.vocabulary.task import RewardTable, Task

ALERT_CLASSIFICATION = Task(
    id="alert_classification",
    code="AC",
    tier="easy",
    title="Alert classification",
    objective="Classify the alert's severity, P1 to P4, by its real impact on users and revenue.",
    way="submit_severity (P1-P4) by real effect on users and revenue, not by the alert's label.",
    max_steps=3,
    submission=SUBMIT_SEVERITY,
    actions=(*DIAGNOSTICS.values(), SUBMIT_SEVERITY),
    rewards=RewardTable(
        new_service=400,
        new_query=200,
        repeated_query=-300,
        unknown_service=-600,
        effective_remediation=0,
        wrong_remediation=-800,
        past_halfway=-400,
        timeout=-1500,
    ),
    asks_evidence=False,
)
