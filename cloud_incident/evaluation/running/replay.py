"""Replays trajectories: prints them step by step, and plays them again to verify what they record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.running.action_list import get_score
from cloud_incident.evaluation.running.trajectory import is_measured
from env_core.episode import replay
from env_core.observation import report_grade
from env_core.reference import Reference
from scenarios.errors import CloudIncidentError
from scenarios.vocabulary import POINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.running.trajectory import Trajectory
    from env_core.episode import Episode
    from scenarios.catalogue import Catalogue

_RULE = "─" * 78


def find_differences(trajectory: Trajectory, catalogue: Catalogue) -> list[str]:
    """Replay a trajectory and list the differences between the two, a phrase each; empty if there are none.

    A trajectory that this release cannot replay counts as one difference.
    """
    try:
        *_, episode = replay_trajectory(trajectory, catalogue)
    except (CloudIncidentError, ValueError, KeyError) as error:  # another release wrote it, or it cannot be replayed
        return [f"an action has no {error}" if isinstance(error, KeyError) else str(error)]
    return list(compare_replay(trajectory, episode))


def replay_trajectory(trajectory: Trajectory, catalogue: Catalogue) -> Iterator[Episode]:
    """Replay a trajectory: give the episode before its first step and after every step.

    Raises:
        StaleReferenceError: if its incident or the rules are not what they were.
        InvalidActionError, ValueError, KeyError: if a step cannot be taken.
    """
    reference = Reference.read(trajectory["reference"])
    return replay("replayed", reference, [step["action"] for step in trajectory["steps"]], catalogue)


def compare_replay(trajectory: Trajectory, episode: Episode) -> Iterator[str]:
    """Compare a trajectory with the episode that it replays to; give a phrase for each difference."""
    for what in ("scenario_id", "task_id", "seed"):
        if trajectory[what] != trajectory["reference"][what]:
            yield f"the {what} is {trajectory[what]} and {trajectory['reference'][what]} in the reference"
    for number, (recorded, step) in enumerate(zip(trajectory["steps"], episode.steps, strict=True), 1):
        for what, then, now in (
            ("reward", recorded["reward"], step.reward / POINT),
            ("feedback", recorded["feedback"], step.feedback),
            ("evidence", recorded["evidence"], step.evidence.text if step.evidence else None),
            ("error", recorded["error"], step.error),
        ):
            if then != now:
                yield f"step {number}: the {what} was {_shorten(then)} and is {_shorten(now)} when replayed"
    if trajectory["done"] != episode.done:
        yield f"the episode {'had' if trajectory['done'] else 'had not'} ended and the replay says otherwise"
    if trajectory["truncated"] != episode.truncated:
        yield f"the episode {'had' if trajectory['truncated'] else 'had not'} run out of steps; the replay differs"
    score = get_score(episode) if is_measured(trajectory) else None
    if trajectory["score"] != score:
        yield f"the score was {_word_score(trajectory['score'])} and is {_word_score(score)} when replayed"
    if trajectory.get("grade") != (
        report_grade(episode.grade, episode.incident) if episode.grade is not None else None
    ):
        yield "the grade's breakdown is another when replayed"


def _word_score(score: float | None) -> str:
    return "none" if score is None else f"{score:.4f}"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def render_trajectory(trajectory: Trajectory) -> Iterator[str]:
    """Render a trajectory as lines of text for a reader."""
    yield f"{trajectory['key']} · {trajectory['task_id']} · score {_word_score(trajectory['score'])}"
    yield from str(trajectory["briefing"].get("incident_summary", "")).splitlines()
    for number, step in enumerate(trajectory["steps"], 1):
        yield _RULE
        parameters = " ".join(str(value) for value in step["action"]["parameters"].values())
        yield f"{number:>2}. {step['action']['action_type']} {parameters}"
        yield from (f"    refused before: {refusal}" for refusal in step["refused"])
        yield from (f"    {line}" for line in (step["evidence"] or "").splitlines())
        yield from (f"    {text}" for text in (step["error"], step["note"]) if text)
        yield f"    {step['feedback']} Reward {step['reward']:+.2f}."
    yield _RULE
    for point in trajectory["grade"]["breakdown"] if "grade" in trajectory else []:
        yield f"{point['points']:+.4f} of {point['most']:.2f}  {point['name']}: {point['reason']}"
    if "gave_up" in trajectory:
        yield f"the agent gave up: {trajectory['gave_up']}"
    if "failed" in trajectory:
        yield f"failed, and not measured: {trajectory['failed']}"
