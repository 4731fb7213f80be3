"""What must be true of a good incident beyond its shape: affordable certificates, decoys, a world that reacts."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from scenarios.authored import AuthoredIncident, find_flag_sources
from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.incident import count_fewest_steps
from scenarios.progress import UNTOUCHED, Progress
from scenarios.vocabulary import CHECK_RECENT_DEPLOYS, FLAG, QUERY_LOGS, TASKS, Deploys, Logs, acts_on

if TYPE_CHECKING:
    from collections.abc import Iterator

FEWEST_SERVICES = 8
SPARE_STEPS = 3
_ERROR_LINE = re.compile(
    r"\b(error|fatal|panic|crit(ical)?|emerg|exception|severe)\b|\" 5\d\d |status=5\d\d", re.IGNORECASE
)


def lint(incident: AuthoredIncident) -> list[str]:
    """Every finding, one sentence each. An empty list means the incident is fit to serve.

    An incident of its own has to mislead every naive rule. The frozen ones do so as a population: a rule finds the root
    of as many of them as chance would, and a rule that never did would be a tell too. So of one frozen incident it is
    not asked that its root is neither alerted nor loud, nor that every alerted service is really affected.
    """
    findings = [*_check_certificates(incident), *_check_secrecy(incident)]
    if any(TASKS[task_id].asks_evidence for task_id in incident.scenarios):
        findings += _check_world(incident)
        if not incident.document.frozen_from:
            findings += [*_check_alert(incident), *_check_guesses(incident)]
    return findings


def _check_certificates(incident: AuthoredIncident) -> Iterator[str]:
    for task_id, scenario in incident.scenarios.items():
        task = TASKS[task_id]
        for certificate in incident.certificates(task_id):
            names = ", ".join(sorted(f"{service}/{diagnostic}" for diagnostic, service in certificate))
            if len({service for _, service in certificate}) < 2:
                yield f"{scenario}: certificate ({names}) must span two services or more."
        spare = SPARE_STEPS if task.asks_evidence else 0
        fewest = count_fewest_steps(incident, task)
        if fewest > task.max_steps - spare:
            yield f"{scenario}: needs {fewest} steps; at most {task.max_steps - spare} of {task.max_steps} are allowed."
        if task.asks_repair and not incident.plan.repairs:
            yield f"{scenario}: has no plan."
    for step in incident.plan.steps:
        if acts_on(step.action, FLAG) and not find_flag_sources(incident, step.target):
            yield f"Flag {step.target} is in the plan and in no evidence."


def _check_secrecy(incident: AuthoredIncident) -> Iterator[str]:
    root = _compile_name(incident.truth.service)
    for field in incident.document.truth.unnamed_in:
        for service in incident.services:
            texts = (evidence.text for _, evidence in incident.states(DIAGNOSTIC_FIELDS[field], service))
            if service != incident.truth.service and any(root.search(text) for text in texts):
                yield f"{service}/{field} names {incident.truth.service}, which `unnamed_in` forbids."


def _check_world(incident: AuthoredIncident) -> Iterator[str]:
    if len(incident.services) < FEWEST_SERVICES:
        yield f"Has {len(incident.services)} services; {FEWEST_SERVICES} are the least."
    progress: Progress = UNTOUCHED
    for step in incident.plan.steps:
        after = progress | {step.step}
        if not step.verify and _show_all(incident, progress) == _show_all(incident, after):
            yield f"Nothing changes in any evidence when `{step.step}` is done in its turn."
        progress = after
    for harm in incident.plan.harms:
        if _show_all(incident, UNTOUCHED) == _show_all(incident, frozenset({harm.name})):
            yield f"Harm {harm.name} changes nothing in any evidence."


def _check_alert(incident: AuthoredIncident) -> Iterator[str]:
    """What on-call is told does not name the root cause, and is true."""
    if _compile_name(incident.truth.service).search(f"{incident.summary}\n{incident.alert}"):
        yield f"The alert or the summary names the root cause, {incident.truth.service}."
    done = frozenset(step.step for step in incident.plan.steps)
    for service in incident.document.alert.affected_services:
        if _show_all(incident, UNTOUCHED, service) == _show_all(incident, done, service):
            yield f"{service} is affected and shows nothing of the recovery once the plan is done."


def _compile_name(service: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(service)}(?![\w-])", re.IGNORECASE)


def _check_guesses(incident: AuthoredIncident) -> Iterator[str]:
    """Naive rules must not find the root cause."""
    root = incident.truth.service
    changes = {
        service: shown.history[0].at
        for service in incident.services
        if isinstance(shown := incident.evidence(CHECK_RECENT_DEPLOYS.name, service, UNTOUCHED), Deploys)
        and shown.history
    }
    if len(changes) < 3:
        yield "Fewer than three services have a recent change; decoys are missing."
    if changes and max(changes, key=lambda service: changes[service]) == root:
        yield f"The most recent change of all is {root}'s own."
    suspects = set(incident.services) - set(incident.document.alert.affected_services)
    before = {name: at for name, at in changes.items() if name in suspects and at < incident.document.alert.fired_at}
    if before and max(before, key=lambda service: before[service]) == root:
        yield f"{root}'s change is the last before the alert among services that are not alerted."
    for diagnostic in DIAGNOSTIC_FIELDS.values():
        lengths = {name: len(incident.evidence(diagnostic, name, UNTOUCHED).text) for name in incident.services}
        if max(lengths, key=lambda service: lengths[service]) == root:
            yield f"{root} has the longest {diagnostic} of all services ({lengths[root]} characters)."
    if _find_loudest(incident) == root:
        yield f"{root} has the most error lines in its logs."
    if _most_named(incident) == root:
        yield f"{root} is the service that the others' evidence names most."


def _find_loudest(incident: AuthoredIncident) -> str:
    def errors(service: str) -> int:
        shown = incident.evidence(QUERY_LOGS.name, service, UNTOUCHED)
        return sum(bool(_ERROR_LINE.search(line)) for line in shown.lines) if isinstance(shown, Logs) else 0

    return max(incident.services, key=errors)


def _most_named(incident: AuthoredIncident) -> str:
    counts: Counter[str] = Counter()
    for service in incident.services:
        text = "\n".join(
            incident.evidence(diagnostic, service, UNTOUCHED).text for diagnostic in DIAGNOSTIC_FIELDS.values()
        )
        for other in incident.services:
            if other != service:
                counts[other] += len(re.findall(rf"(?<![\w-]){re.escape(other)}(?![\w-])", text))
    return counts.most_common(1)[0][0]


def _show_all(incident: AuthoredIncident, progress: Progress, service: str = "") -> list[str]:
    return [
        incident.evidence(diagnostic, name, progress).text
        for name in ([service] if service else incident.services)
        for diagnostic in DIAGNOSTIC_FIELDS.values()
    ]
