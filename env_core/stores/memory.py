"""Episodes in this process's memory."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from env_core.stores.protocol import (
    SECRET_BYTES,
    AppendConflictError,
    CapacityError,
    Claim,
    Entry,
    EpisodeExistsError,
    Event,
    Opening,
    Record,
    UnknownEpisodeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from env_core.reference import Reference


@dataclass(slots=True)
class _StoredEpisode:
    reference: Reference
    incarnation: str
    owner: str
    events: list[Event]
    touched: float


class MemoryStore:
    """Keeps episodes in dictionaries. `clock` gives seconds and decides what has been idle."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._episodes: dict[str, _StoredEpisode] = {}
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._ended: dict[str, None] = {}  # handles, the one that ended longest ago first
        self._owned: dict[str, dict[str, None]] = {}  # handles, by owners that have a name

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        episode_id, replacing = opening.episode_id, opening.replacing
        freed = [replacing.episode_id] if replacing is not None and self._has(replacing) else []
        if episode_id in self._episodes and episode_id not in freed:
            raise EpisodeExistsError(episode_id)
        if len(self._episodes) - len(freed) >= capacity:
            idle = self._iterate_idle(opening.grace_seconds)
            oldest = next((handle for handle in idle if handle not in freed), None)
            if oldest is None:
                raise CapacityError(capacity)
            freed.append(oldest)
        for handle in freed:
            self._forget(handle)
        self._episodes[episode_id] = _StoredEpisode(
            opening.reference, opening.incarnation, opening.owner, [*opening.events], self._clock()
        )
        if opening.owner:
            self._owned.setdefault(opening.owner, {})[episode_id] = None
        if opening.ended:
            self._ended[episode_id] = None
        return freed

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        stored = self._touch(episode_id) if touch else self._find(episode_id)
        return Record(stored.reference, stored.incarnation, tuple(stored.events[since:]), stored.owner)

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        stored = self._touch(episode_id)
        if stored.incarnation != incarnation or len(stored.events) != expected_length:
            same = stored.incarnation == incarnation
            raise AppendConflictError(episode_id, tuple(stored.events[expected_length:]) if same else ())
        stored.events.append(event)
        if event.ends:
            self._ended[episode_id] = None

    async def delete(self, claim: Claim) -> None:
        if self._has(claim):
            self._forget(claim.episode_id)

    async def list_entries(self) -> list[Entry]:
        return [self._describe(handle) for handle in reversed(self._episodes)]

    async def list_owned(self, owner: str, most: int) -> list[Entry]:
        running = [handle for handle in self._owned.get(owner, ()) if handle not in self._ended]
        running.sort(key=lambda handle: self._episodes[handle].touched, reverse=True)
        return [self._describe(handle) for handle in running[:most]]

    async def count_open(self) -> int:
        return len(self._episodes) - len(self._ended)

    async def has_room(self, capacity: int, grace_seconds: float) -> bool:
        return len(self._episodes) < capacity or any(True for _ in self._iterate_idle(grace_seconds))

    async def read_secret(self) -> bytes:
        return self._secret

    async def expire(self, idle_seconds: float) -> list[str]:
        # Touching moves an episode to the end, so the idle ones stand first.
        limit = self._clock() - idle_seconds
        idle = []
        for episode_id, stored in self._episodes.items():
            if stored.touched > limit:
                break
            idle.append(episode_id)
        for episode_id in idle:
            self._forget(episode_id)
        return idle

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _has(self, claim: Claim) -> bool:
        stored = self._episodes.get(claim.episode_id)
        return stored is not None and stored.incarnation == claim.incarnation

    def _iterate_idle(self, grace_seconds: float) -> Iterator[str]:
        """The handles of ended episodes that were not used for some seconds, the one that ended first first."""
        limit = self._clock() - grace_seconds
        return (handle for handle in self._ended if self._episodes[handle].touched <= limit)

    def _describe(self, episode_id: str) -> Entry:
        stored = self._episodes[episode_id]
        idle = self._clock() - stored.touched
        return Entry(episode_id, stored.reference, len(stored.events), episode_id in self._ended, idle, stored.owner)

    def _find(self, episode_id: str) -> _StoredEpisode:
        stored = self._episodes.get(episode_id)
        if stored is None:
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r}.")
        return stored

    def _touch(self, episode_id: str) -> _StoredEpisode:
        stored = self._find(episode_id)
        stored.touched = self._clock()
        self._episodes[episode_id] = self._episodes.pop(episode_id)
        return stored

    def _forget(self, episode_id: str) -> None:
        owner = self._episodes.pop(episode_id).owner
        self._ended.pop(episode_id, None)
        if owner:
            owned = self._owned[owner]
            del owned[episode_id]
            if not owned:
                del self._owned[owner]
