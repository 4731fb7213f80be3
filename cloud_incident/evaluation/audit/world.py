"""The world that is audited: where the incidents come from, which agents play them, and which rules guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import AGENTS, EXPLOITS
from cloud_incident.evaluation.audit.idle import IdleAgent
from scenarios.catalogue import Catalogue
from scenarios.generator.naive import RULES
from scenarios.laws import Subject
from scenarios.running import list_running
from scenarios.running.incident import RunningIncident

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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

    def list_subjects(self) -> Sequence[Callable[[], Subject]]:
        """List the incidents that run, each to be played up to its first look when it is called."""
        found = {document.incident: name for name, (_, document) in list_running().items()}
        return [partial(self._play, name) for name in found.values()]

    def _play(self, name: str) -> Subject:
        incident = self.make_catalogue().get(name).incident
        if not isinstance(incident, RunningIncident):
            raise TypeError(f"{name} does not run")
        return Subject.of_incident(incident)

    def list_players(self) -> dict[str, Callable[[Seat], Agent]]:
        """List everyone who plays, by name."""
        return {**self.list_agents(), **{name: make for name, (make, _) in self.list_exploits().items()}}
