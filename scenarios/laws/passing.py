"""Law 6: time passes. A look and an operation take their time, pages come and clear, and logs reach back far enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.laws.playing import Witness, follow
from scenarios.progress import Remedy
from scenarios.telemetry import Clock, find_pages, is_well, look
from scenarios.vocabulary.diagnostics import Logs
from scenarios.world import OPERATIONS
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.laws.subject import Move, Subject
    from scenarios.running.incident import RunningIncident
    from scenarios.telemetry import Page
    from scenarios.world import Run

_MINUTE = 60


class TimeWitness(Witness):
    """Sees that what takes seconds is done after them and not before."""

    law = 6

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._due: list[tuple[str, float]] = []
        self._events = 0

    def order(self, run: Run, move: Move) -> None:
        self._due.append((move.name, run.time + OPERATIONS[move.name].seconds))

    def pass_step(self, run: Run) -> None:
        for event in run.state.events[self._events :]:
            name = event.what.removesuffix("_refused").removesuffix("_empty").removesuffix("_unchanged")
            operation = OPERATIONS.get(name)
            if operation is not None and operation.seconds and not self._is_due(name, event.at):
                self.report(run, f"{name} is done before its {operation.seconds:g} s have passed")
        self._events = len(run.state.events)

    def _is_due(self, name: str, at: float) -> bool:
        return any(ordered == name and due <= at for ordered, due in self._due)


def find_timeless(subject: Subject) -> list[str]:
    """Where no time passes in an incident, or its page comes too late, or does not clear when it is mended."""
    incident = subject.incident
    if incident is None:
        return []
    return [
        f"{subject.name}: {text}."
        for text in (*_check_costs(incident), *_check_page(subject, incident), *_check_window(subject))
    ]


def _check_costs(incident: RunningIncident) -> Iterator[str]:
    course, clock = incident.begin(), Clock(incident.system)
    for component in incident.system.components:
        shown, after = course.look("check_service_status", component.name)
        if after.now - course.now < incident.document.look_seconds:
            yield f"a look at {component.name} takes {after.now - course.now} s"
        if shown.as_of != clock.get_moment(course.now):
            yield f"a look at {component.name} at second {course.now} shows {shown.as_of}"
        later, _ = course.apply(Remedy("restart_service", component.name), verifies=False)
        least = max(_MINUTE, component.instances * component.get("start_seconds"))
        if later.now - course.now < least:
            yield f"a restart of {component.name} takes {later.now - course.now} s, and its instances need {least:g}"


def _check_page(subject: Subject, incident: RunningIncident) -> Iterator[str]:
    run = subject.start()
    run.advance(subject.begins)
    pages = find_pages(run, int(run.time))
    if not pages:
        yield "nobody is paged before on-call looks"
    elif pages[0].fired < pages[0].rule.lasts:
        yield "somebody is paged before anything can have happened"
    # What nobody has proved may have mended itself.
    if incident.proved and is_well(run, int(run.time)):
        yield "users are well when on-call looks"
    if incident.plan.repairs:
        mended = follow(subject, subject.play_honestly(), ())
        # What is proved is mended in the time after which its repairs are judged: a cache has to fill again first.
        until = mended.time + (0 if incident.judge is None else incident.judge.lasts)
        while not _is_over(mended, pages) and mended.time < until:
            mended.advance(_MINUTE)
        if not _is_over(mended, pages):
            yield "the page does not clear when the plan is done"


def _is_over(run: Run, pages: Sequence[Page]) -> bool:
    """Whether users are well, or, where a repair is to block some of them, the rules that paged have cleared."""
    now, rules = int(run.time), {page.rule.name for page in pages}
    return is_well(run, now) or all(page.cleared for page in find_pages(run, now) if page.rule.name in rules)


def _check_window(subject: Subject) -> Iterator[str]:
    """The logs of the first look begin before users felt it."""
    run = subject.start()
    run.advance(subject.begins)
    onset = _find_onset(run)
    shown = look(run, "query_logs", subject.system.components[0].name)
    window = _MINUTE * shown.window_minutes if isinstance(shown, Logs) else 0
    if onset is not None and subject.begins - window > onset:
        yield f"the logs of the first look begin after the onset at {onset:g} s"


def _find_onset(run: Run) -> float | None:
    """When users first felt what they were paged for."""
    for page in find_pages(run, int(run.time))[:1]:
        return page.fired - page.rule.lasts - TICK
    return None
