"""Plays an incident that runs: finds the cause, rules out others, repairs it, and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import submit
from cloud_incident.evaluation.agents.responder.running.confirming import confirm
from cloud_incident.evaluation.agents.responder.running.diagnosing import diagnose
from cloud_incident.evaluation.agents.responder.running.repairing import repair
from cloud_incident.evaluation.agents.responder.running.writing import name_root, write_failure_mode, write_summary
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play

_ANSWER_KEPT, _REPAIR_KEPT = 1, 6
"""Steps that no look is spent on: where only an answer is asked for, and where a repair is."""


def play_running(desk: Desk, start: str) -> Play[bool]:
    """Play a whole episode from the service that users enter through, with its submission.

    Gives False, and answers nothing, if nothing that is known explains what is seen.
    """
    task = TASKS[desk.shown["task_id"]]
    kept = _REPAIR_KEPT if task.asks_repair else _ANSWER_KEPT
    found = yield from diagnose(desk, start, kept)
    if found.verdict is None:
        return False
    yield from confirm(desk, found, kept)
    if task.asks_repair:
        yield from repair(desk, found)
    yield submit(
        task.id,
        service=name_root(found),
        failure_mode=write_failure_mode(found),
        summary=write_summary(desk, found),
    )
    return True
