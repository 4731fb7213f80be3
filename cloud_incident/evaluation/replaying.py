"""Replaying a trajectory: printed step by step, and played again to see that it is what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.episode import Reference, replay
from env_core.observation import report_grade
from scenarios.vocabulary import POINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.trajectory import Trajectory
    from env_core.episode import Episode
    from scenarios.catalogue import Catalogue

_RULE = "─" * 78


def differences(trajectory: Trajectory, catalogue: Catalogue) -> list[str]:
    """What a trajectory says and its replay does not; empty if it is true.

    A trajectory of another release is one difference: it cannot be judged here.
    """
    try:
        *_, episode = replayed(trajectory, catalogue)
    except (ValueError, KeyError) as error:  # of another release, or with an action that cannot be replayed
        return [str(error) if isinstance(error, ValueError) else f"an action has no {error}"]
    return list(compared(trajectory, episode))


def replayed(trajectory: Trajectory, catalogue: Catalogue) -> Iterator[Episode]:
    """The episode before the first step of a trajectory, and after every one.

    Raises:
        StaleReferenceError: if its incident or the rules are not what they were.
        ValueError, KeyError: if a step is none that could have been taken.
    """
    reference = Reference(**trajectory["reference"])  # type: ignore[arg-type]
    return replay("replayed", reference, [step["action"] for step in trajectory["steps"]], catalogue)


def compared(trajectory: Trajectory, episode: Episode) -> Iterator[str]:
    """What a trajectory says and the episode that it replays to does not."""
    for what in ("scenario_id", "task_id", "seed"):
        if trajectory[what] != trajectory["reference"][what]:
            yield f"the {what} is {trajectory[what]} and {trajectory['reference'][what]} in the reference"
    for number, (said, step) in enumerate(zip(trajectory["steps"], episode.steps, strict=True), 1):
        for what, then, now in (
            ("reward", said["reward"], step.reward / POINT),
            ("feedback", said["feedback"], step.feedback),
            ("evidence", said["evidence"], step.evidence.text if step.evidence else None),
            ("error", said["error"], step.error),
        ):
            if then != now:
                yield f"step {number}: the {what} was {_short(then)} and is {_short(now)} when replayed"
    if trajectory["done"] != episode.done:
        yield f"the episode {'had' if trajectory['done'] else 'had not'} ended and the replay says otherwise"
    if trajectory["truncated"] != episode.truncated:
        yield f"the episode {'had' if trajectory['truncated'] else 'had not'} run out of steps; the replay differs"
    score = episode.grade.score if episode.grade and "failed" not in trajectory else 0.0
    if trajectory["score"] != score:
        yield f"the score was {trajectory['score']:.4f} and is {score:.4f} when replayed"
    if trajectory.get("grade") != (report_grade(episode.grade) if episode.grade is not None else None):
        yield "the grade's breakdown is another when replayed"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def told(trajectory: Trajectory) -> Iterator[str]:
    """A trajectory for a reader, line by line."""
    yield f"{trajectory['key']} · {trajectory['task_id']} · score {trajectory['score']:.4f}"
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
    if "failed" in trajectory:
        yield f"failed: {trajectory['failed']}"
