"""Perfect play: the shortest sequence of actions that scores 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graders.prose import affirms
from scenarios.actions import VOCABULARY, Action, Kind, actions_of
from scenarios.parsing import parse_action
from scenarios.progress import UNTOUCHED, PlanStep, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.incident import Certificate, Incident, Item
    from scenarios.tasks import Task


def perfect_play(incident: Incident, task: Task) -> list[Action]:
    """The actions of a perfect episode: the smallest certificate, the plan and a look at the recovery, the answer."""
    certificate = _best_certificate(incident, task)
    actions = [query(item) for item in sorted(certificate, key=lambda item: (item[1], item[0]))]
    if task.id == "remediation_planning":
        actions += _plan_and_recovery(incident, certificate)
    return [*actions, answer(incident, task)]


def query(item: Item) -> Action:
    """The action that looks at a piece of evidence."""
    return parse_action(item[0], {"service": item[1]})


def remediation(step: PlanStep) -> Action:
    """The action that carries out a plan step."""
    parameters: dict[str, Any] = {VOCABULARY[step.action].target: step.target}
    if step.replicas is not None:
        parameters["replicas"] = step.replicas[0]
    elif step.action == "scale_service":
        parameters["replicas"] = 1
    return parse_action(step.action, parameters)


def answer(incident: Incident, task: Task) -> Action:
    """The submission that a task's grader gives every point."""
    truth = incident.truth
    match task.id:
        case "alert_classification":
            return parse_action(task.submission, {"severity": truth.severity})
        case "root_cause_analysis":
            return parse_action(task.submission, {"service": truth.service, "failure_mode": failure_words(incident)})
        case "remediation_planning":
            return parse_action(task.submission, {"summary": summary_words(incident)})


def failure_words(incident: Incident) -> str:
    """A good failure mode: the incident's own, or one term of every concept of the failure."""
    if incident.truth.answer:
        return incident.truth.answer
    return "; ".join(_plain(group) for group in incident.truth.concepts)


def _plain(group: tuple[str, ...]) -> str:
    """A term of a group as people write it: whole words if there are such, and one that affirms the group."""
    written = sorted((term for term in group if "+" not in term), key=lambda term: "*" in term) or list(group)
    said = [term.replace("*", "").replace(" + ", " ") for term in written]
    return next((text for text in said if affirms(text, *group)), said[0])


def summary_words(incident: Incident) -> str:
    """A summary that states the cause and every repair."""
    deeds = ", ".join(_deed(step) for step in incident.plan.repairs)
    return (
        f"The incident started in {incident.truth.service} ({failure_words(incident).rstrip('.').replace(';', ',')}). "
        f"To repair it we {deeds}. "
        "After the last repair the diagnostics showed that the affected services had recovered."
    )


def _deed(step: PlanStep) -> str:
    deeds = {
        "restart_service": "restarted {target}",
        "rollback_deploy": "rolled back {target}",
        "scale_service": "scaled {target}",
        "disable_feature_flag": "disabled the flag {target}",
        "clear_cache": "cleared {target}",
        "execute_runbook_step": "executed {target}",
    }
    return deeds[step.action].format(target=step.target)


def _best_certificate(incident: Incident, task: Task) -> Certificate:
    """Of the smallest certificates the one on most services, since each first look at a service earns most."""
    certificates = incident.certificates(task.id)
    smallest = [one for one in certificates if len(one) == len(certificates[0])]
    return max(smallest, key=lambda one: (len({service for _, service in one}), [*map(str, sorted(one))]))


def _plan_and_recovery(incident: Incident, certificate: Certificate) -> Iterator[Action]:
    progress: Progress = UNTOUCHED
    looked = False
    for step in incident.plan.steps:
        if incident.plan.repaired(progress) and not looked:
            yield _recovery(incident, certificate, progress)
            looked = True
        yield remediation(step)
        progress |= {step.step}
    if not looked:
        yield _recovery(incident, certificate, progress)


def _recovery(incident: Incident, certificate: Certificate, progress: Progress) -> Action:
    """A look at evidence that the repairs have changed, at a service not looked at before if there is one."""
    queried = {service for _, service in certificate}
    changed = [
        (diagnostic, service)
        for service in incident.services
        for diagnostic in actions_of(Kind.DIAGNOSTIC)
        if incident.evidence(diagnostic, service, progress).text
        != incident.evidence(diagnostic, service, UNTOUCHED).text
    ]
    return query(min(changed, key=lambda item: (item[1] in queried, item in certificate)))
