"""Perfect play: the shortest sequence of actions that scores 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graders.prose import affirms
from scenarios.incident import MOST_WAITS
from scenarios.parsing import parse_action
from scenarios.progress import UNTOUCHED, PlanStep, Progress, Remedy
from scenarios.vocabulary import (
    CHECK_METRICS,
    DIAGNOSTICS,
    EXECUTE_RUNBOOK_STEP,
    REMEDIATIONS,
    SUBMISSIONS,
    SUBMIT_RESOLUTION,
    SUBMIT_ROOT_CAUSE,
    SUBMIT_SEVERITY,
    Action,
    Attachments,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.incident import Calm, Certificate, Incident, Item
    from scenarios.vocabulary import Submission, Task

_WATCH = PlanStep(EXECUTE_RUNBOOK_STEP.name, "watch")


def play_perfectly(incident: Incident, task: Task, repairs: Sequence[PlanStep] = ()) -> list[Action]:
    """The actions of a perfect episode: the smallest certificate, the plan and a look at the recovery, the answer.

    Where the incident runs, other `repairs` than those of its plan may be carried out.
    """
    repairs = repairs or incident.plan.repairs
    certificate = _choose_certificate(incident, task)
    actions = [look_at(item) for item in sorted(certificate, key=lambda item: (item[1], item[0]))]
    if task.asks_repair and incident.begin().is_played:
        actions += _repair_and_wait(incident, actions, repairs)
    elif task.asks_repair:
        actions += _repair_and_look(incident, certificate)
    return [*actions, answer_perfectly(incident, task, repairs)]


def look_at(item: Item) -> Action:
    """The action that looks at a piece of evidence."""
    return parse_action(item[0], {"service": item[1]})


def carry_out(step: PlanStep) -> Action:
    """The action that carries out a plan step."""
    declared = REMEDIATIONS[step.action]
    parameters: dict[str, Any] = {declared.target.parameter: step.target}
    if step.on:
        parameters["target"] = step.on
    if declared.takes_replicas:
        parameters["replicas"] = step.replicas[0] if step.replicas is not None else 1
    return parse_action(step.action, parameters)


def answer_perfectly(incident: Incident, task: Task, repairs: Sequence[PlanStep] = ()) -> Action:
    """The submission that a task's grader gives every point who has carried out some repairs, or the plan."""
    return parse_action(task.submission.name, _ANSWERS[task.submission](incident, repairs or incident.plan.repairs))


def _answer_severity(incident: Incident, _: Sequence[PlanStep]) -> dict[str, Any]:
    return {"severity": incident.truth.severity}


def _answer_root_cause(incident: Incident, _: Sequence[PlanStep]) -> dict[str, Any]:
    return {"service": incident.truth.service, "failure_mode": word_failure(incident)}


def _answer_resolution(incident: Incident, repairs: Sequence[PlanStep]) -> dict[str, Any]:
    return {"summary": word_summary(incident, repairs)}


_ANSWERS: Attachments[Submission, Callable[[Incident, Sequence[PlanStep]], dict[str, Any]]] = Attachments(
    "perfect answers",
    SUBMISSIONS.values(),
    {
        SUBMIT_SEVERITY: _answer_severity,
        SUBMIT_ROOT_CAUSE: _answer_root_cause,
        SUBMIT_RESOLUTION: _answer_resolution,
    },
)


def word_failure(incident: Incident) -> str:
    """A good failure mode: the incident's own, or one term of every concept of the failure."""
    if incident.truth.answer:
        return incident.truth.answer
    return "; ".join(_choose_term(group) for group in incident.truth.concepts)


def _word_calm(incident: Incident, calm: Calm) -> str:
    rule, *about = calm.paged
    why = "It is over by itself, and users are served again" if calm.is_over else "It is harmless, and nobody felt it"
    return (
        f"{rule} has paged for {about[0] if about else 'its users'}. "
        f"It started in {incident.truth.service} ({word_failure(incident).rstrip('.').replace(';', ',')}). "
        f"{why}. No repair was needed, so we changed nothing and left all of it alone."
    )


