"""What an agent is shown: the observation, the state, the debrief. All plain JSON, all derived from the episode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NotRequired

from pydantic import ConfigDict, FailFast, Field, with_config
from typing_extensions import TypedDict

from env_core.review import review_steps
from graders import DECIMALS
from scenarios.vocabulary import TaskId, to_reward

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from env_core.episode import Episode, Step
    from graders import Grade
    from scenarios.evidence import Evidence
    from scenarios.incident import Incident, Item


_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class ReasonReport(TypedDict):
    """One reason of a point: a code that stays the same, and the facts that its text tells."""

    code: str
    facts: dict[str, str | int | list[str]]


@with_config(_CLOSED)
class PointReport(TypedDict):
    """Points given of the most that could be had, and why: in words, and by codes for programs."""

    name: str
    points: float
    most: float
    reason: str
    reasons: Annotated[list[ReasonReport], FailFast()]


Proved = Annotated[
    bool, Field(description="False of an incident whose cause nobody has shown can be told and repaired.")
]


@with_config(_CLOSED)
class GradeReport(TypedDict):
    """A final score from 0.0 to 1.0 with its breakdown."""

    score: float
    breakdown: Annotated[list[PointReport], FailFast()]
    proved: NotRequired[Proved]


class ProgressReport(TypedDict):
    """The numbers of an episode after its last step, without evidence; after the end with its grade."""

    episode_id: str
    task_id: str
    scenario_id: str
    step_count: int
    max_steps: int
    reward: float
    cumulative_reward: float
    done: bool
    feedback: str
    last_action_error: str | None
    grade: NotRequired[GradeReport]


class Observation(TypedDict):
    """What an agent knows of its incident."""

    episode_id: Annotated[str, Field(description="Handle of the episode.")]
    task_id: Annotated[TaskId, Field(description="Task being worked.")]
    scenario_id: Annotated[str, Field(description="Scenario being worked, such as RCA-001.")]
    step_count: Annotated[int, Field(ge=0, description="Steps taken so far, penalised ones too.")]
    max_steps: Annotated[int, Field(ge=1, description="Steps allowed, the submission included.")]
    incident_summary: Annotated[str, Field(description="What is going on, in plain words.")]
    alert: Annotated[dict[str, Any], Field(description="The alert: severity, symptoms, affected services and more.")]
    available_actions: Annotated[list[str], Field(description="Actions of this task.")]
    queried_data: Annotated[
        dict[str, dict[str, str]], Field(description="Evidence last shown, by action and service, as text.")
    ]
    known_services: Annotated[list[str], Field(description="Exact service names that actions take, alphabetical.")]
    cumulative_reward: Annotated[float, Field(description="Sum of the rewards so far.")]
    done: Annotated[bool, Field(description="Whether the episode has ended.")]
    feedback: Annotated[str, Field(description="What the last step earned and why; the objective before the first.")]
    last_action_error: Annotated[str | None, Field(description="What was wrong with the last step, if anything was.")]


@with_config(_CLOSED)
class StepRecord(TypedDict):
    """One step of the history."""

    step: int
    action: dict[str, Any]
    reward: float
    reward_events: dict[str, float]
    feedback: str
    error: str | None


@with_config(_CLOSED)
class State(Observation):
    """The whole episode so far: the observation and every step taken."""

    history: Annotated[list[StepRecord], Field(description="Every step taken, oldest first.")]


Incarnation = Annotated[str, Field(description="Tells the episode from others that had its handle, or will have it.")]


@with_config(_CLOSED)
class OpenState(State):
    """The whole of an episode that a server keeps."""

    incarnation: Incarnation


@with_config(_CLOSED)
class StepInfo(TypedDict):
    """What a trainer wants to know of a step beside its observation, reward and end."""

    reward_events: Annotated[dict[str, float], Field(description="The reward by what earned it.")]
    terminated: Annotated[bool, Field(description="Whether a submission has ended the episode.")]
    truncated: Annotated[bool, Field(description="Whether the step limit has ended the episode.")]
    seed: Annotated[int | None, Field(description="The seed given or drawn, if any.")]
    proved: NotRequired[Proved]
    grade: NotRequired[GradeReport]


@with_config(_CLOSED)
class ResetInfo(StepInfo):
    """What whoever starts an episode wants to know beside its first observation."""

    incarnation: Incarnation
    agent_url: Annotated[str, Field(description="The address of its endpoint for an agent, over MCP.")]


def render_evidence(evidence: Evidence) -> str:
    """The text by which observations show evidence."""
    return evidence.text


def observe(episode: Episode, render: Callable[[Evidence], Any] = render_evidence) -> Observation:
    """What the agent is shown; of an episode with `observation: delta` only the evidence of the last step.

    `render` converts each piece of evidence to JSON; by default it gives the text.
    """
    shown = _last_shown(episode) if episode.reference.observation == "delta" else episode.shown
    return _build_observation(episode, shown, render)


def observe_last_step(episode: Episode) -> Observation:
    """The observation with the evidence of the last step only, whatever the episode's option says."""
    return _build_observation(episode, _last_shown(episode))


