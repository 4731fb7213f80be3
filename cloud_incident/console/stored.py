"""Stored evaluations: the files of trajectories in a directory, newest first."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from cloud_incident.console.refusals import UnknownStoredError, UnreadableError, UnreplayableError
from cloud_incident.evaluation.trajectory import FORMAT, LINE_START, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_incident.evaluation.trajectory import Trajectory

SUFFIX = ".jsonl"
MOST_BYTES = 64 << 20
"""Of a file that is read here; larger ones are for `cloud-incident evaluate --report` and `replay`."""

MOST_FILES = 20
_KEPT = 2 * MOST_FILES


class TrajectoryEntry(TypedDict):
    """A trajectory in a list. `failed` says why it was not played to its end."""

    key: str
    agent: str
    task_id: str
    scenario_id: str
    seed: int
    repeat: int
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    steps: int
    failed: str | None


def entry_of(trajectory: Trajectory) -> TrajectoryEntry:
    """A trajectory in short."""
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
    """A file as it was when it was listed: what is known of it holds while it has not changed since."""

    name: str
    path: Path
    modified: int
    """Nanoseconds since 1970."""

    size: int


class _Line(NamedTuple):
    """Where a trajectory stands: its line, from 1, and where that begins, in bytes."""

    number: int
    start: int
    entry: TrajectoryEntry


def stored_files(directory: Path) -> list[StoredFile]:
    """The last files of trajectories that stand directly in a directory, newest first."""
    found = []
    for path in directory.glob(f"*{SUFFIX}") if directory.is_dir() else ():
        with suppress(OSError):  # gone meanwhile, or not ours to read
            known = path.stat()
            if path.is_file() and known.st_size and _holds_trajectories(path):
                found.append(StoredFile(path.stem, path, known.st_mtime_ns, known.st_size))
    found.sort(key=lambda one: (-one.modified, one.name))
    return found[:MOST_FILES]


def stored_file(directory: Path, name: str) -> StoredFile:
    """The file of a name, which is one of those listed: no path is made of it.

    Raises:
        UnknownStoredError: if there is none.
    """
    files = stored_files(directory)
    for file in files:
        if file.name == name:
            return file
    known = f"There are: {', '.join(file.name for file in files)}." if files else "There is none."
    raise UnknownStoredError(f"There is no stored evaluation {name[:80]!r}. {known}")


def entries(file: StoredFile) -> list[TrajectoryEntry]:
    """The trajectories of a file in short, in its order.

    Raises:
        UnreadableError: if it is too large or a line is none.
    """
    return [line.entry for line in _lines(file)]


def read_whole(file: StoredFile) -> Iterator[Trajectory]:
    """The trajectories of a file, but a last line that is still being written.

    Raises:
        UnreadableError: if it is too large or a line is none.
    """
    return (trajectory for _, trajectory in _placed(file))


def trajectory_of(file: StoredFile, key: str) -> Trajectory:
    """The trajectory of a key; of several the last.

    Raises:
        UnknownStoredError: if there is none.
        UnreadableError: if the file is too large or a line is none.
    """
    line = next((line for line in reversed(_lines(file)) if line.entry["key"] == key), None)
    if line is None:
        raise UnknownStoredError(f"{file.name} has no trajectory {key[:120]!r}.")
    with file.path.open("rb") as content:
        content.seek(line.start)
        return parsed_line(content.readline(), line.number)


def parsed_line(line: bytes, number: int) -> Trajectory:
    """The trajectory of a line.

    Raises:
        UnreadableError: if it is none; it says why.
        UnreplayableError: if another release wrote it.
    """
    try:
        trajectory = parse(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:120]
        raise UnreadableError(
            f"Line {number} is not a trajectory: {f'`{where}`: ' if where else ''}{first['msg']}."
        ) from error
    if trajectory["format"] != FORMAT:
        raise UnreplayableError(f"Line {number} is of format {trajectory['format']}; this release reads {FORMAT}.")
    return trajectory


@lru_cache(_KEPT)
def _lines(file: StoredFile) -> list[_Line]:
    return [line for line, _ in _placed(file)]


def _placed(file: StoredFile) -> Iterator[tuple[_Line, Trajectory]]:
    """Every whole line of a file: where it stands, and what it says."""
    if file.size > MOST_BYTES:
        raise UnreadableError(
            f"{file.name} has {file.size >> 20} MB and at most {MOST_BYTES >> 20} are read here; "
            "`cloud-incident evaluate --report` makes its page."
        )
    start = 0
    with file.path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):  # it is still being written
                return
            trajectory = parsed_line(line, number)
            yield _Line(number, start, entry_of(trajectory)), trajectory
            start += len(line)


def _holds_trajectories(path: Path) -> bool:
    with path.open("rb") as content:
        return content.read(len(LINE_START)) == LINE_START
