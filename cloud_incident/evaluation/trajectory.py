"""Trajectories: what happened in one episode, whole enough to be replayed to the same score, one line of JSON each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from env_core.observation import GradeReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
"""Changes whenever older lines can no longer be read."""

LINE_START = b'{"format":'
"""What every line begins with."""

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class UsageRecord(TypedDict):
    """Tokens and US dollars."""

    prompt_tokens: int
    completion_tokens: int
    cost: float


@with_config(_CLOSED)
class StepTaken(TypedDict):
    """One step: what was decided and how, what it showed and what it earned.

    `refused` are actions that were no step at all and were decided anew, with what was said of them.
    """

    action: dict[str, Any]
    evidence: str | None
    reward: float
    reward_events: dict[str, float]
    feedback: str
    error: str | None
    note: str
    messages: list[dict[str, Any]]
    refused: list[str]
    usage: UsageRecord
    seconds: float


@with_config(_CLOSED)
class ReferenceRecord(TypedDict):
    """What the episode was played on; a replay refuses anything else."""

    scenario_id: str
    task_id: str
    incident_id: str
    digest: str
    rules: str
    reward_mode: str
    seed: int | None
    observation: str


@with_config(_CLOSED)
class Trajectory(TypedDict):
    """One episode of an evaluation.

    `key` names it within the evaluation: agent, scenario, seed and repeat. `score` is the grader's, 0.0 to 1.0;
    `failed` says why an episode could not be played to its end, and then its score is 0.0.
    """

    format: int
    key: str
    agent: str
    task_id: str
    scenario_id: str
    seed: int
    repeat: int
    reference: ReferenceRecord
    briefing: dict[str, Any]
    steps: list[StepTaken]
    score: float
    total_reward: float
    done: bool
    truncated: bool
    grade: NotRequired[GradeReport]
    failed: NotRequired[str]
    usage: UsageRecord
    seconds: float


_TRAJECTORY: TypeAdapter[Trajectory] = TypeAdapter(Trajectory)


def dump(trajectory: Trajectory) -> bytes:
    """One line, its end included."""
    return _TRAJECTORY.dump_json(trajectory) + b"\n"


def parse(line: bytes) -> Trajectory:
    """The trajectory of a line.

    Raises:
        ValueError: if it is none.
    """
    return _TRAJECTORY.validate_json(line)


def read(path: Path) -> Iterator[Trajectory]:
    """The trajectories of a file.

    Raises:
        ValueError: if a line is none; it says which.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                trajectory = parse(line)
            except ValueError as error:
                raise ValueError(f"{path}:{number} is not a trajectory: {error}") from error
            if trajectory["format"] != FORMAT:
                raise ValueError(f"{path}:{number} is of format {trajectory['format']}; this release reads {FORMAT}.")
            yield trajectory
