"""The file of an evaluation: one trajectory a line, appended whole, so that a run that is killed can go on."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from cloud_incident.evaluation.trajectory import LINE_START, dump, read

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from cloud_incident.evaluation.trajectory import Trajectory


class RunInUseError(RuntimeError):
    """A file that another evaluation is writing."""


class RunFile:
    """Appends trajectories; `done` are the keys of those that are there. A line that was cut short is cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: set[str] = set()
        self.digests: dict[str, str] = {}
        """Of which content of their incidents those were that were there at first."""
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
            self._cut()
            self.digests = {one["key"]: one["reference"]["digest"] for one in read(self._path)}
        except (OSError, ValueError):
            os.close(self._file)
            raise
        self.done = set(self.digests)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def append(self, trajectory: Trajectory) -> None:
        """Write one down. What has been written survives the end of this process, however it ends."""
        line, before = memoryview(dump(trajectory)), os.fstat(self._file).st_size
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError:
            os.ftruncate(self._file, before)  # a full disk must not leave half a line for another to be written behind
            raise
        self.done.add(trajectory["key"])

    def _cut(self) -> None:
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        cut = content[whole : whole + len(LINE_START)]
        if not LINE_START.startswith(cut):
            raise ValueError(f"{self._path} is no file of trajectories; nothing was changed in it.")
        if whole < len(content):
            os.ftruncate(self._file, whole)
