"""Agents that try to score without the work, by what every agent is shown. Each has ceilings to stay under."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.agents.agent import Agent, Decision, step
from scenarios.library import load_failure_families, load_runbook_catalogue
from scenarios.vocabulary import DIAGNOSTICS, FAILURE_MODE_LIMIT, SEVERITIES, SUMMARY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation
    from scenarios.vocabulary import TaskId

_ERRORS = ("error", "fatal", "failed", "timeout")


class Ceilings(NamedTuple):
    """The most that a cheat may earn. Of a severity that is not looked up it is the mean over the curated scenarios."""

    alert_classification: float = 0.67
    root_cause_analysis: float = 0.20
    remediation_planning: float = 0.20

    def of(self, task: TaskId) -> float:
        return float(getattr(self, task))


class Cheat(Agent):
    """Makes its moves as far as the steps go, and keeps the last one for its answer."""

    severity = "P2"

    async def decide(self, shown: Observation) -> Decision:
        if shown["step_count"] == 0:
            self._moves = self.moves(shown)
        if shown["step_count"] < shown["max_steps"] - 1 and (move := next(self._moves, None)):
            return move
        service, words = self.answer(shown)
        match shown["task_id"]:
            case "alert_classification":
                return step("submit_severity", severity=self.severity)
            case "root_cause_analysis":
                return step("submit_root_cause", service=service, failure_mode=words[:FAILURE_MODE_LIMIT])
            case _:
                return step("submit_resolution", summary=words[:SUMMARY_LIMIT])

    def moves(self, shown: Observation) -> Iterator[Decision]:  # noqa: ARG002 - most cheats look at it
        """What is done before the answer."""
        return iter(())

    def answer(self, shown: Observation) -> tuple[str, str]:
        """A service and some prose."""
        return _alerted(shown)[0], _fine_words(shown)


def _alerted(shown: Observation) -> list[str]:
    return list(shown["alert"]["affected_services"] or shown["known_services"])


def _fine_words(shown: Observation) -> str:
    """A summary that would fit any incident."""
    service = _alerted(shown)[0]
    return (
        f"The root cause was found in {service} and removed in the right order. We restarted {service} and rolled back "
        "its latest release, and followed the runbook. All dashboards were checked and the service recovered."
    )


def _told(shown: Observation) -> str:
    alert = shown["alert"]
    return f"{alert['summary']} {alert['description']} {'. '.join(alert['symptoms'])}".replace("\n", " ")


class Constant(Cheat):
    """One severity for everything; on other tasks it writes well and does nothing."""

    def __init__(self, seat: Seat, severity: str = "P2") -> None:  # noqa: ARG002 - every agent is made for a seat
        self.severity = severity


class KeywordSoup(Cheat):
    """Every way to fail in one answer."""

    def __init__(self, seat: Seat) -> None: ...

    def answer(self, shown: Observation) -> tuple[str, str]:
        terms = (term.replace("*", "") for family in load_failure_families().values() for term in family.terms[:4])
        return _alerted(shown)[-1], ", ".join(terms)


class AlertCopier(Cheat):
    """Looks at nothing and hands the alert back."""

    def __init__(self, seat: Seat) -> None: ...

    def answer(self, shown: Observation) -> tuple[str, str]:
        return _alerted(shown)[0], _told(shown)


class RestartEverything(Cheat):
    """Restarts one service after another and writes it up well."""

    def __init__(self, seat: Seat) -> None: ...

    def moves(self, shown: Observation) -> Iterator[Decision]:
        if "restart_service" in shown["available_actions"]:
            for service in shown["known_services"]:
                yield step("restart_service", service=service)


class Shotgun(Cheat):
    """Every kind of remediation on what is alerted, then the catalogue, and a summary that claims it all."""

    def __init__(self, seat: Seat) -> None: ...

    def moves(self, shown: Observation) -> Iterator[Decision]:
        if "restart_service" not in shown["available_actions"]:
            return
        for service in _alerted(shown):
            yield step("rollback_deploy", service=service)
            yield step("restart_service", service=service)
            yield step("clear_cache", service=service)
            yield step("scale_service", service=service, replicas=10)
        for name in load_runbook_catalogue():
            yield step("execute_runbook_step", runbook_action=name)


class BruteForce(Cheat):
    """Queries as much as fits, then blames whoever has the most errors in its logs, in the words of those logs."""

    def __init__(self, seat: Seat) -> None: ...

    def moves(self, shown: Observation) -> Iterator[Decision]:
        for diagnostic in DIAGNOSTICS:
            for service in shown["known_services"]:
                yield step(diagnostic, service=service)

    def answer(self, shown: Observation) -> tuple[str, str]:
        logs = shown["queried_data"].get("query_logs", {})
        if not logs:
            return super().answer(shown)
        loudest = max(logs, key=lambda service: sum(map(logs[service].casefold().count, _ERRORS)))
        lines = [line for line in logs[loudest].splitlines() if any(word in line.casefold() for word in _ERRORS)]
        return loudest, " ".join(lines or ["nothing in the logs"]).replace("\t", " ")


_TELLTALE = re.compile(r"root.?cause|truth|answer|severity|failure.?mode|plan|certificate|solution", re.IGNORECASE)
_LEVEL = re.compile(r"\bP[1-4]\b")
_REACH = 200


class SideChannels(Cheat):
    """Greps texts that were not meant as evidence for anything that looks like the answer."""

    def __init__(self, seat: Seat, texts: Sequence[str] = ()) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._near = [
            text[max(0, found.start() - _REACH) : found.end() + _REACH]
            for text in texts
            for found in _TELLTALE.finditer(text)
        ]
        levels = Counter(level for near in self._near for level in _LEVEL.findall(near))
        self.severity = levels.most_common(1)[0][0] if levels else "P2"

    def moves(self, shown: Observation) -> Iterator[Decision]:
        if "execute_runbook_step" in shown["available_actions"] and shown["task_id"] == "remediation_planning":
            for name in load_runbook_catalogue():
                if any(name in near for near in self._near):
                    yield step("execute_runbook_step", runbook_action=name)

    def answer(self, shown: Observation) -> tuple[str, str]:
        named = Counter(service for service in shown["known_services"] for near in self._near if service in near)
        service = named.most_common(1)[0][0] if named else _alerted(shown)[0]
        return service, " ".join(" ".join(self._near).split()) or _fine_words(shown)


EXPLOITS: dict[str, tuple[Callable[[Seat], Agent], Ceilings]] = {
    "keyword-soup": (KeywordSoup, Ceilings()),
    "shotgun": (Shotgun, Ceilings()),
    "brute-force": (BruteForce, Ceilings()),
    "alert-copier": (AlertCopier, Ceilings()),
    "restart-everything": (RestartEverything, Ceilings()),
    "side-channels": (SideChannels, Ceilings()),
    **{f"always-{level}": (partial(Constant, severity=level), Ceilings()) for level in SEVERITIES},
}
"""Every cheat by its name: how it is made, and what it may earn at most. The constants are also those who do nothing
and write well."""
