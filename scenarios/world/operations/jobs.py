"""Operations on jobs and on the sessions that they have on a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _pause_job(_: Layout, state: State, place: int) -> None:
    """No run of a job begins, and none is tried again. A run that works now goes on to its end."""
    job = state.jobs[place]
    job.paused = True
    state.note(job.component, "pause_job", job=job.job.name)


def _resume_job(_: Layout, state: State, place: int) -> None:
    job = state.jobs[place]
    job.paused = False
    state.note(job.component, "resume_job", job=job.job.name)


def _cancel_sessions(layout: Layout, state: State, component: int) -> None:
    """End the sessions that jobs have on a store. Who started them tries again, unless that was paused."""
    state.note(component, "cancel_sessions")
    for job in state.jobs:
        if job.store == component and job.since is not None:
            retry = job.job.retry
            job.since, job.held, job.next_at = None, 0.0, state.time + retry
            details = {"job": job.job.name, "flag": job.job.flag, "value": "true" if job.planned else "false"}
            target = layout.component_names[component]
            state.note(job.component, "job_lost", target=target, seconds=int(retry), **details)


OPERATIONS = (
    Operation("pause_job", "job", _pause_job, "Begin no run of the job; one that works goes on to its end."),
    Operation("resume_job", "job", _resume_job, "Let runs of the job begin again."),
    Operation("cancel_sessions", "service", _cancel_sessions, "End the sessions that jobs have on a store.", seconds=5),
)
