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
    if not state.jobs:
        return layout.memory.get((), _find_nothing, layout)
    held, slow = np.zeros(len(layout.components)), np.ones(len(layout.components))
    running = find_accepting(layout, state)
    for job in state.jobs:
        _step_job(layout, state, job, bool(running[job.component]), bool(running[job.store]))
        if job.since is not None:
            held[job.store] += job.held
            if job.planned:
                slow[job.store] *= job.job.slow
    return held, slow


def _find_nothing(layout: Layout) -> tuple[Floats, Floats]:
    """What stores hold, and how much slower they are, when there are no jobs."""
    return np.zeros(len(layout.components)), np.ones(len(layout.components))


def _step_job(layout: Layout, state: State, job: JobState, alive: bool, store: bool) -> None:
    spec = job.job
    names = {"job": spec.name, "flag": spec.flag, "value": "true" if job.planned else "false"}
    target = layout.component_names[job.store]
    if not alive:
        job.since, job.held = None, 0.0
    elif job.since is None:
        if state.time >= job.next_at and not job.paused:
            if store:
                job.since = state.time
                state.note(job.component, "job_start", target=target, **names)
            else:
                job.next_at = state.time + spec.retry
                state.note(job.component, "job_refused", target=target, seconds=int(spec.retry), **names)
    elif not store:
        job.since, job.held, job.next_at = None, 0.0, state.time + spec.retry
        state.note(job.component, "job_lost", target=target, seconds=int(spec.retry), **names)
    elif state.time - job.since >= spec.lasts:
        job.since, job.held, job.next_at = None, 0.0, state.time + spec.every
        job.planned = state.flags[job.component, spec.flag]
        state.note(job.component, "job_done", target=target, **names)
    elif job.planned:
        job.held += spec.memory_rate * state.step
