"""The responder: investigates, repairs and answers, each by its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, step
from cloud_incident.evaluation.agents.responder.desk import Desk
from cloud_incident.evaluation.agents.responder.impact import assess
from cloud_incident.evaluation.agents.responder.repair import repair
from cloud_incident.evaluation.agents.responder.search import investigate
from cloud_incident.evaluation.agents.responder.wording import failure_mode, summary

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.agent import Seat
    from cloud_incident.evaluation.agents.responder.desk import Play
    from env_core.observation import Observation


class Responder(Agent):
    """A competent engineer of few words. It looks at nothing but what it is shown and the runbook catalogue."""

    def __init__(self, seat: Seat) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._play: Play[None] | None = None

    async def decide(self, shown: Observation) -> Decision:
        if self._play is None:
            self._play = _work(Desk(shown))
            return next(self._play)
        return self._play.send(shown)


def _work(desk: Desk) -> Play[None]:
    """A whole episode, its submission included."""
    match desk.shown["task_id"]:
        case "alert_classification":
            yield step("submit_severity", severity=(yield from assess(desk)))
        case "root_cause_analysis":
            found = yield from investigate(desk)
            yield step("submit_root_cause", service=found.root, failure_mode=failure_mode(found))
        case "remediation_planning":
            found = yield from investigate(desk)
            yield from repair(desk, found)
            yield step(
                "submit_resolution", summary=summary(found, desk.done, desk.in_vain, looked_since=desk.looked_since)
            )
