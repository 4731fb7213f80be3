"""restart_service: restart every instance of one service."""

from __future__ import annotations

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import OnService

RESTART_SERVICE = Remediation(
    name="restart_service",
    title="Restart service",
    description="Restart every instance of one service. A premature restart can make things worse.",
    parameters=OnService,
    deed="restarted {target}",
)
