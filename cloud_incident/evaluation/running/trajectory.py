"""Trajectories: records of episodes, complete enough to be replayed to the same score. Each is one line of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from env_core.episode import ObservationMode, RewardMode
from env_core.observation import GradeReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from env_core.episode import Reference

TRAJECTORY_FORMAT = 2
"""The version of the record. It changes whenever older lines can no longer be read."""

LINE_START = b'{"format":'
"""The first bytes of every line."""

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class UsageRecord(TypedDict):
    """The cost of a step or an episode: tokens, and US dollars."""

    prompt_tokens: int
    completion_tokens: int
    cost: float


@with_config(_CLOSED)
class StepTaken(TypedDict):
    """One step: the action, what it showed, and what it earned.

    `refused` holds the errors of actions that were refused before this one was accepted. `messages` is the conversation
    with a model for this step, `note` says what was unusual about the decision. `reward` lies between −1.0 and 1.0.
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
    """The exact incident, rules and options of the episode. A replay refuses anything else."""

    scenario_id: str
    task_id: str
    incident_id: str
    digest: str
    rules: str
    reward_mode: RewardMode
    seed: int | None
    observation: ObservationMode


@with_config(_CLOSED)
class Trajectory(TypedDict):
    """The record of one episode of an evaluation.

    `key` names it within the evaluation: agent, scenario, seed and repeat. `score` is the grader's, 0.0 to 1.0.
    `failed` says why an episode could not be played to its end; its score is then 0.0. `seconds` is wall-clock time.
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


def record_reference(reference: Reference) -> ReferenceRecord:
    """Record what an episode is played on."""
    return {
        "scenario_id": reference.scenario_id,
        "task_id": reference.task_id,
        "incident_id": reference.incident_id,
        "digest": reference.digest,
        "rules": reference.rules,
        "reward_mode": reference.reward_mode,
        "seed": reference.seed,
        "observation": reference.observation,
    }


def dump_trajectory(trajectory: Trajectory) -> bytes:
    """Dump a trajectory as a line of JSON, with its line end."""
    return _TRAJECTORY.dump_json(trajectory) + b"\n"


class OtherFormatError(ValueError):
    """A trajectory that another release wrote. The message goes on after the place of the line."""


def parse_trajectory(line: bytes) -> Trajectory:
    """Parse a line of JSON.

    Raises:
        OtherFormatError: if it is a trajectory of another format.
        ValueError: if it is not a trajectory.
    """
    trajectory = _TRAJECTORY.validate_json(line)
    if trajectory["format"] != TRAJECTORY_FORMAT:
        raise OtherFormatError(f"is of format {trajectory['format']}; this release reads {TRAJECTORY_FORMAT}.")
    return trajectory


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """Read the trajectories of a file, one after another.

    Raises:
        ValueError: if a line is not a trajectory or has another format; the message names the line.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                trajectory = parse_trajectory(line)
            except OtherFormatError as error:
                raise ValueError(f"{path}:{number} {error}") from error
            except ValueError as error:
                raise ValueError(f"{path}:{number} is not a trajectory: {error}") from error
            yield trajectory
