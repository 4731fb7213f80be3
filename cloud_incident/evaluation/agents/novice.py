"""A novice: looks at the services of the alert, restarts the one with the most errors, and blames it.

Where calls are counted, as in incidents that run, it blames the callee that loses most of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, choose, list_alerted, submit
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation

_ERROR_WORDS = ("error", "fatal", '" 50', "failed")
_LABELS = {"critical": "P1", "page": "P1", "warning": "P3", "info": "P4"}
_MOST_LOOKS = 3
_MOST_PANELS = 2
_RED = 50.0
"""So many percent of the calls of a service fail if it is red."""
_FAILING = re.compile(
    r"^ +(?P<callee>\S+) +(?:degraded|failing|down) · (?P<rate>[\d.]+) calls/s \(normal [\d.]+\), "
    r"(?:all|over [\d.]+ %|(?P<share>[\d.]+) %) fail",
    re.MULTILINE,
)
_SAMPLED = "lines sampled"
"""Part of the heading of logs of a system that runs: it has more lines than anybody reads."""


class Novice(Agent):
    """Looks at what the alert names, restarts what looks red, and never looks beyond."""

    def __init__(self, seat: Seat) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._restarted = False

    async def decide(self, shown: Observation) -> Decision:
        alerted = list_alerted(shown)[: min(_MOST_LOOKS, shown["max_steps"] - 1)]
        logs = shown["queried_data"].get("query_logs", {})
        if TASKS[shown["task_id"]].asks_evidence and any(_SAMPLED in text.partition("\n")[0] for text in logs.values()):
            return self._work_running(shown, alerted)
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

    def _work_running(self, shown: Observation, alerted: list[str]) -> Decision:
        """Work an incident that runs: look at what the alerted services call, and blame who loses most calls."""
        panels = shown["queried_data"].get("check_dependencies", {})
        unseen = [service for service in alerted[:_MOST_PANELS] if service not in panels]
        if unseen:
            return choose("check_dependencies", service=unseen[0])
        lost, share, name = max(
            (red for panel in panels.values() for red in _read_red(panel)), default=(0.0, 0.0, alerted[0])
        )
        asks_repair = TASKS[shown["task_id"]].asks_repair
        if asks_repair and not self._restarted and share >= _RED:
            self._restarted = True
            return choose("restart_service", service=name)
        deed = f"We restarted {name}, since it was red." if self._restarted else "Nothing was restarted by us."
        return submit(
            shown["task_id"],
            severity=_LABELS.get(shown["alert"]["severity"], "P2"),
            service=name,
            failure_mode=f"Many calls to {name} fail, {lost:.0f} in each second.",
            summary=f"Many calls to {name} failed. {deed} It should be better soon, we hope.",
        )


def _read_red(panel: str) -> Iterator[tuple[float, float, str]]:
    """Read what fails of the calls of a service: calls per second, percent, and the callee."""
    for found in _FAILING.finditer(panel.partition("\ncalled by")[0]):
        share = float(found["share"] or 100.0)
        yield float(found["rate"]) * share / 100, share, found["callee"]


def _count_error_words(logs: str) -> int:
    lowered = logs.casefold()
    return sum(map(lowered.count, _ERROR_WORDS))


def _find_last_error_line(logs: str) -> str:
    """Find the last line that speaks of an error."""
    lines = [line for line in logs.splitlines()[1:] if _count_error_words(line)] or logs.splitlines()[-1:]
    return lines[-1].replace("\t", " ")[:500]