def _last_shown(episode: Episode) -> Mapping[Item, Evidence]:
    last = episode.last
    return {} if last is None or last.evidence is None else {(last.action.name, last.action.target): last.evidence}


def _build_observation(
    episode: Episode, shown: Mapping[Item, Evidence], render: Callable[[Evidence], Any] = render_evidence
) -> Observation:
    task, incident, last = episode.task, episode.incident, episode.last
    queried: dict[str, dict[str, str]] = {}
    for (action, service), evidence in shown.items():
        if action in queried:
            queried[action][service] = render(evidence)
        else:
            queried[action] = {service: render(evidence)}
    return {
        "episode_id": episode.id,
        "task_id": task.id,
        "scenario_id": episode.reference.scenario_id,
        "step_count": episode.step_count,
        "max_steps": task.max_steps,
        "incident_summary": incident.summary,
        "alert": dict(episode.course.alert),
        "available_actions": task.available_actions,
        "queried_data": queried,
        "known_services": list(incident.services),
        "cumulative_reward": episode.cumulative_reward,
        "done": episode.done,
        "feedback": last.feedback if last else task.objective,
        "last_action_error": last.error if last else None,
    }


def report_grade(grade: Grade, incident: Incident) -> GradeReport:
    """A grade as JSON; its parts are rounded to four decimals like the score. What is not proved says so."""
    report: GradeReport = {
        "score": grade.score,
        "breakdown": [
            {
                "name": point.name,
                "points": round(float(point.points), DECIMALS),
                "most": round(float(point.most), DECIMALS),
                "reason": point.reason,
                "reasons": [{"code": reason.code, "facts": dict(reason.facts)} for reason in point.reasons],
            }
            for point in grade.breakdown
        ],
    }
    if not incident.proved:
        report["proved"] = False
    return report


def report_step(step: Step) -> StepRecord:
    """One step of the history: the action, what it earned and why."""
    return {
        "step": step.number,
        "action": step.action.dump(),
        "reward": to_reward(step.reward),
        "reward_events": {event: to_reward(points) for event, points in step.events},
        "feedback": step.feedback,
        "error": step.error,
    }


def read_state(episode: Episode) -> State:
    """The whole episode so far with its history of actions; nothing of the truth."""
    return {**_build_observation(episode, episode.shown), "history": [report_step(step) for step in episode.steps]}


def read_open_state(episode: Episode) -> OpenState:
    """The state of an episode that a server keeps."""
    return {**read_state(episode), "incarnation": episode.incarnation}


def debrief(episode: Episode, *, curves: bool = True) -> dict[str, Any] | None:
    """What mattered: severity, cause, causal chain, who got the trouble from whom, the plan, and of the evidence that
    carries the cause the set that the agent came nearest to. None before the end, and where the grade is withheld.

    Where a system was drawn, also the troubles of others, and harmless changes to what was looked at. Where there was
    nothing to repair, why not. The `curves` of
    its review are left out if nobody is to draw them.
    """
    if episode.grade is None:
        return None
    incident, truth, account = episode.incident, episode.incident.truth, episode.incident.account
    certificates = sorted(
        incident.certificates(episode.task.id),
        key=lambda certificate: len(certificate & episode.shown.keys()) / len(certificate),
        reverse=True,
    )
    told: dict[str, Any] = {
        "severity": truth.severity,
        "root_cause": truth.service,
        **({"second_cause": truth.second.service} if truth.second is not None else {}),
        "causal_chain": list(account.chain),
        "spread": [{"from": service, "to": suffering} for service, suffering in truth.spread],
        "evidence": [{"action": action, "service": service} for action, service in sorted(certificates[0])],
        "plan": [step.step for step in incident.plan.steps] if episode.task.asks_repair else [],
        "harms": list(episode.course.harms),
    }
    if incident.plan.pause is not None:
        told["evidence_later"] = [{"action": name, "service": on} for name, on in sorted(incident.plan.pause.looks)]
    looked_at = {service for _, service in episode.shown}
    changes = [change for change in account.changes if change.service in looked_at]
    for name, asides in (("beside", account.beside), ("changes", changes)):
        if asides:
            told[name] = [aside._asdict() for aside in asides]
    if account.calm and episode.task.asks_repair:
        told["nothing_to_repair"] = account.calm
    review = review_steps(episode, curves=curves)
    return told if review is None else {**told, "review": review}
