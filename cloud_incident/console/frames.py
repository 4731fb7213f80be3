"""Frames: an episode moment by moment, as the page shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NotRequired, cast

from typing_extensions import TypedDict

from env_core.briefing import service_map
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
from http_compat.shapes import Debrief, EvidenceItem

if TYPE_CHECKING:
    from cloud_incident.evaluation.trajectory import StepTaken
    from env_core.episode import Episode


class Frame(TypedDict):
    """One moment of an episode: after a step, or before the first.

    `observation` holds of the evidence what this step showed, as text; `evidence` is the same, typed. `note` says what
    was out of the ordinary. The truth (`grade`, `debrief`) stands in the last frame of an episode that has ended.
    """

    step: StepRecord | None
    observation: Observation
    evidence: EvidenceItem | None
    info: StepInfo
    note: str
    service_map: dict[str, Any]
    grade: NotRequired[GradeReport]
    debrief: NotRequired[Debrief]


def frame_of(episode: Episode, note: str = "") -> Frame:
    """An episode as it stands."""
    last = episode.last
    frame: Frame = {
        "step": step_record(last) if last else None,
        "observation": observation(_of_the_last_step(episode)),
        "evidence": _evidence(episode),
        "info": step_info(episode),
        "note": note,
        "service_map": service_map(episode),
    }
    told = debrief(episode)
    if episode.grade is not None and told is not None:
        frame["grade"] = grade_report(episode.grade)
        frame["debrief"] = cast("Debrief", told)
    return frame


def noted(step: StepTaken) -> str:
    """What was out of the ordinary in a step: who decided instead, what was refused before."""
    return " ".join([*(f"Refused: {refusal}" for refusal in step["refused"]), *filter(None, [step["note"]])])


def _of_the_last_step(episode: Episode) -> Episode:
    """The same, so that its observation shows what the last step did, whatever its own option says."""
    return episode._replace(reference=replace(episode.reference, observation="delta"))


def _evidence(episode: Episode) -> EvidenceItem | None:
    last = episode.last
    if last is None or last.evidence is None:
        return None
    shown = {"action": last.action.name, "service": last.action.target, "evidence": last.evidence.model_dump()}
    return cast("EvidenceItem", shown)
