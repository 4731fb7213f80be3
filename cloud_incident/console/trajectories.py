"""Trajectories, stored or uploaded, as frames: each is played again, and nothing that it says of itself is believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NotRequired

from anyio import CapacityLimiter, to_thread
from typing_extensions import TypedDict

from cloud_incident.console.notes import noted
from cloud_incident.console.refusals import UnknownStoredError, UnreadableError, UnreplayableError
from cloud_incident.console.stored import (
    TrajectoryEntry,
    entries,
    entry_of,
    parsed_line,
    stored_file,
    stored_files,
    trajectory_of,
)
from cloud_incident.evaluation.replaying import compared, replayed
from env_core.frames import Frame, draw_frame

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_incident.evaluation.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

MOST_UPLOADED = 8 << 20
"""Bytes: a long episode of a model that is told much has some hundred thousand."""

MOST_LISTED = 1_000


class StoredTrajectory(TrajectoryEntry):
    """A stored trajectory in a list; `run` is the evaluation that it is part of."""

    run: str


class TrajectoriesAnswer(TypedDict):
    """The stored trajectories, newest evaluation first; `left_off` says how many more there are."""

    trajectories: list[StoredTrajectory]
    left_off: int


class OpenedAnswer(TypedDict):
    """A trajectory moment by moment. `differences` are what it says and its replay does not; without any it is true.

    Of an upload `uploaded` lists everything that was in it.
    """

    trajectory: TrajectoryEntry
    frames: list[Frame]
    differences: list[str]
    uploaded: NotRequired[list[TrajectoryEntry]]


@dataclass(frozen=True, slots=True)
class Trajectories:
    """The trajectories of a directory, and those that visitors bring."""

    catalogue: Catalogue
    directory: Path
    _working: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def listed(self, run: str = "") -> TrajectoriesAnswer:
        """The stored ones, of one evaluation or of all that can be read.

        Raises:
            UnknownStoredError: if there is no evaluation of that name.
            UnreadableError: if its file cannot be read.
        """
        return await to_thread.run_sync(self._listed, run, limiter=self._working)

    async def opened(self, run: str, key: str) -> OpenedAnswer:
        """A stored one, replayed.

        Raises:
            UnknownStoredError: if there is none.
            UnreadableError: if its file cannot be read.
            UnreplayableError: if what it was played on is no longer the same.
        """
        return await to_thread.run_sync(self._opened, run, key, limiter=self._working)

    async def uploaded(self, content: bytes, key: str = "") -> OpenedAnswer:
        """One of those in an upload, a trajectory or lines of them, replayed: that of a key, else the first.

        Raises:
            UnreadableError: if it holds something else.
            UnknownStoredError: if it holds none of that key.
            UnreplayableError: as `opened` does.
        """
        return await to_thread.run_sync(self._uploaded, content, key, limiter=self._working)

    def _listed(self, run: str) -> TrajectoriesAnswer:
        found: list[StoredTrajectory] = []
        for file in [stored_file(self.directory, run)] if run else stored_files(self.directory):
            try:
                found += [{"run": file.name, **entry} for entry in entries(file)]
            except UnreadableError:
                if run:
                    raise
        return {"trajectories": found[:MOST_LISTED], "left_off": max(0, len(found) - MOST_LISTED)}

    def _opened(self, run: str, key: str) -> OpenedAnswer:
        return self._shown(trajectory_of(stored_file(self.directory, run), key))

    def _uploaded(self, content: bytes, key: str) -> OpenedAnswer:
        lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
        if not lines:
            raise UnreadableError("The upload is empty; it takes a trajectory, or a file of them as JSON lines.")
        if lines[0][1].strip() == b"{":  # one trajectory, written over many lines
            lines = [(1, content)]
        trajectories = [parsed_line(line, number) for number, line in lines]
        chosen = next((one for one in trajectories if key in {"", one["key"]}), None)
        if chosen is None:
            raise UnknownStoredError(f"The upload has no trajectory {key[:120]!r}.")
        return {**self._shown(chosen), "uploaded": [entry_of(one) for one in trajectories]}

    def _shown(self, trajectory: Trajectory) -> OpenedAnswer:
        try:
            episodes = list(replayed(trajectory, self.catalogue))
        except KeyError as error:
            raise UnreplayableError(f"An action has no {error}, so that it cannot be replayed.") from error
        except ValueError as error:  # of another release, or of steps that nobody can have taken
            raise UnreplayableError(f"It cannot be replayed here: {error}") from error
        notes = ["", *(noted(step) for step in trajectory["steps"])]
        return {
            "trajectory": entry_of(trajectory),
            "frames": [draw_frame(*moment) for moment in zip(episodes, notes, strict=True)],
            "differences": list(compared(trajectory, episodes[-1])),
        }
