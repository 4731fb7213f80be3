"""Trajectories, stored or uploaded, as frames. Each is played again, because what it says of itself may not be true."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, NotRequired

from anyio import CapacityLimiter, to_thread
from typing_extensions import TypedDict

from cloud_incident.console.notes import write_note
from cloud_incident.console.refusals import (
    UnknownStoredError,
    UnreadableFileError,
    UnreplayableError,
    UploadsWaitError,
)
from cloud_incident.console.stored import (
    TrajectoryEntry,
    build_entry,
    find_file,
    find_trajectory,
    list_entries,
    list_files,
    parse_line,
)
from cloud_incident.evaluation.running import compare_replay, replay_trajectory
from env_core.frames import Frame, draw_frame
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_incident.evaluation.running import Trajectory
    from scenarios.catalogue import Catalogue

MOST_UPLOADED = 8 << 20
"""Bytes of an upload at most. A long episode of a model that is shown much has some hundred thousand."""

MOST_WAITING = 4
"""Uploads that wait at most, since each is kept in memory meanwhile."""

MOST_LISTED = 1_000
"""Trajectories in one answer at most."""


class StoredTrajectory(TrajectoryEntry):
    """A stored trajectory in a list; `run` is the name of the evaluation that it belongs to."""

    run: str


class UnreadableReport(TypedDict):
    """An evaluation that cannot be read, and why."""

    run: str
    problem: str


class TrajectoriesAnswer(TypedDict):
    """The stored trajectories, newest evaluation first; `left_off` says how many more there are.

    Evaluations that cannot be read are `unreadable`.
    """

    trajectories: list[StoredTrajectory]
    left_off: int
    unreadable: list[UnreadableReport]


class OpenedAnswer(TypedDict):
    """A trajectory frame by frame. `differences` lists where its replay differs from what it records.

    After an upload, `uploaded` lists every trajectory that the upload holds.
    """

    trajectory: TrajectoryEntry
    frames: list[Frame]
    differences: list[str]
    uploaded: NotRequired[list[TrajectoryEntry]]


@dataclass(slots=True)
class Trajectories:
    """The trajectories of a directory, and those that visitors bring."""

    catalogue: Catalogue
    directory: Path
    _working: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    _uploads: int = field(default=0, init=False)  # those that wait, and the one that is opened

    async def list_stored(self, evaluation: str = "") -> TrajectoriesAnswer:
        """The stored trajectories of one evaluation, or of all evaluations that can be read.

        Raises:
            UnknownStoredError: if there is no evaluation of that name.
            UnreadableFileError: if its file cannot be read.
            UnreplayableError: if another release wrote it.
        """
        return await to_thread.run_sync(self._list_stored, evaluation, limiter=self._working)

    async def open_stored(self, evaluation: str, key: str) -> OpenedAnswer:
        """The stored trajectory of a key, replayed.

        Raises:
            UnknownStoredError: if there is none.
            UnreadableFileError: if its file cannot be read.
            UnreplayableError: if it cannot be replayed, for example because its incident has changed.
        """
        return await to_thread.run_sync(self._open_stored, evaluation, key, limiter=self._working)

    async def open_upload(self, content: bytes, key: str = "") -> OpenedAnswer:
        """A trajectory of an upload, replayed: the one of a key, or else the first.

        An upload is a trajectory, or a file of them as JSON lines.

        Raises:
            UnreadableFileError: if it holds something else.
            UnknownStoredError: if it holds none of that key.
            UnreplayableError: as `open_stored` does.
            UploadsWaitError: if as many uploads wait as may.
        """
        if self._uploads > MOST_WAITING:
            raise UploadsWaitError(f"{MOST_WAITING} uploads wait to be opened already; try again in a few seconds.")
        self._uploads += 1
        try:
            return await to_thread.run_sync(self._open_upload, content, key, limiter=self._working)
        finally:
            self._uploads -= 1

    def _list_stored(self, evaluation: str) -> TrajectoriesAnswer:
        found: list[StoredTrajectory] = []
        unreadable: list[UnreadableReport] = []
        for file in [find_file(self.directory, evaluation)] if evaluation else list_files(self.directory):
            try:
                found += [{"run": file.name, **entry} for entry in list_entries(file)]
            except CloudIncidentError as error:  # in the list of all, one bad file must not hide the others
                if evaluation:
                    raise
                unreadable.append({"run": file.name, "problem": str(error)})
        left_off = max(0, len(found) - MOST_LISTED)
        return {"trajectories": found[:MOST_LISTED], "left_off": left_off, "unreadable": unreadable}

    def _open_stored(self, evaluation: str, key: str) -> OpenedAnswer:
        return self._replay(find_trajectory(find_file(self.directory, evaluation), key))

    def _open_upload(self, content: bytes, key: str) -> OpenedAnswer:
        entries: list[TrajectoryEntry] = []
        chosen: Trajectory | None = None
        for trajectory in _read_upload(content):
            entries.append(build_entry(trajectory))
            if chosen is None and key in {"", trajectory["key"]}:
                chosen = trajectory
        if not entries:
            raise UnreadableFileError("The upload is empty; it takes a trajectory, or a file of them as JSON lines.")
        if chosen is None:
            raise UnknownStoredError(f"The upload has no trajectory {key[:120]!r}.")
        return {**self._replay(chosen), "uploaded": entries}

    def _replay(self, trajectory: Trajectory) -> OpenedAnswer:
        try:
            episodes = list(replay_trajectory(trajectory, self.catalogue))
        except KeyError as error:
            raise UnreplayableError(f"An action has no {error}, so that it cannot be replayed.") from error
        except (CloudIncidentError, ValueError) as error:  # ValueError: a step after the end of the episode
            raise UnreplayableError(f"It cannot be replayed here: {error}") from error
        notes = ["", *(write_note(step) for step in trajectory["steps"])]
        return {
            "trajectory": build_entry(trajectory),
            "frames": [draw_frame(*moment) for moment in zip(episodes, notes, strict=True)],
            "differences": list(compare_replay(trajectory, episodes[-1])),
        }


def _read_upload(content: bytes) -> Iterator[Trajectory]:
    """The trajectories of an upload, one after the other, since lists of short lines are far larger than the upload."""
    if content.lstrip().partition(b"\n")[0].strip() == b"{":  # one trajectory, written over many lines
        yield parse_line(content, 1)
        return
    for number, line in enumerate(BytesIO(content), 1):
        if line.strip():
            yield parse_line(line, number)
