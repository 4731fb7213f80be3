"""A store that is watched: how long each call takes, and which calls it does not answer."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from env_core.stores import StoreUnavailableError
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from typing import TypeVar

    from cloud_incident.telemetry.calls import Sink
    from env_core.stores import Claim, EpisodeStore, Event, Opening, Record
    from env_core.stores.protocol import Entry

    Answer = TypeVar("Answer")


class WatchedStore:
    """Passes each call on to a store, and tells `sinks` of it."""

    def __init__(self, store: EpisodeStore, sinks: Sequence[Sink]) -> None:
        self._store = store
        self._sinks = sinks

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        return await self._watch("create", self._store.create(opening, capacity))

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        return await self._watch("load", self._store.load(episode_id, since, touch=touch))

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        await self._watch("append", self._store.append(episode_id, incarnation, expected_length, event))

    async def delete(self, claim: Claim) -> None:
        await self._watch("delete", self._store.delete(claim))

    async def list_entries(self) -> list[Entry]:
        return await self._watch("list_entries", self._store.list_entries())

    async def list_owned(self, owner: str, most: int) -> list[Entry]:
        return await self._watch("list_owned", self._store.list_owned(owner, most))

    async def count_open(self) -> int:
        return await self._watch("count_open", self._store.count_open())

    async def has_room(self, capacity: int, grace_seconds: float) -> bool:
        return await self._watch("has_room", self._store.has_room(capacity, grace_seconds))

    async def read_secret(self) -> bytes:
        return await self._watch("read_secret", self._store.read_secret())

    async def expire(self, idle_seconds: float) -> list[str]:
        return await self._watch("expire", self._store.expire(idle_seconds))

    async def close(self) -> None:
        await self._store.close()

    async def _watch(self, operation: str, asked: Awaitable[Answer]) -> Answer:
        started = perf_counter()
        failed = False
        try:
            return await asked
        except CloudIncidentError as error:
            failed = isinstance(error, StoreUnavailableError)  # with any other it has answered
            raise
        except Exception:
            failed = True
            raise
        finally:
            seconds = perf_counter() - started
            for sink in self._sinks:
                sink.note_store_call(operation, seconds, failed=failed)
