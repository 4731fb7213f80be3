"""The file of an evaluation: one trajectory per line. Lines are appended whole, so that a killed run can be resumed."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from cloud_incident.evaluation.running.trajectory import LINE_START, dump_trajectory, read_trajectories

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from cloud_incident.evaluation.running.trajectory import Trajectory


class RunInUseError(RuntimeError):
    """Another evaluation is writing the file."""


class RunFile:
    """Appends trajectories to a file; `done` holds the keys of those in it. An incomplete last line is removed.

    Entering the context raises:
        RunInUseError: if another evaluation is writing the file.
        ValueError: if the file holds something else than trajectories.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: set[str] = set()
        self.digests: dict[str, str] = {}
        """The digest of the incident of each trajectory that was in the file when it was opened, by key."""
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
            self.digests = {
                trajectory["key"]: trajectory["reference"]["digest"] for trajectory in read_trajectories(self._path)
            }
        except (OSError, ValueError):
            os.close(self._file)
            raise
        self.done = set(self.digests)
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
        self.done.add(trajectory["key"])

    def _cut_partial_line(self) -> None:
        """Remove an incomplete last line.

        Raises:
            ValueError: if it is not the start of a trajectory.
        """
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        last_start = content[whole : whole + len(LINE_START)]
        if not LINE_START.startswith(last_start):
            raise ValueError(f"{self._path} is no file of trajectories; nothing was changed in it.")
        if whole < len(content):
            os.ftruncate(self._file, whole)
