"""The result of the search for the cause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.failures import UNKNOWN, FailureSigns

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.conditions import KnownCondition
    from cloud_incident.evaluation.agents.responder.evidence import ChangeEntry


@dataclass
class Findings:
    """The result of the search so far.

    `victim` is a service that suffers, `broken` the service at the end of the failing calls, `root` the service where
    the incident started, `change` the change that started it. `suspects` are the services whose changes are worth a
    look, the likeliest first; `outsiders` are the suspects that suffer although the alert does not name them.
    `condition` is what is wrong with `root`, if its own evidence tells. `walked` are the services on the way from the
    alert to `broken`.
    """

    victim: str
    broken: str
    root: str = ""
    failure: FailureSigns = UNKNOWN
    change: ChangeEntry | None = None
    suspects: list[str] = field(default_factory=list)
    outsiders: set[str] = field(default_factory=set)
    condition: KnownCondition | None = None
    walked: list[str] = field(default_factory=list)
