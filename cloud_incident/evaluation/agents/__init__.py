"""The agents by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.chance import Chance
from cloud_incident.evaluation.agents.cheats import EXPLOITS
from cloud_incident.evaluation.agents.novice import Novice
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.agents.responder import Responder

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents.agent import Agent, Seat

__all__ = ["AGENTS", "EXPLOITS"]

AGENTS: dict[str, Callable[[Seat], Agent]] = {
    "responder": Responder,
    "novice": Novice,
    "random": Chance,
    "oracle": Oracle,
}
"""Every agent that needs no setting but its seat, the one to be shown first in front; the last knows the truth."""
