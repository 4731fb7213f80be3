"""A novice: looks at what alerts, restarts what looks red, and blames what was loudest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, step

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation

_RED = ("error", "fatal", '" 50', "failed")
_LABELS = {"critical": "P1", "page": "P1", "warning": "P3", "info": "P4"}
_MOST_LOOKS = 3


class Novice(Agent):
    """Looks at what the alert names, restarts what looks red, and never looks beyond."""

    def __init__(self, seat: Seat) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._restarted = False

    async def decide(self, shown: Observation) -> Decision:
        alerted = (shown["alert"]["affected_services"] or shown["known_services"])[
            : min(_MOST_LOOKS, shown["max_steps"] - 1)
        ]
        logs = shown["queried_data"].get("query_logs", {})
        unseen = [service for service in alerted if service not in logs]
        if unseen:
            return step("query_logs", service=unseen[0])
        red = sorted(alerted, key=lambda service: -_redness(logs[service]))
        if shown["task_id"] == "remediation_planning":
            return self._restart(red)
        if shown["task_id"] == "alert_classification":
            return step("submit_severity", severity=_LABELS.get(shown["alert"]["severity"], "P2"))
        return step("submit_root_cause", service=red[0], failure_mode=_loudest(logs[red[0]]))

    def _restart(self, red: list[str]) -> Decision:
        if not self._restarted:
            self._restarted = True
            return step("restart_service", service=red[0])
        summary = f"Many errors were seen in {red[0]}. We restarted {red[0]}. It should be better soon."
        return step("submit_resolution", summary=summary)


def _redness(logs: str) -> int:
    lowered = logs.casefold()
    return sum(map(lowered.count, _RED))


def _loudest(logs: str) -> str:
    """The last line that looks red."""
    lines = [line for line in logs.splitlines()[1:] if _redness(line)] or logs.splitlines()[-1:]
    return lines[-1].replace("\t", " ")[:500]
