"""The responder investigates, repairs and answers by fixed rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents.agent import Agent, Decision, submit
from cloud_incident.evaluation.agents.responder.desk import Desk
from cloud_incident.evaluation.agents.responder.impact import assess_severity
from cloud_incident.evaluation.agents.responder.repair import repair
from cloud_incident.evaluation.agents.responder.running.calls import is_running
from cloud_incident.evaluation.agents.responder.running.playing import play_running
from cloud_incident.evaluation.agents.responder.search import choose_first, investigate
from cloud_incident.evaluation.agents.responder.wording import write_failure_mode, write_summary
from scenarios.vocabulary import REMEDIATIONS, TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_incident.evaluation.agents.agent import Seat
    from cloud_incident.evaluation.agents.responder.desk import Play
    from env_core.observation import Observation


class Responder(Agent):
    """A competent engineer of few words. It looks at nothing but what it is shown and the runbook catalogue."""

    def __init__(self, seat: Seat) -> None:  # noqa: ARG002 - every agent is made for a seat
        self._desk: Desk | None = None
        self._play: Play[None] | None = None

    async def decide(self, shown: Observation) -> Decision:
        desk = self._update_desk(shown)
        if self._play is None:
            self._play = _play_episode(desk)
            return next(self._play)
        return self._play.send(shown)

    def watch(self, action: Mapping[str, Any], shown: Observation) -> None:
        desk = self._update_desk(shown)
        name = action["action_type"]
        if name in REMEDIATIONS:
            desk.note(name, str(action["parameters"][REMEDIATIONS[name].target.parameter]).strip().casefold())
        else:
            desk.looked_since = True

    def _update_desk(self, shown: Observation) -> Desk:
        if self._desk is None:
            self._desk = Desk(shown)
        else:
            self._desk.catch_up(shown)
        return self._desk


def _play_episode(desk: Desk) -> Play[None]:
    """Play a whole episode, with its submission."""
    task = TASKS[desk.shown["task_id"]]
    if not task.asks_evidence:
        yield submit(task.id, severity=(yield from assess_severity(desk)))
        return
    start = choose_first(desk)
    runs = is_running((yield from desk.look("check_dependencies", start)))
    if runs and (yield from play_running(desk, start)):
        return
    found = yield from investigate(desk)
    if task.asks_repair:
        yield from repair(desk, found)
    yield submit(
        task.id,
        service=found.root,
        failure_mode=write_failure_mode(found),
        summary=write_summary(found, desk.done, desk.in_vain, looked_since=desk.looked_since),
    )
