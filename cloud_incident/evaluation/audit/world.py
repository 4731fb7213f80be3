"""What is audited: where the incidents come from, who plays them, and who tries to guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import AGENTS, EXPLOITS
from cloud_incident.evaluation.audit.idle import Idle
from scenarios.catalogue import Catalogue
from scenarios.generator.naive import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_incident.evaluation.agents.agent import Agent, Seat
    from cloud_incident.evaluation.agents.cheats import Ceilings
    from scenarios.generator.salt import Salt
    from scenarios.incident import Incident

IDLE = "idle"


@dataclass(frozen=True)
class World:
    """This environment. Another one is a subclass; it is sent to other processes, so it stands in a module."""

    salt: Salt | None = field(default=None, repr=False)

    def catalogue(self) -> Catalogue:
        """The incidents, none of them made yet."""
        return Catalogue((), self.salt)

    def agents(self) -> Mapping[str, Callable[[Seat], Agent]]:
        """The agents that are measured: `oracle`, `responder`, `random`, and `idle`, which submits nothing."""
        return {**AGENTS, IDLE: Idle}

    def exploits(self) -> Mapping[str, tuple[Callable[[Seat], Agent], Ceilings]]:
        """Who tries to score without the work, and what each may earn."""
        return EXPLOITS

    def rules(self) -> Mapping[str, Callable[[Incident], str]]:
        """Naive rule → the service that it names."""
        return RULES

    def players(self) -> dict[str, Callable[[Seat], Agent]]:
        """Everyone who plays, by name."""
        return {**self.agents(), **{name: make for name, (make, _) in self.exploits().items()}}
