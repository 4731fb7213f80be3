"""Where episodes are kept: a reference and an append-only list of events each, behind one small protocol."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from env_core.episode import Reference


class UnknownEpisodeError(LookupError):
    """A handle that was never minted, or whose episode was closed or has expired."""


class EpisodeExistsError(ValueError):
    """A handle chosen by the caller that is already in use."""


class CapacityError(RuntimeError):
    """No further episode can be opened until one is closed or expires: `most` are."""

    def __init__(self, most: int) -> None:
        super().__init__(f"All {most} episodes are in use; close one, or wait until one has expired.")
        self.most = most


class AppendConflictError(RuntimeError):
    """Somebody else appended first. Nothing was written; load what is new and try again."""


class Event(NamedTuple):
    """One accepted action, as JSON, and the id of the request that made it."""

    action: Mapping[str, Any]
    request_id: str = ""


class Record(NamedTuple):
    """What is stored of an episode: its reference, its incarnation and the events from an index on.

    A handle that is closed and opened anew means another episode; the incarnation tells the two apart.
    """

    reference: Reference
    incarnation: str
    events: tuple[Event, ...]


class Claim(NamedTuple):
    """An episode as nobody else's: its handle alone may mean another by now."""

    episode_id: str
    incarnation: str


class EpisodeStore(Protocol):
    """Keeps episodes. Every method is atomic; none holds a lock while the caller works."""

    async def create(
        self, episode_id: str, reference: Reference, incarnation: str, capacity: int, replacing: Claim | None = None
    ) -> None:
        """Keep a new episode, if fewer than `capacity` are kept, in the place of `replacing` if that is there.

        Raises:
            CapacityError: if there is no room.
            EpisodeExistsError: if the handle is in use.
        """

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        """The episode with its events from index `since` on. With `touch` it counts as used.

        Raises:
            UnknownEpisodeError: if there is no such episode.
        """

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        """Append an event if exactly `expected_length` events of that incarnation are stored.

        Raises:
            UnknownEpisodeError: if there is no such episode.
            AppendConflictError: if the incarnation or the length is another. Nothing is written.
        """

    async def delete(self, claim: Claim) -> None:
        """Forget an episode; does nothing if it is not there."""

    async def expire(self, idle_seconds: float) -> list[str]:
        """Forget the episodes that nobody has loaded or appended to for longer, and say which they were."""


@dataclass(slots=True)
class _Kept:
    reference: Reference
    incarnation: str
    events: list[Event]
    touched: float


class MemoryStore:
    """Episodes in this process's memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def create(
        self, episode_id: str, reference: Reference, incarnation: str, capacity: int, replacing: Claim | None = None
    ) -> None:
        replaced = replacing.episode_id if replacing is not None and self._has(replacing) else ""
        if episode_id in self._kept and episode_id != replaced:
            raise EpisodeExistsError(f"Episode {episode_id} already exists; close it or choose another episode_id.")
        if len(self._kept) - bool(replaced) >= capacity:
            raise CapacityError(capacity)
        if replaced:
            del self._kept[replaced]
        self._kept[episode_id] = _Kept(reference, incarnation, [], self._clock())

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        kept = self._touch(episode_id) if touch else self._find(episode_id)
        return Record(kept.reference, kept.incarnation, tuple(kept.events[since:]))

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        kept = self._touch(episode_id)
        if kept.incarnation != incarnation or len(kept.events) != expected_length:
            raise AppendConflictError(f"Episode {episode_id} has {len(kept.events)} events, not {expected_length}.")
        kept.events.append(event)

    async def delete(self, claim: Claim) -> None:
        if self._has(claim):
            del self._kept[claim.episode_id]

    async def expire(self, idle_seconds: float) -> list[str]:
        # Touching moves an episode to the end, so the idle ones stand first.
        limit = self._clock() - idle_seconds
        idle = []
        for episode_id, kept in self._kept.items():
            if kept.touched > limit:
                break
            idle.append(episode_id)
        for episode_id in idle:
            del self._kept[episode_id]
        return idle

    def _has(self, claim: Claim) -> bool:
        kept = self._kept.get(claim.episode_id)
        return kept is not None and kept.incarnation == claim.incarnation

    def _find(self, episode_id: str) -> _Kept:
        kept = self._kept.get(episode_id)
        if kept is None:
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r}.")
        return kept

    def _touch(self, episode_id: str) -> _Kept:
        kept = self._find(episode_id)
        kept.touched = self._clock()
        self._kept[episode_id] = self._kept.pop(episode_id)
        return kept
