"""Where episodes are kept: one protocol, one file for each implementation."""

from env_core.stores.memory import MemoryStore
from env_core.stores.opening import MEMORY, open_store
from env_core.stores.protocol import (
    AppendConflictError,
    CapacityError,
    Claim,
    Entry,
    EpisodeExistsError,
    EpisodeStore,
    Event,
    Opening,
    Record,
    ReopenedEpisodeError,
    StoreUnavailableError,
    UnknownAction,
    UnknownEpisodeError,
)
from env_core.stores.sqlite import SqliteStore

__all__ = [
    "MEMORY",
    "AppendConflictError",
    "CapacityError",
    "Claim",
    "Entry",
    "EpisodeExistsError",
    "EpisodeStore",
    "Event",
    "MemoryStore",
    "Opening",
    "Record",
    "ReopenedEpisodeError",
    "SqliteStore",
    "StoreUnavailableError",
    "UnknownAction",
    "UnknownEpisodeError",
    "open_store",
]