def _choose_term(group: tuple[str, ...]) -> str:
    """A term of a group as people write it: whole words if there are such, and one that affirms the group."""
    written = sorted((term for term in group if "+" not in term), key=lambda term: "*" in term) or list(group)
    said = [term.replace("*", "").replace(" + ", " ") for term in written]
    return next((text for text in said if affirms(text, *group)), said[0])


def word_summary(incident: Incident, repairs: Sequence[PlanStep] = ()) -> str:
    """A summary that states the cause and every repair, some or those of the plan, or why none was needed."""
    if incident.truth.calm is not None:
        return _word_calm(incident, incident.truth.calm)
    deeds = ", ".join(_describe_deed(step) for step in repairs or incident.plan.repairs)
    second = incident.truth.second
    other = "" if second is None else f"Another cause was in {second.service} ({_word_inside(second.answer)}). "
    return (
        f"The incident started in {incident.truth.service} ({_word_inside(word_failure(incident))}). {other}"
        f"To repair it we {deeds}. "
        "After the last repair the diagnostics showed that the affected services had recovered."
    )


def _word_inside(failure: str) -> str:
    """A failure mode as it stands inside a sentence."""
    return failure.rstrip(".").replace(";", ",")


def _describe_deed(step: PlanStep) -> str:
    return REMEDIATIONS[step.action].deed.format(target=step.target)


def _choose_certificate(incident: Incident, task: Task) -> Certificate:
    """Of the smallest certificates the one on most services, since each first look at a service earns most."""
    certificates = incident.certificates(task.id)
    smallest = [certificate for certificate in certificates if len(certificate) == len(certificates[0])]
    return max(smallest, key=lambda items: (len({service for _, service in items}), [*map(str, sorted(items))]))


def _repair_and_look(incident: Incident, certificate: Certificate) -> Iterator[Action]:
    progress: Progress = UNTOUCHED
    looked = False
    for step in incident.plan.steps:
        if incident.plan.is_repaired(progress) and not looked:
            yield _look_at_recovery(incident, certificate, progress)
            looked = True
        yield carry_out(step)
        progress |= {step.step}
    if not looked:
        yield _look_at_recovery(incident, certificate, progress)


def _repair_and_wait(incident: Incident, looks: Sequence[Action], repairs: Sequence[PlanStep]) -> Iterator[Action]:
    """The repairs, and a look at a service that had failed its users, as soon as one shows that it serves them."""
    course = incident.begin()
    for look in looks:
        course = course.look(look.name, look.target)[1]
    pause = incident.plan.pause
    for step in repairs:
        if pause is not None and step.step in pause.before:
            for item in sorted(pause.looks):
                course = course.look(*item)[1]
                yield look_at(item)
            pause = None
        course = course.remedy(Remedy(step.action, step.target, on=step.on), verifies=False).course
        yield carry_out(step)
    for _ in range(MOST_WAITS):
        for service in incident.alert["affected_services"]:
            shown, after = course.look(CHECK_METRICS.name, service)
            if after.shows_recovery((CHECK_METRICS.name, service), shown):
                yield look_at((CHECK_METRICS.name, service))
                yield from (carry_out(step) for step in incident.plan.steps if step.verify)
                return
        course = course.remedy(Remedy(_WATCH.action, _WATCH.target), verifies=True).course
        yield carry_out(_WATCH)


def _look_at_recovery(incident: Incident, certificate: Certificate, progress: Progress) -> Action:
    """A look at evidence that the repairs have changed, at a service not looked at before if there is one."""
    queried = {service for _, service in certificate}
    changed = [
        (diagnostic, service)
        for service in incident.services
        for diagnostic in DIAGNOSTICS
        if incident.evidence(diagnostic, service, progress).text
        != incident.evidence(diagnostic, service, UNTOUCHED).text
    ]
    return look_at(min(changed, key=lambda item: (item[1] in queried, item in certificate)))
