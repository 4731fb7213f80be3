"""Trajectories: records of episodes, complete enough to be replayed to the same score. Each is one line of JSON."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

from pydantic import AfterValidator, ConfigDict, FailFast, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import from_json
from typing_extensions import TypedDict

from cloud_incident.evaluation.running.conditions import ConditionsRecord
from env_core.observation import GradeReport
from env_core.reference import ObservationMode, RewardMode
from env_core.review import CurvesReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from env_core.reference import Reference

TRAJECTORY_FORMAT = 3
"""The version of the record. It changes whenever older lines can no longer be read."""

LINE_START = b'{"format":'
"""The first bytes of every line."""

MOST_ENTRIES = 1_000
"""Entries of a list or an object at most. Each that is wrong would be a problem of its own, and a million problems take
minutes and gigabytes."""

_FORMAT = re.compile(rb'\s*\{\s*"format"\s*:\s*(\d{1,9})\s*,\s*"key"\s*:')

_CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)


def _check_size(number: int) -> int:
    """Not in the schema, as clients round so large a bound."""
    if number >= 1 << 63:
        raise ValueError("must be less than 2^63")
    return number


_Count = Annotated[int, Field(ge=0), AfterValidator(_check_size)]
_Amount = Annotated[float, Field(ge=0.0, le=1e9)]
_Reward = Annotated[float, Field(ge=-1e6, le=1e6)]
_Score = Annotated[float, Field(ge=0.0, le=1.0)]


def _check_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_MOST_MINUTES, _MOST_APART, _LAST_YEAR = 1_000, timedelta(days=7), 9_000


def _check_curves(curves: CurvesReport) -> CurvesReport:
    """Check that curves can be drawn, whoever wrote them."""
    lanes = [curves[lane] for lane in ("as_left", "with_nothing_done", "with_the_best_repair")]
    if len({len(lane) for lane in lanes}) != 1 or not lanes[0]:
        raise ValueError("the curves have to be as long as each other")
    if not 1 <= curves["minutes_each"] <= _MOST_MINUTES or not all(0 <= share <= 1 for lane in lanes for share in lane):
        raise ValueError("a curve has shares from 0 to 1, each of a minute or more")
    since, *moments = (
        datetime.fromisoformat(moment)
        for moment in (
            curves["since"],
            *(curves[name] for name in ("fault_at", "page_at", "first_look_at", "ended_at")),
            *(mark["at"] for mark in curves["remediations"]),
        )
    )
    if since.year > _LAST_YEAR or any(moment.tzinfo is None for moment in (since, *moments)):
        raise ValueError("a moment of a curve is in UTC, and in the time of people")
    if any(abs(moment - since) > _MOST_APART for moment in moments):
        raise ValueError("a moment is too far from the curve")
    return curves


@with_config(_CLOSED)
class UsageRecord(TypedDict):
    """The cost of a step or an episode: tokens, and US dollars."""

    prompt_tokens: _Count
    completion_tokens: _Count
    cost: _Amount


@with_config(_CLOSED)
class StepTaken(TypedDict):
    """One step: the action, what it showed, and what it earned.

    `refused` holds the errors of actions that were refused before this one was accepted. `messages` is the conversation
    with a model for this step, `note` says what was unusual about the decision. `reward` lies between −1.0 and 1.0.
    """

    action: dict[str, Any]
    evidence: str | None
    reward: _Reward
    reward_events: dict[str, _Reward]
    feedback: str
    error: str | None
    note: str
    messages: Annotated[list[dict[str, Any]], FailFast()]
    refused: Annotated[list[str], FailFast()]
    usage: UsageRecord
    seconds: _Amount


@with_config(_CLOSED)
class ReferenceRecord(TypedDict):
    """The exact incident, rules and options of the episode. A replay refuses anything else."""

    scenario_id: str
    task_id: str
    incident_id: str
    digest: str
    rules: str
    reward_mode: RewardMode
    seed: _Count | None
    observation: ObservationMode


@with_config(_CLOSED)
class Trajectory(TypedDict):
    """The record of one episode of an evaluation.

    `key` names it within the evaluation: agent, scenario, seed and repeat. With `conditions` and `reference` it is all
    that the result depends on. `played_at` is when the episode ended, in UTC, as ISO 8601 has it.

    `score` is the grader's, 0.0 to 1.0. `gave_up` says why the agent took no further step before the end; its score is
    then 0.0, which is a result like any other. `failed` says why the episode could not be measured, for example because
    a model or a server did not answer; there is no score then. `seconds` is wall-clock time. `curves` tell what users
    lost as time passed, where a system ran and the environment says so.
    """

    format: int
    key: str
    agent: str
    task_id: str
    scenario_id: str
    seed: _Count
    repeat: _Count
    conditions: ConditionsRecord
    played_at: Annotated[str, AfterValidator(_check_moment)]
    reference: ReferenceRecord
    briefing: dict[str, Any]
    steps: Annotated[list[StepTaken], FailFast()]
    score: _Score | None
    total_reward: _Reward
    done: bool
    truncated: bool
    grade: NotRequired[GradeReport]
    curves: NotRequired[Annotated[CurvesReport, AfterValidator(_check_curves)]]
    gave_up: NotRequired[str]
    failed: NotRequired[str]
    usage: UsageRecord
    seconds: _Amount


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
        ValueError: if it is not a trajectory. The message is the first reason.
    """
    found = _FORMAT.match(line)
    if found is not None and int(found[1]) != TRAJECTORY_FORMAT:
        raise OtherFormatError(f"is of format {int(found[1])}; this release reads {TRAJECTORY_FORMAT}.")
    read = _read_json(line)
    try:
        trajectory = _TRAJECTORY.validate_python(read)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:120]
        raise ValueError(f"{f'`{where}`: ' if where else ''}{first['msg']}") from error
    if ("failed" in trajectory) != (trajectory["score"] is None):
        raise ValueError("an episode has no score where it failed, and one where it did not")
    return trajectory


