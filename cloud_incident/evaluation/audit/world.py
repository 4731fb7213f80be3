"""The world that is audited: where the incidents come from, which agents play them, and which rules guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import AGENTS, EXPLOITS
from cloud_incident.evaluation.audit.idle import IdleAgent
from scenarios.catalogue import Catalogue
from scenarios.generator.naive import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_incident.evaluation.agents import Agent, Ceilings, Seat
    from scenarios.generator.salt import Salt
    from scenarios.incident import Incident

IDLE = "idle"
"""The name of the agent that submits nothing."""


@dataclass(frozen=True)
class AuditedWorld:
    """This environment. A subclass may be another one; it must be importable, because it is sent to other processes."""

    salt: Salt | None = field(default=None, repr=False)

    def make_catalogue(self) -> Catalogue:
        """Make a catalogue of the incidents, none of them made yet."""
        return Catalogue((), self.salt)

    def list_agents(self) -> Mapping[str, Callable[[Seat], Agent]]:
        """List the agents that are measured: at least `oracle`, `responder`, `novice`, `random` and `idle`."""
        return {**AGENTS, IDLE: IdleAgent}

    def list_exploits(self) -> Mapping[str, tuple[Callable[[Seat], Agent], Ceilings]]:
        """List the agents that try to score without the work, and the ceilings of each."""
        return EXPLOITS

    def list_rules(self) -> Mapping[str, Callable[[Incident], str]]:
        """List the simple rules by name; each gives the service that it blames."""
        return RULES

    def list_players(self) -> dict[str, Callable[[Seat], Agent]]:
        """List everyone who plays, by name."""
        return {**self.list_agents(), **{name: make for name, (make, _) in self.list_exploits().items()}}
