"""What the responder has seen of an episode, how many steps are left, and how it takes a step."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar

from cloud_incident.evaluation.agents.agent import Decision, choose
from cloud_incident.evaluation.agents.responder.evidence import ObservedPath, parse_call_paths, parse_time
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from datetime import datetime

    from env_core.observation import Observation

_FAILURE_FEEDBACK = ("did not help", "changed nothing", "has not recovered", "nothing of that name")
_EARLY_FEEDBACK = "changed nothing"
T = TypeVar("T")
Play = Generator[Decision, "Observation", T]
"""Work that takes steps: a generator that yields decisions, is sent the observations, and returns a result."""


class Desk:
    """One episode as the responder sees it.

    `seen` is the evidence by action and service, `done` and `in_vain` are the remediations that did and did not take
    effect. `looked_since` says whether anything was looked at since the last repair.
    """

    def __init__(self, shown: Observation) -> None:
        self.shown = shown
        self.seen: dict[tuple[str, str], str] = {}
        self.done: list[tuple[str, str]] = []
        self.in_vain: list[tuple[str, str]] = []
        self.looked_since = False
        self.catch_up(shown)

    def catch_up(self, shown: Observation) -> None:
        """Take in all evidence of an observation, whichever agent asked for it."""
        self.shown = shown
        for action, services in shown["queried_data"].items():
            self.seen.update(((action, service), text) for service, text in services.items())

    def note(self, action: str, target: str) -> bool:
        """Record a remediation, and give whether it took effect."""
        worked = not any(word in self.shown["feedback"] for word in _FAILURE_FEEDBACK)
        self.looked_since &= target.startswith("verify_")
        (self.done if worked else self.in_vain).append((action, target))
        return worked

    @property
    def too_early(self) -> bool:
        """Whether the last step was right but too early."""
        return _EARLY_FEEDBACK in self.shown["feedback"]

    @property
    def alert(self) -> dict[str, Any]:
        """The alert of the episode."""
        return self.shown["alert"]

    @property
    def alerted(self) -> list[str]:
        """The known services that the alert names; if it names none, all services."""
        known = self.shown["known_services"]
        return [name for name in self.alert.get("affected_services", ()) if name in known] or list(known)

    @property
    def fired_at(self) -> datetime:
        """When the alert fired, in UTC."""
        return parse_time(self.alert["fired_at"])

    @property
    def steps_left(self) -> int:
        """How many steps can still be taken before the submission."""
        return self.shown["max_steps"] - self.shown["step_count"] - 1

    def join_evidence(self) -> str:
        """Join all evidence into one text."""
        return "\n".join(self.seen.values())

    def look(self, action: str, service: str, *, again: bool = False) -> Play[str]:
        """Look at evidence, unless it was seen before; empty if no step is left for it. `again` looks in any case."""
        if (again or (action, service) not in self.seen) and self.steps_left > 0:
            self.shown = yield choose(action, service=service)
            self.looked_since = True
            self.seen[action, service] = self.shown["queried_data"].get(action, {}).get(service, "")
        return self.seen.get((action, service), "")

    def look_up_paths(
        self, service: str, *, again: bool = False
    ) -> Play[tuple[list[ObservedPath], list[ObservedPath]]]:
        """Look up what a service calls and what calls it."""
        return parse_call_paths((yield from self.look("check_dependencies", service, again=again)))

    def fix(self, action: str, target: str, **options: int) -> Play[bool]:
        """Make a remediation, unless it was made before or no step is left; give whether it has taken effect."""
        if (action, target) in self.done:
            return True
        if self.steps_left <= 0:
            return False
        self.shown = yield choose(action, **{ACTIONS[action].subject: target}, **options)
        return self.note(action, target)
