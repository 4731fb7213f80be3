"""The incident in words, from what an agent may know: the briefing, the timeline, the service map, the debrief."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from env_core.episode import OVER
from env_core.guide import describe_scoring
from env_core.observation import debrief, observe
from env_core.review import write_review
from scenarios.vocabulary import TASKS, Dependencies, Status, Submission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.episode import Episode
    from graders import Grade
    from scenarios.vocabulary import Action, Task


def describe_alert(alert: Mapping[str, Any]) -> str:
    """The alert as a pager shows it."""
    labels = "".join(f" {name}={value}" for name, value in alert["labels"].items())
    return "\n".join(
        [
            f"[{alert['severity'].upper()}] {alert['name']} · {_describe_standing(alert)}",
            alert["summary"],
            alert["description"].strip(),
            *(f"- {symptom}" for symptom in alert["symptoms"]),
            f"affected: {', '.join(alert['affected_services'])}",
            *(f"beside it: {page['name']} · {_describe_standing(page)}" for page in alert.get("other_pages", ())),
            *([f"labels:{labels}"] if labels else []),
        ]
    )


def _describe_standing(page: Mapping[str, Any]) -> str:
    resolved, silenced = page.get("resolved_at"), page.get("silenced_until")
    told = f"fired at {page['fired_at']}, resolved at {resolved}" if resolved else f"firing since {page['fired_at']}"
    return f"{told}, silenced until {silenced}" if silenced else told


def write_briefing(episode: Episode) -> str:
    """What on-call is told at the start: the task, the alert, the services, the limits."""
    return write_briefing_of({**observe(episode)}, proved=episode.is_proved)


def write_briefing_of(shown: Mapping[str, Any], *, proved: bool = False) -> str:
    """The briefing from an observation, or from those of its fields that do not change in an episode.

    An observation does not say whether its incident is `proved`. Without that the rules are those of all incidents.
    """
    task = TASKS[shown["task_id"]]
    criteria = [f"{task.submission.name} takes:\n{task.submission.criteria}"] if task.submission.criteria else []
    return "\n\n".join(
        [
            f"{shown['scenario_id']} · {task.title} · {shown['max_steps']} steps\n{task.objective}",
            shown["incident_summary"],
            describe_alert(shown["alert"]),
            f"Known services: {', '.join(shown['known_services'])}",
            f"Actions: {', '.join(shown['available_actions'])}. {task.submission.name} ends the incident.",
            *criteria,
            describe_scoring(task, proved=proved),
        ]
    )


def write_headline(episode: Episode) -> str:
    """The briefing in short, for places with little room."""
    task, alert = episode.task, episode.incident.alert
    return "\n".join(
        [
            f"{task.title}, {task.max_steps} steps. {alert['name']}: {alert['summary']}",
            episode.incident.summary,
            f"Known services: {', '.join(episode.incident.services)}",
        ]
    )


def describe_standing(episode: Episode) -> str:
    """Where an episode stands, in one line."""
    if episode.withheld:
        return OVER
    if episode.grade is None:
        return describe_remaining(episode.step_count, episode.task)
    steps = "1 step" if episode.step_count == 1 else f"{episode.step_count} steps"
    return f"Over after {steps}. Score {episode.grade.score:.4f}."


def describe_named_standing(episode: Episode) -> str:
    """Which incident it is, and where it stands."""
    return f"{episode.reference.scenario_id} · {describe_standing(episode)}"


def describe_remaining(steps: int, task: Task) -> str:
    """How many steps are taken and left."""
    return f"Step {steps} of {task.max_steps}; {task.max_steps - steps} left, {task.submission.name} included."


def describe_step(episode: Episode, evidence: str | None = None, *, rewards: bool = True) -> str:
    """What the last step showed, what it earned, what remains; after the end the score and the debrief.

    `evidence` stands for the text of what was shown, where that is told in part. Without `rewards` it does not say what
    the step earned.
    """
    step = episode.last
    if step is None:
        raise ValueError("no step has been taken")
    parts = []
    if step.evidence is not None:
        parts.append(step.evidence.text if evidence is None else evidence)
    if step.error:
        parts.append(step.error)
    if episode.grade is None or episode.truncated:
        feedback = step.feedback if rewards else step.plain_feedback
        parts.append(f"{feedback} {describe_named_standing(episode)}".lstrip())
    if episode.grade is not None:
        named = f"{episode.reference.scenario_id} · {episode.task.title}"
        parts += [f"{named}\n{describe_grade(episode.grade)}", write_debrief(episode)]
    return "\n\n".join(parts)


def write_timeline(episode: Episode, *, rewards: bool = True) -> str:
    """What has been done so far, a line per step; with `rewards` also what each has earned."""
    lines = [describe_named_standing(episode)]
    for step in episode.steps:
        feedback = step.feedback if rewards else step.plain_feedback.removeprefix(f"{step.action.step} ")
        told = " ".join(filter(None, [feedback, step.error]))
        named = "" if step.report else f"{_describe_action(step.action)} · "  # a report says what was done itself
        lines.append(f"{step.number:>2}. {named}{told}")
    return "\n".join(lines)


def _describe_action(action: Action) -> str:
    if isinstance(action.declaration, Submission):
        return action.declaration.line.format(**action.parameters.model_dump())
    return action.step


def draw_service_map(episode: Episode) -> dict[str, Any]:
    """Services and the calls between them, as far as queries have shown them."""
    queried: dict[str, list[str]] = {name: [] for name in episode.incident.services}
    states: dict[str, str] = {}
    calls: dict[tuple[str, str], str] = {}
    for (action, service), evidence in episode.shown.items():
        queried[service].append(action)
        if isinstance(evidence, Status):
            states[service] = evidence.state
        if isinstance(evidence, Dependencies):
            calls |= {(service, path.service): path.health for path in evidence.calls}
            for path in evidence.called_by:
                if path.service not in queried:  # somebody outside
                    continue
                if path.health != "unknown":
                    calls[path.service, service] = path.health
                else:  # the caller knows better, where it has been asked
                    calls.setdefault((path.service, service), path.health)
    alerting = set(episode.incident.alert["affected_services"])
    return {
        "services": [
            {"name": name, "alerting": name in alerting, "state": states.get(name), "queried": actions}
            for name, actions in queried.items()
        ],
        "calls": [
            {"from": caller, "to": callee, "health": health} for (caller, callee), health in sorted(calls.items())
        ],
    }


def draw_mermaid(episode: Episode) -> str:
    """The service map as a Mermaid flowchart; alerting services are marked, unhealthy calls are dotted."""
    shown = draw_service_map(episode)
    ids = {service["name"]: f"s{index}" for index, service in enumerate(shown["services"])}
    lines = ["flowchart LR"]
    for service in shown["services"]:
        state = f"<br/>{service['state']}" if service["state"] else ""
        lines.append(f'  {ids[service["name"]]}["{service["name"]}{state}"]')
    for call in shown["calls"]:
        arrow = "-->" if call["health"] == "healthy" else f"-. {call['health']} .->"
        lines.append(f"  {ids[call['from']]} {arrow} {ids[call['to']]}")
    alerting = [ids[service["name"]] for service in shown["services"] if service["alerting"]]
    if alerting:
        lines += ["  classDef alerting stroke:#c62828,stroke-width:3px", f"  class {','.join(alerting)} alerting"]
    return "\n".join(lines)


def describe_grade(grade: Grade) -> str:
    """A score and why, a line per point given or withheld."""
    width = max(len(point.name) for point in grade.breakdown)
    lines = [f"Score {grade.score:.4f} of 1.0"]
    for point in grade.breakdown:
        most = f" of {float(point.most):.2f}" if point.most else "        "
        lines.append(f"  {point.name.ljust(width)}  {float(point.points):+.4f}{most}  {point.reason}")
    return "\n".join(lines)


def write_debrief(episode: Episode) -> str:
    """After the end: the causal chain, the evidence that carried it, what did harm."""
    told = debrief(episode, curves=False)
    if told is None:
        return ""
    other = f", and beside it in {told['second_cause']}" if "second_cause" in told else ""
    lines = [f"What happened ({told['severity']}, started in {told['root_cause']}{other})"]
    lines += [f"  {number}. {sentence}" for number, sentence in enumerate(told["causal_chain"], 1)]
    if "beside" in told:
        lines.append("Beside it, and not part of it")
        lines += [f"  {aside['service']}: {aside['text']}" for aside in told["beside"]]
    if "changes" in told:
        changes = "; ".join(f"{aside['service']}: {aside['text']}" for aside in told["changes"])
        lines.append(f"Changed and harmless, of what was looked at: {changes}")
    if told["evidence"]:
        items = ", ".join(f"{item['action']} {item['service']}" for item in told["evidence"])
        lines.append(f"Evidence that shows the cause, for example: {items}")
    if "evidence_later" in told:
        items = ", ".join(f"{item['action']} {item['service']}" for item in told["evidence_later"])
        lines.append(f"Evidence that shows the second cause when the first is repaired, for example: {items}")
    if told["plan"]:
        lines.append(f"The plan: {' → '.join(told['plan'])}")
    if "nothing_to_repair" in told:
        lines.append(f"Nothing was to be repaired. {told['nothing_to_repair']}")
    lines += [f"Harm done: {harm}" for harm in told["harms"]]
    if "review" in told:
        lines.append(write_review(told["review"]))
    return "\n".join(lines)
