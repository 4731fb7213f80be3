"""The agents by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.chance import Chance
from cloud_incident.evaluation.agents.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents.agent import Agent, Seat

AGENTS: dict[str, Callable[[Seat], Agent]] = {
    "oracle": Oracle,
    "random": Chance,
}
"""Every agent that needs no setting but its seat."""
