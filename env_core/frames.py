"""An episode as frames: what there is to see after each of its steps, for whoever draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from env_core.briefing import draw_service_map
from env_core.observation import (
    GradeReport,
    Observation,
    StepInfo,
    StepRecord,
    debrief,
    observe_last_step,
    report_grade,
    report_step,
)
from env_core.transition import Transition

if TYPE_CHECKING:
    from env_core.episode import Episode


class ShownEvidence(TypedDict):
    """Evidence that a step showed, in its typed form."""

    action: str
    service: str
    evidence: dict[str, Any]


class Frame(TypedDict):
    """One moment of an episode: after a step, or before the first. It holds what was shown by then, and no more."""

    step: StepRecord | None
    observation: Observation
    """With the evidence of this step only."""
    evidence: ShownEvidence | None
    info: StepInfo
    note: str
    """What the agent said of its step, if it said anything."""
    service_map: dict[str, Any]
    grade: NotRequired[GradeReport]
    debrief: NotRequired[dict[str, Any]]


def draw_frame(episode: Episode, note: str = "") -> Frame:
    """The episode as it stands; after its end with grade and debrief."""
    last = episode.last
    frame: Frame = {
        "step": report_step(last) if last else None,
        "observation": observe_last_step(episode),
        "evidence": None,
        "info": Transition(episode, stepped=last is not None).info(),
        "note": note,
        "service_map": draw_service_map(episode),
    }
    if last is not None and last.evidence is not None:
        frame["evidence"] = {
            "action": last.action.name,
            "service": last.action.target,
            "evidence": last.evidence.model_dump(mode="json"),
        }
    if episode.grade is not None:
        frame["grade"] = report_grade(episode.grade, episode.incident)
        frame["debrief"] = debrief(episode) or {}
    return frame


def draw_frames(episode: Episode, since: int = 0) -> list[Frame]:
    """Every moment of an episode from the step of a number on; 0 is the moment before the first."""
    return [draw_frame(_as_after(episode, count)) for count in range(since, episode.step_count + 1)]


def _as_after(episode: Episode, count: int) -> Episode:
    """What was shown of an episode after its first `count` steps. Nothing is played again.

    What no frame shows before the end, such as the progress of the plan, is left as it is at the end.
    """
    if count == episode.step_count:
        return episode
    steps = episode.steps[:count]
    shown = {(step.action.name, step.action.target): step.evidence for step in steps if step.evidence is not None}
    return episode._replace(
        steps=steps, shown=shown, cumulative=sum(step.reward for step in steps), grade=None, truncated=False
    )
