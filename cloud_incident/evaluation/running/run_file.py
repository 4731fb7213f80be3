"""The file of an evaluation: one trajectory per line. Lines are appended whole, so that a killed run can be resumed."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.running.trajectory import LINE_START, dump_trajectory, is_measured, read_results

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from cloud_incident.evaluation.running.conditions import ConditionsRecord
    from cloud_incident.evaluation.running.trajectory import ReferenceRecord, Trajectory


WAY_OUT = "Name another file as --out, or start this one over with --start-over."
"""What to do about a file whose results cannot be added to."""


class KnownResult(NamedTuple):
    """What a result in a file rests on."""

    agent: str
    conditions: ConditionsRecord
    reference: ReferenceRecord


class RunInUseError(RuntimeError):
    """Another evaluation is writing the file."""


class RunFile:
    """Appends trajectories to a file. An incomplete last line is removed.

    `done` holds the keys of those in it that have a result, `failed` of those that have none yet.

    Entering the context raises:
        RunInUseError: if another evaluation is writing the file.
        ValueError: if the file holds something else than trajectories.
    """

    def __init__(self, path: Path, *, start_over: bool = False) -> None:
        self._path = path
        self._start_over = start_over
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.known: dict[str, KnownResult] = {}
        """What the results rest on that were in the file when it was opened, by key."""
        self._file = -1

    def __enter__(self) -> RunFile:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise RunInUseError(f"{self._path} is being written by another evaluation.") from error
        try:
            self._cut_partial_line()
            self._read()
        except (OSError, ValueError):
            os.close(self._file)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def append(self, trajectory: Trajectory) -> None:
        """Append a trajectory. It survives the end of this process, however it ends.

        Raises:
            OSError: if it cannot be written; the file is then as before.
        """
        line, before = memoryview(dump_trajectory(trajectory)), os.fstat(self._file).st_size
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError:
            os.ftruncate(self._file, before)  # a full disk must not leave half a line
            raise
        self._note(trajectory)

    def _read(self) -> None:
        if self._start_over:
            os.ftruncate(self._file, 0)
            return
        try:
            results = read_results(self._path)
        except ValueError as error:
            raise ValueError(f"{error} {WAY_OUT}") from error
        for trajectory in results:
            self._note(trajectory)
            if is_measured(trajectory):
                known = KnownResult(trajectory["agent"], trajectory["conditions"], trajectory["reference"])
                self.known[trajectory["key"]] = known

    def _note(self, trajectory: Trajectory) -> None:
        key = trajectory["key"]
        if is_measured(trajectory):
            self.done.add(key)
            self.failed.discard(key)
        else:
            self.failed.add(key)

    def _cut_partial_line(self) -> None:
        """Remove an incomplete last line.

        Raises:
            ValueError: if the file holds something else than trajectories.
        """
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        for start in (0, whole):
            if not LINE_START.startswith(content[start : start + len(LINE_START)]):
                raise ValueError(
                    f"{self._path} is no file of trajectories; nothing was changed in it. Name another file as --out."
                )
        if whole < len(content):
            os.ftruncate(self._file, whole)
