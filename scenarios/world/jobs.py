"""Jobs: runs of a batch that work on a store, lose their session with it, and come back as they were planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.processes import find_accepting

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.state import JobState, State


def step_jobs(layout: Layout, state: State) -> tuple[Floats, Floats]:
    """Bring jobs one step further. By component: the memory that it holds for jobs, and how much slower it is."""
    if state.jobs:
        running = find_accepting(layout, state)
        for job in state.jobs:
            _step_job(layout, state, job, bool(running[job.component]), bool(running[job.store]))
    working = [job for job in state.jobs if job.since is not None]
    if not working:
        return layout.memory.get((), _find_nothing, layout)
    held, slow = np.zeros(len(layout.components)), np.ones(len(layout.components))
    for job in working:
        held[job.store] += job.held
        if job.planned:
            slow[job.store] *= job.job.slow
    return held, slow


def _find_nothing(layout: Layout) -> tuple[Floats, Floats]:
    """What stores hold, and how much slower they are, when no job works on them."""
    return np.zeros(len(layout.components)), np.ones(len(layout.components))


def _step_job(layout: Layout, state: State, job: JobState, alive: bool, store: bool) -> None:
    spec = job.job
    if not alive:
        job.since, job.held = None, 0.0
    elif job.since is None:
        if state.time >= job.next_at and not job.paused:
            if store:
                job.since = state.time
                _note(layout, state, job, "job_start")
            else:
                job.next_at = state.time + spec.retry
                _note(layout, state, job, "job_refused", seconds=int(spec.retry))
    elif not store:
        job.since, job.held, job.next_at = None, 0.0, state.time + spec.retry
        _note(layout, state, job, "job_lost", seconds=int(spec.retry))
    elif state.time - job.since >= spec.lasts:
        job.since, job.held, job.next_at = None, 0.0, state.time + spec.every
        # What is noted is the flag that the run had.
        _note(layout, state, job, "job_done")
        job.planned = state.flags[job.component, spec.flag]
    elif job.planned:
        job.held += spec.memory_rate * state.step


def _note(layout: Layout, state: State, job: JobState, what: str, **details: int) -> None:
    """Note what happened to a run of a job."""
    names = {"job": job.job.name, "flag": job.job.flag, "value": "true" if job.planned else "false"}
    state.note(job.component, what, target=layout.component_names[job.store], **details, **names)
