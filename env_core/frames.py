"""An episode as frames: what there is to see after each of its steps, for whoever draws it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from env_core.briefing import service_map
from env_core.episode import Episode, advance
from env_core.observation import (
    GradeReport,
    Observation,
    StepInfo,
    StepRecord,
    debrief,
    grade_report,
    observation,
    step_info,
    step_record,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def frame(episode: Episode, note: str = "") -> Frame:
    """The episode as it stands; after its end with grade and debrief."""
    last = episode.last
    shown: Frame = {
        "step": step_record(last) if last else None,
        "observation": observation(_of_the_last_step(episode)),
        "evidence": None,
        "info": step_info(episode),
        "note": note,
        "service_map": service_map(episode),
    }
    if last is not None and last.evidence is not None:
        shown["evidence"] = {
            "action": last.action.name,
            "service": last.action.target,
            "evidence": last.evidence.model_dump(mode="json"),
        }
    if episode.grade is not None:
        shown["grade"] = grade_report(episode.grade)
        shown["debrief"] = debrief(episode) or {}
    return shown


def frames(episode: Episode, since: int = 0) -> list[Frame]:
    """Every moment of an episode from the step of a number on; 0 is the moment before the first."""
    return [frame(moment) for moment in _moments(episode) if moment.step_count >= since]


def _of_the_last_step(episode: Episode) -> Episode:
    """The same, but that its observation shows what the last step did, whatever its own option says."""
    return episode._replace(reference=replace(episode.reference, observation="delta"))


def _moments(episode: Episode) -> Iterator[Episode]:
    moment = Episode(episode.id, episode.reference, episode.incident, episode.task, episode.incarnation)
    yield moment
    for step in episode.steps:
        moment = advance(moment, step.action)
        yield moment
