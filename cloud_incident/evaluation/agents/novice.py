"""A novice: looks at the services of the alert, restarts the one with the most errors, and blames it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, choose, list_alerted, submit
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation

_ERROR_WORDS = ("error", "fatal", '" 50', "failed")
_LABELS = {"critical": "P1", "page": "P1", "warning": "P3", "info": "P4"}
_MOST_LOOKS = 3


class Novice(Agent):
    """Looks at what the alert names, restarts what looks red, and never looks beyond."""

    def __init__(self, seat: Seat) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._restarted = False

    async def decide(self, shown: Observation) -> Decision:
        alerted = list_alerted(shown)[: min(_MOST_LOOKS, shown["max_steps"] - 1)]
        logs = shown["queried_data"].get("query_logs", {})
        unseen = [service for service in alerted if service not in logs]
        if unseen:
            return choose("query_logs", service=unseen[0])
        red = sorted(alerted, key=lambda service: -_count_error_words(logs[service]))
        if TASKS[shown["task_id"]].asks_repair and not self._restarted:
            self._restarted = True
            return choose("restart_service", service=red[0])
        return submit(
            shown["task_id"],
            severity=_LABELS.get(shown["alert"]["severity"], "P2"),
            service=red[0],
            failure_mode=_find_last_error_line(logs[red[0]]),
            summary=f"Many errors were seen in {red[0]}. We restarted {red[0]}. It should be better soon.",
        )


def _count_error_words(logs: str) -> int:
    lowered = logs.casefold()
    return sum(map(lowered.count, _ERROR_WORDS))


def _find_last_error_line(logs: str) -> str:
    """Find the last line that speaks of an error."""
    lines = [line for line in logs.splitlines()[1:] if _count_error_words(line)] or logs.splitlines()[-1:]
    return lines[-1].replace("\t", " ")[:500]
