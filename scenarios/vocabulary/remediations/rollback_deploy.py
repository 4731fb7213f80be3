"""rollback_deploy: go back to the state before the latest change of one service."""

from __future__ import annotations

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import OnService

ROLLBACK_DEPLOY = Remediation(
    name="rollback_deploy",
    title="Roll back deploy",
    description="Roll one service back to the release or configuration before its latest change.",
    parameters=OnService,
    deed="rolled back {target}",
)
