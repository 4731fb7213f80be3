"""What an agent is shown: the observation, the state, the debrief. All plain JSON, all derived from the episode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from graders.score import DECIMALS
from scenarios.tasks import POINT

if TYPE_CHECKING:
    from env_core.episode import Episode, Step
    from graders import Grade


class PointReport(TypedDict):
    """Points given of the most that could be had, and why."""

    name: str
    points: float
    most: float
    reason: str


class GradeReport(TypedDict):
    """A final score from 0.0 to 1.0 with its breakdown."""

    score: float
    breakdown: list[PointReport]


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


OBSERVATION_FIELDS = (
    "episode_id",
    "task_id",
    "scenario_id",
    "step_count",
    "max_steps",
    "incident_summary",
    "alert",
    "available_actions",
    "queried_data",
    "known_services",
    "cumulative_reward",
    "done",
    "feedback",
    "last_action_error",
)


def observation(episode: Episode) -> dict[str, Any]:
    """The fourteen fields of an observation; `queried_data[action][service]` is the text last shown."""
    queried: dict[str, dict[str, str]] = {}
    for (action, service), evidence in episode.shown.items():
        queried.setdefault(action, {})[service] = evidence.text
    return {
        "episode_id": episode.id,
        "task_id": episode.task.id,
        "scenario_id": episode.reference.scenario_id,
        "step_count": episode.step_count,
        "max_steps": episode.task.max_steps,
        "incident_summary": episode.incident.summary,
        "alert": dict(episode.incident.alert),
        "available_actions": episode.task.available_actions,
        "queried_data": queried,
        "known_services": list(episode.incident.services),
        "cumulative_reward": episode.cumulative_reward,
        "done": episode.done,
        "feedback": episode.last.feedback if episode.last else episode.task.objective,
        "last_action_error": episode.last.error if episode.last else None,
    }


def progress_report(episode: Episode, *, stepped: bool = False) -> ProgressReport:
    """The numbers of an episode as it stands; with `stepped`, `reward` is that of its last step and else 0.0."""
    last = episode.last
    report: ProgressReport = {
        "episode_id": episode.id,
        "task_id": episode.task.id,
        "scenario_id": episode.reference.scenario_id,
        "step_count": episode.step_count,
        "max_steps": episode.task.max_steps,
        "reward": last.reward / POINT if last and stepped else 0.0,
        "cumulative_reward": episode.cumulative_reward,
        "done": episode.done,
        "feedback": last.feedback if last else episode.task.objective,
        "last_action_error": last.error if last else None,
    }
    if episode.grade is not None:
        report["grade"] = grade_report(episode.grade)
    return report


def grade_report(grade: Grade) -> GradeReport:
    """A grade as JSON; its parts are rounded to four decimals like the score."""
    return {
        "score": grade.score,
        "breakdown": [
            {
                "name": point.name,
                "points": round(float(point.points), DECIMALS),
                "most": round(float(point.most), DECIMALS),
                "reason": point.reason,
            }
            for point in grade.breakdown
        ],
    }


def step_record(step: Step) -> dict[str, Any]:
    """One step of the history: the action, what it earned and why."""
    return {
        "step": step.number,
        "action": step.action.dump(),
        "reward": step.reward / POINT,
        "reward_events": {event: points / POINT for event, points in step.events},
        "feedback": step.feedback,
        "error": step.error,
    }


def state(episode: Episode) -> dict[str, Any]:
    """The whole episode so far with its history of actions; nothing of the truth."""
    return {**observation(episode), "history": [step_record(step) for step in episode.steps]}


def debrief(episode: Episode) -> dict[str, Any] | None:
    """What mattered: severity, cause, causal chain, the plan, and of the evidence that carries the cause the set that
    the agent came nearest to. None before the end."""
    if not episode.done:
        return None
    incident, truth = episode.incident, episode.incident.truth
    certificates = sorted(
        incident.certificates(episode.task.id), key=lambda one: len(one & episode.shown.keys()) / len(one), reverse=True
    )
    return {
        "severity": truth.severity,
        "root_cause": truth.service,
        "causal_chain": list(truth.chain),
        "evidence": [{"action": action, "service": service} for action, service in sorted(certificates[0])],
        "plan": [step.step for step in incident.plan.steps] if episode.task.id == "remediation_planning" else [],
        "harms": [harm.means for harm in incident.plan.harms if harm.name in episode.progress],
    }
