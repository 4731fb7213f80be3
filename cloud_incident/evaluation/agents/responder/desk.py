"""The responder's desk: what has been seen, how many steps are left, and how to take one."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar

from cloud_incident.evaluation.agents.agent import Decision, step
from cloud_incident.evaluation.agents.responder.evidence import Path, call_paths, moment
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from datetime import datetime

    from env_core.observation import Observation

_IN_VAIN = ("did not help", "nothing is better", "does not show a recovery", "Nothing to act on")
_EARLY = "nothing is better"
T = TypeVar("T")
Play = Generator[Decision, "Observation", T]
"""Work that takes steps: it yields decisions, is sent the observations after them, and returns what came of it."""


class Desk:
    """One episode as the responder sees it.

    `looked_since` says whether anything was looked at since the last repair.
    """

    def __init__(self, shown: Observation) -> None:
        self.shown = shown
        self.seen: dict[tuple[str, str], str] = {}
        self.done: list[tuple[str, str]] = []
        self.in_vain: list[tuple[str, str]] = []
        self.looked_since = False
        self.catch_up(shown)

    def catch_up(self, shown: Observation) -> None:
        """Take in all evidence that is shown, whoever asked for it."""
        self.shown = shown
        for action, services in shown["queried_data"].items():
            self.seen.update(((action, service), text) for service, text in services.items())

    def note(self, action: str, target: str) -> bool:
        """Write a remediation down; whether it took effect."""
        worked = not any(word in self.shown["feedback"] for word in _IN_VAIN)
        self.looked_since &= target.startswith("verify_")
        (self.done if worked else self.in_vain).append((action, target))
        return worked

    @property
    def too_early(self) -> bool:
        """Whether the last step was right and came before its time."""
        return _EARLY in self.shown["feedback"]

    @property
    def alert(self) -> dict[str, Any]:
        return self.shown["alert"]

    @property
    def alerted(self) -> list[str]:
        """The services of the alert that exist; if it names none, all of them."""
        known = self.shown["known_services"]
        return [name for name in self.alert.get("affected_services", ()) if name in known] or list(known)

    @property
    def fired_at(self) -> datetime:
        return moment(self.alert["fired_at"])

    @property
    def left(self) -> int:
        """Steps that can be taken before the submission."""
        return self.shown["max_steps"] - self.shown["step_count"] - 1

    def everything(self) -> str:
        """All evidence in one text."""
        return "\n".join(self.seen.values())

    def look(self, action: str, service: str, *, again: bool = False) -> Play[str]:
        """The evidence; empty when it was not seen before and no step is left for it."""
        if (again or (action, service) not in self.seen) and self.left > 0:
            self.shown = yield step(action, service=service)
            self.looked_since = True
            self.seen[action, service] = self.shown["queried_data"].get(action, {}).get(service, "")
        return self.seen.get((action, service), "")

    def paths(self, service: str, *, again: bool = False) -> Play[tuple[list[Path], list[Path]]]:
        """What a service calls and what calls it."""
        return call_paths((yield from self.look("check_dependencies", service, again=again)))

    def fix(self, action: str, target: str, **options: int) -> Play[bool]:
        """Make a remediation, unless it was made or no step is left; whether it has taken effect."""
        if (action, target) in self.done:
            return True
        if self.left <= 0:
            return False
        self.shown = yield step(action, **{ACTIONS[action].subject: target}, **options)
        return self.note(action, target)
