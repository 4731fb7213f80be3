"""What an incident has to do beside the laws: come back when its cause is taken out, and not follow from the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.telemetry import find_pages
from scenarios.world.changes import place_changes

if TYPE_CHECKING:
    from scenarios.laws.subject import Subject
    from scenarios.world import Run
    from scenarios.world.layout import Floats

_COMPARED = 8
"""Ticks over which two courses are compared."""
_SAME = 0.01
"""Shares of failing users that differ by so much at most are the same."""
_STEP = 2.5
"""Half a step, in seconds."""
_APART = 60
"""Seconds that a page may come earlier or later with another step."""


def find_no_return(subject: Subject) -> list[str]:
    """Whether a system does not come back in the time that is stated when all that befell it is taken out again."""
    healthy, struck = _start_healthy(subject), _start_struck(subject)
    struck.advance(subject.begins)
    _take_out(struck)
    seconds = 900.0 if subject.returns_seconds is None else subject.returns_seconds
    struck.advance(seconds)
    healthy.advance(struck.time)
    gap = float(np.abs(get_failing(struck, -_COMPARED) - get_failing(healthy, -_COMPARED)).max(initial=0.0))
    if subject.returns_seconds is None and gap <= _SAME:
        return [f"{subject.name}: it is stated that it never returns by itself, and {seconds / 60:g} min later it has."]
    if subject.returns_seconds is not None and gap > _SAME:
        return [
            f"{subject.name}: {seconds / 60:g} min after its cause is gone, {gap:.0%} more of its users fail still."
        ]
    return []


def find_step_dependence(subject: Subject) -> list[str]:
    """Whether somebody is paged by another rule with half the step, or more than a minute earlier or later.

    How a storm goes on after that is steeper than any step.
    """
    pages = []
    for step in (None, _STEP):
        run = subject.start(step=step)
        run.advance(subject.begins + _APART)
        pages.append([(page.rule.name, page.fired) for page in find_pages(run, int(run.time))])
    whole, half = pages
    if _has_first(whole, half) and _has_first(half, whole):
        return []
    return [f"{subject.name}: with half the step the pages are {half} and not {whole}."]


def _has_first(others: list[tuple[str, int]], pages: list[tuple[str, int]]) -> bool:
    """Whether the first of some pages has fired within a minute among the others."""
    return not pages or any(name == pages[0][0] and abs(fired - pages[0][1]) <= _APART for name, fired in others)


def get_failing(run: Run, first: int, end: int | None = None) -> Floats:
    """The share of each journey's requests that failed in some ticks."""
    entry = run.layout.journey_entry
    good, failed = np.zeros(len(entry)), np.zeros(len(entry))
    for answered, lost in zip(
        run.record.get("users_good", first, end), run.record.get("users_failed", first, end), strict=True
    ):
        good += answered[entry]
        failed += lost[entry]
    return np.asarray(failed / np.maximum(good + failed, 1e-9))


def _start_struck(subject: Subject) -> Run:
    """A run that is struck by what had befallen it when somebody begins to act, and by nothing later."""
    changes = tuple(change for change in subject.system.changes if change.at <= subject.begins)
    return subject.kind(subject.system.model_copy(update={"changes": changes}), noise=False)


def _start_healthy(subject: Subject) -> Run:
    """A run that nothing befalls. Flags are as they were before they are switched, and so are planned jobs."""
    run = subject.kind(subject.system.model_copy(update={"changes": ()}), noise=False)
    for change in reversed(subject.system.changes):
        if change.what == "flag":
            for key in [key for key in run.state.flags if key[1] == change.target]:
                run.state.flags[key] = change.to <= 0.0
    for job in run.state.jobs:
        job.planned = run.state.flags[job.component, job.job.flag]
    return run


def _take_out(run: Run) -> None:
    """Put back everything that a change has set."""
    for setting in reversed(place_changes(run.layout)):
        if setting.change.what == "flag":
            setting.write(run.state, 1.0 - setting.change.to)
        elif setting.number in run.state.before:
            setting.write(run.state, run.state.before[setting.number])
