"""Operations on jobs and on the sessions that they have on a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _pause_job(_: Layout, state: State, place: int) -> None:
    """No run of a job begins, and none is tried again. A run that works now goes on to its end."""
    _mark(state, place, paused=True)


def _resume_job(_: Layout, state: State, place: int) -> None:
    _mark(state, place, paused=False)


def _mark(state: State, place: int, *, paused: bool) -> None:
    job = state.jobs[place]
    what = "pause_job" if paused else "resume_job"
    state.note(job.component, f"{what}_refused" if job.paused == paused else what, job=job.job.name)
    job.paused = paused


def _cancel_sessions(layout: Layout, state: State, component: int) -> None:
    """End the sessions that jobs have on a store. Who started them tries again, unless that was paused."""
    ended = [job for job in state.jobs if job.store == component and job.since is not None]
    state.note(component, "cancel_sessions", ended=len(ended))
    for job in ended:
        retry = job.job.retry
        job.since, job.held, job.next_at = None, 0.0, state.time + retry
        details = {"job": job.job.name, "flag": job.job.flag, "value": "true" if job.planned else "false"}
        target = layout.component_names[component]
        state.note(job.component, "job_lost", target=target, seconds=int(retry), **details)


OPERATIONS = (
    Operation("pause_job", "job", _pause_job, "Begin no run of the job; one that works goes on to its end."),
    Operation("resume_job", "job", _resume_job, "Let runs of the job begin again."),
    Operation(
        "cancel_sessions",
        "service",
        _cancel_sessions,
        "End the sessions that jobs have on a store.",
        seconds=5,
        disruptive=True,
    ),
)