def _read_json(line: bytes) -> Any:
    """The value that a line holds.

    Raises:
        ValueError: if it is not JSON, or a list or an object in it has too many entries.
    """
    try:
        read = from_json(line)
    except ValueError as error:
        raise ValueError(f"Invalid JSON: {error}") from error
    found = [read]
    while found:
        value = found.pop()
        if isinstance(value, dict | list):
            if len(value) > MOST_ENTRIES:
                raise ValueError(f"a list or an object in it has more than {MOST_ENTRIES} entries")
            found.extend(value.values() if isinstance(value, dict) else value)
    return read


def is_measured(trajectory: Trajectory) -> bool:
    """Whether the episode has a score. One that failed has none and is in no mean."""
    return "failed" not in trajectory


def read_score(trajectory: Trajectory) -> float:
    """Read the score of an episode, 0.0 to 1.0.

    Raises:
        ValueError: if it has none, because it failed.
    """
    score = trajectory["score"]
    if score is None:
        raise ValueError(f"{trajectory['key']} has no score: {trajectory.get('failed', 'it was not measured')}")
    return score


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """Read the trajectories of a file, one after another, those included that failed and were played again later.

    A last line that is incomplete is left out: it is being written, or its writer was killed.

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
                if not line.endswith(b"\n"):
                    return
                raise ValueError(
                    f"{path}:{number} is not a trajectory: {error}. If the line is broken, remove it; "
                    "`evaluate` plays its episode again."
                ) from error
            yield trajectory


def read_results(path: Path) -> list[Trajectory]:
    """Read what a file says last of each episode: its result, or, where it has none yet, its last failure.

    Raises:
        ValueError: as `read_trajectories` does, and if an episode has two results.
    """
    return keep_results(read_trajectories(path))


def keep_results(trajectories: Iterable[Trajectory]) -> list[Trajectory]:
    """Keep one trajectory of each key: its result, or, where it has none, its last failure.

    Raises:
        ValueError: if a key has two results.
    """
    kept: dict[str, Trajectory] = {}
    for trajectory in trajectories:
        before = kept.get(trajectory["key"])
        if before is None or not is_measured(before):
            kept[trajectory["key"]] = trajectory
        elif is_measured(trajectory):
            raise ValueError(f"There are two results of {trajectory['key']}; files of two runs cannot be joined.")
    return list(kept.values())
