"""What a search for the cause has found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.responder.failures import UNKNOWN, Failure

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.conditions import Condition
    from cloud_incident.evaluation.agents.responder.evidence import Change


@dataclass
class Findings:
    """What the search has found.

    `victim` suffers, `broken` is the service at the end of the failing calls, `root` is where it started, `change` what
    started it, `suspects` are the services whose changes are worth a look, the likeliest first, `outsiders` those of
    them that suffer without being alerted. `condition` is what is wrong with `root`, where its own evidence tells;
    `walked` are the services on the way from the alert to `broken`.
    """

    victim: str
    broken: str
    root: str = ""
    failure: Failure = UNKNOWN
    change: Change | None = None
    suspects: list[str] = field(default_factory=list)
    outsiders: set[str] = field(default_factory=set)
    condition: Condition | None = None
    walked: list[str] = field(default_factory=list)
