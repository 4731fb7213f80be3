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
    from collections.abc import Callable

    from env_core.episode import Reference


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

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        episode_id, replacing = opening.episode_id, opening.replacing
        freed = [replacing.episode_id] if replacing is not None and self._has(replacing) else []
        if episode_id in self._episodes and episode_id not in freed:
            raise EpisodeExistsError(episode_id)
        if len(self._episodes) - len(freed) >= capacity:
            limit = self._clock() - opening.grace_seconds
            oldest = next(
                (handle for handle in self._ended if handle not in freed and self._is_idle(handle, limit)), None
            )
            if oldest is None:
                raise CapacityError(capacity)
            freed.append(oldest)
        for handle in freed:
            self._forget(handle)
        self._episodes[episode_id] = _StoredEpisode(
            opening.reference, opening.incarnation, opening.owner, [*opening.events], self._clock()
        )
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
        now = self._clock()
        return [
            Entry(
                handle, stored.reference, len(stored.events), handle in self._ended, now - stored.touched, stored.owner
            )
            for handle, stored in reversed(self._episodes.items())
        ]

    async def count_open(self) -> int:
        return len(self._episodes) - len(self._ended)

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

    def _is_idle(self, episode_id: str, limit: float) -> bool:
        return self._episodes[episode_id].touched <= limit

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
        del self._episodes[episode_id]
        self._ended.pop(episode_id, None)
