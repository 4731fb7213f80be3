"""Agents that try to score without doing the work. They see what all agents see. Each must stay under its ceilings."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.agents.agent import Agent, Decision, choose, list_alerted, submit
from scenarios.library import load_failure_families, load_runbook_catalogue
from scenarios.vocabulary import DIAGNOSTICS, FAILURE_MODE_LIMIT, SEVERITIES, SUMMARY_LIMIT, TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation
    from scenarios.vocabulary import TaskId

_ERRORS = ("error", "fatal", "failed", "timeout")


class Ceilings(NamedTuple):
    """The highest score that a cheat may earn, 0.0 to 1.0: in tasks that ask for evidence, and in those that do not.

    A constant answer to a task that asks for no evidence is sometimes right, so that ceiling holds for the mean over
    the curated scenarios.
    """

    with_evidence: float = 0.20
    without_evidence: float = 0.67

    def get(self, task: TaskId) -> float:
        """Get the ceiling of a task."""
        return self.with_evidence if TASKS[task].asks_evidence else self.without_evidence


class CheatingAgent(Agent):
    """Makes its moves while it has more than one step left, and submits its answer with the last one."""

    severity = "P2"

    def __init__(self, seat: Seat) -> None: ...

    async def decide(self, shown: Observation) -> Decision:
        if shown["step_count"] == 0:
            self._moves = self.plan_moves(shown)
        if shown["step_count"] < shown["max_steps"] - 1 and (move := next(self._moves, None)):
            return move
        service, words = self.write_answer(shown)
        return submit(
            shown["task_id"],
            severity=self.severity,
            service=service,
            failure_mode=words[:FAILURE_MODE_LIMIT],
            summary=words[:SUMMARY_LIMIT],
        )

    def plan_moves(self, shown: Observation) -> Iterator[Decision]:  # noqa: ARG002 - most cheats look at it
        """Plan the moves before the answer."""
        return iter(())

    def write_answer(self, shown: Observation) -> tuple[str, str]:
        """Write the answer: a service and some prose."""
        return list_alerted(shown)[0], _write_generic_summary(shown)


def _write_generic_summary(shown: Observation) -> str:
    """Write a summary that fits any incident."""
    service = list_alerted(shown)[0]
    return (
        f"The root cause was found in {service} and removed in the right order. We restarted {service} and rolled back "
        "its latest release, and followed the runbook. All dashboards were checked and the service recovered."
    )


def _quote_alert(shown: Observation) -> str:
    alert = shown["alert"]
    return f"{alert['summary']} {alert['description']} {'. '.join(alert['symptoms'])}".replace("\n", " ")


class ConstantAnswer(CheatingAgent):
    """One severity for everything; on other tasks it writes well and does nothing."""

    def __init__(self, seat: Seat, severity: str = "P2") -> None:  # noqa: ARG002 - every agent is made for a seat
        self.severity = severity


class KeywordSoup(CheatingAgent):
    """Every way to fail in one answer."""

    def write_answer(self, shown: Observation) -> tuple[str, str]:
        terms = (term.replace("*", "") for family in load_failure_families().values() for term in family.terms[:4])
        return list_alerted(shown)[-1], ", ".join(terms)


class AlertCopier(CheatingAgent):
    """Looks at nothing and hands the alert back."""

    def write_answer(self, shown: Observation) -> tuple[str, str]:
        return list_alerted(shown)[0], _quote_alert(shown)


class RestartEverything(CheatingAgent):
    """Restarts one service after another and writes it up well."""

    def plan_moves(self, shown: Observation) -> Iterator[Decision]:
        if "restart_service" in shown["available_actions"]:
            for service in shown["known_services"]:
                yield choose("restart_service", service=service)


class Shotgun(CheatingAgent):
    """Every kind of remediation on what is alerted, then the catalogue, and a summary that claims it all."""

    def plan_moves(self, shown: Observation) -> Iterator[Decision]:
        if "restart_service" not in shown["available_actions"]:
            return
        for service in list_alerted(shown):
            yield choose("rollback_deploy", service=service)
            yield choose("restart_service", service=service)
            yield choose("clear_cache", service=service)
            yield choose("scale_service", service=service, replicas=10)
        for name in load_runbook_catalogue():
            yield choose("execute_runbook_step", runbook_action=name)


class BruteForce(CheatingAgent):
    """Queries as much as fits, then blames whoever has the most errors in its logs, in the words of those logs."""

    def plan_moves(self, shown: Observation) -> Iterator[Decision]:
        for diagnostic in DIAGNOSTICS:
            for service in shown["known_services"]:
                yield choose(diagnostic, service=service)

    def write_answer(self, shown: Observation) -> tuple[str, str]:
        logs = shown["queried_data"].get("query_logs", {})
        if not logs:
            return super().write_answer(shown)
        loudest = max(logs, key=lambda service: sum(map(logs[service].casefold().count, _ERRORS)))
        lines = [line for line in logs[loudest].splitlines() if any(word in line.casefold() for word in _ERRORS)]
        return loudest, " ".join(lines or ["nothing in the logs"]).replace("\t", " ")


_TELLTALE = re.compile(r"root.?cause|truth|answer|severity|failure.?mode|plan|certificate|solution", re.IGNORECASE)
_LEVEL = re.compile(r"\bP[1-4]\b")
_REACH = 200


class SideChannels(CheatingAgent):
    """Greps texts that were not meant as evidence for anything that looks like the answer."""

    def __init__(self, seat: Seat, texts: Sequence[str] = ()) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._near = [
            text[max(0, found.start() - _REACH) : found.end() + _REACH]
            for text in texts
            for found in _TELLTALE.finditer(text)
        ]
        levels = Counter(level for near in self._near for level in _LEVEL.findall(near))
        self.severity = levels.most_common(1)[0][0] if levels else "P2"

    def plan_moves(self, shown: Observation) -> Iterator[Decision]:
        if "execute_runbook_step" in shown["available_actions"] and TASKS[shown["task_id"]].asks_repair:
            for name in load_runbook_catalogue():
                if any(name in near for near in self._near):
                    yield choose("execute_runbook_step", runbook_action=name)

    def write_answer(self, shown: Observation) -> tuple[str, str]:
        named = Counter(service for service in shown["known_services"] for near in self._near if service in near)
        service = named.most_common(1)[0][0] if named else list_alerted(shown)[0]
        return service, " ".join(" ".join(self._near).split()) or _write_generic_summary(shown)


EXPLOITS: dict[str, tuple[Callable[[Seat], Agent], Ceilings]] = {
    "keyword-soup": (KeywordSoup, Ceilings()),
    "shotgun": (Shotgun, Ceilings()),
    "brute-force": (BruteForce, Ceilings()),
    "alert-copier": (AlertCopier, Ceilings()),
    "restart-everything": (RestartEverything, Ceilings()),
    "side-channels": (SideChannels, Ceilings()),
    **{f"always-{level}": (partial(ConstantAnswer, severity=level), Ceilings()) for level in SEVERITIES},
}
"""The maker and the ceilings of each cheat, by name."""
