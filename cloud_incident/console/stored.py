"""Stored evaluations: the files of trajectories in a directory, newest first."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field
from typing_extensions import TypedDict

from cloud_incident.console.refusals import UnknownStoredError, UnreadableFileError, UnreplayableError
from cloud_incident.evaluation.running import LINE_START, OtherFormatError, keep_results, parse_trajectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_incident.evaluation.running import Trajectory

SUFFIX = ".jsonl"
MOST_BYTES = 64 << 20
"""Bytes of a file that is read here at most; `cloud-incident evaluate --report` and `replay` read larger ones."""

MOST_FILES = 20
"""Files that are listed at most, the newest."""
_KEPT = 2 * MOST_FILES
"""Files whose lines are remembered, those read last."""


class TrajectoryEntry(TypedDict):
    """A trajectory in a list. `failed` says why the episode could not be measured; it has no score then."""

    key: str
    agent: str
    task_id: str
    scenario_id: str
    seed: int
    repeat: int
    score: Annotated[float, Field(ge=0.0, le=1.0)] | None
    steps: int
    failed: str | None


def build_entry(trajectory: Trajectory) -> TrajectoryEntry:
    """The entry of a trajectory in a list."""
    return {
        "key": trajectory["key"],
        "agent": trajectory["agent"],
        "task_id": trajectory["task_id"],
        "scenario_id": trajectory["scenario_id"],
        "seed": trajectory["seed"],
        "repeat": trajectory["repeat"],
        "score": trajectory["score"],
        "steps": len(trajectory["steps"]),
        "failed": trajectory.get("failed"),
    }


class StoredFile(NamedTuple):
    """A file as it was when it was listed. What was read from it is remembered until the file changes."""

    name: str
    path: Path
    modified: int
    """Nanoseconds since 1970."""

    size: int


class _StoredLine(NamedTuple):
    """Where a trajectory stands in its file: the number of its line, from 1, and the byte at which that begins."""

    number: int
    start: int
    entry: TrajectoryEntry


def list_files(directory: Path) -> list[StoredFile]:
    """The files of trajectories that stand directly in a directory, newest first, MOST_FILES at most."""
    found = []
    for path in directory.glob(f"*{SUFFIX}") if directory.is_dir() else ():
        with suppress(OSError):  # deleted since, or not readable for this process
            known = path.stat()
            if path.is_file() and known.st_size and _holds_trajectories(path):
                found.append(StoredFile(_read_name(path), path, known.st_mtime_ns, known.st_size))
    found.sort(key=lambda file: (-file.modified, file.name))
    return found[:MOST_FILES]


def _read_name(path: Path) -> str:
    """The name of a file as text. What is not UTF-8 in it is replaced: it could not be sent."""
    return os.fsencode(path.stem).decode("utf-8", "replace")


def find_file(directory: Path, name: str) -> StoredFile:
    """The listed file of a name. No path is made of the name, so that it cannot lead elsewhere.

    Raises:
        UnknownStoredError: if there is none.
    """
    files = list_files(directory)
    for file in files:
        if file.name == name:
            return file
    known = f"There are: {', '.join(file.name for file in files)}." if files else "There is none."
    raise UnknownStoredError(f"There is no stored evaluation {name[:80]!r}. {known}")


def list_entries(file: StoredFile) -> list[TrajectoryEntry]:
    """The entries of the trajectories of a file, in its order; of an episode that was played again the last one.

    Raises:
        UnreadableFileError: if it is too large or a line is no trajectory.
        UnreplayableError: if another release wrote a line.
    """
    return list({line.entry["key"]: line.entry for line in _list_lines(file)}.values())


def read_results(file: StoredFile) -> list[Trajectory]:
    """What a file says last of each episode, without a last line that is still being written.

    Raises:
        UnreadableFileError: if it is too large, a line is no trajectory, or an episode has two results.
        UnreplayableError: if another release wrote a line.
    """
    try:
        return keep_results(trajectory for _, trajectory in _read_lines(file))
    except ValueError as error:
        raise UnreadableFileError(str(error)) from error


def find_trajectory(file: StoredFile, key: str) -> Trajectory:
    """The trajectory of a key; the last one where several have it.

    Raises:
        UnknownStoredError: if there is none.
        UnreadableFileError: if the file is too large or a line is no trajectory.
        UnreplayableError: if another release wrote a line.
    """
    line = next((line for line in reversed(_list_lines(file)) if line.entry["key"] == key), None)
    if line is None:
        raise UnknownStoredError(f"{file.name} has no trajectory {key[:120]!r}.")
    with file.path.open("rb") as content:
        content.seek(line.start)
        return parse_line(content.readline(), line.number)


def parse_line(line: bytes, number: int) -> Trajectory:
    """The trajectory of a line.

    Raises:
        UnreadableFileError: if it is no trajectory; the message says why.
        UnreplayableError: if another release wrote it.
    """
    try:
        return parse_trajectory(line)
    except OtherFormatError as error:
        raise UnreplayableError(f"Line {number} {error}") from error
    except ValueError as error:
        raise UnreadableFileError(f"Line {number} is not a trajectory: {error}.") from error


@lru_cache(_KEPT)
def _list_lines(file: StoredFile) -> list[_StoredLine]:
    return [line for line, _ in _read_lines(file)]


def _read_lines(file: StoredFile) -> Iterator[tuple[_StoredLine, Trajectory]]:
    """Every whole line of a file: where it stands, and the trajectory that it holds."""
    if file.size > MOST_BYTES:
        raise UnreadableFileError(
            f"{file.name} has {file.size >> 20} MB and at most {MOST_BYTES >> 20} are read here; "
            "`cloud-incident evaluate --report` makes its page."
        )
    start = 0
    try:
        with file.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):  # it is still being written
                    return
                trajectory = parse_line(line, number)
                yield _StoredLine(number, start, build_entry(trajectory)), trajectory
                start += len(line)
    except OSError as error:
        raise UnreadableFileError(f"{file.name} cannot be read: {error.strerror}.") from error


def _holds_trajectories(path: Path) -> bool:
    with path.open("rb") as content:
        return content.read(len(LINE_START)) == LINE_START
