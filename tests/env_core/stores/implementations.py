"""Every store of episodes, by name, and how one is made with a clock of the test's own in a place of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.stores import EpisodeStore, MemoryStore, SqliteStore
from env_core.stores.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Clock = Callable[[], float]

STORES: dict[str, Callable[[Clock, Path, Callable[[], str]], EpisodeStore]] = {
    "memory": lambda clock, *_: MemoryStore(clock),
    "sqlite": lambda clock, directory, _: SqliteStore(directory / "episodes.db", clock),
    "redis": lambda clock, _, find_address: RedisStore(find_address(), clock),
}
