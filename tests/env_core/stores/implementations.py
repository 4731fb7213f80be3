"""Every store of episodes, by name, and how one is made with a clock of the test's own in a directory of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.stores import EpisodeStore, MemoryStore, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Clock = Callable[[], float]

STORES: dict[str, Callable[[Clock, Path], EpisodeStore]] = {
    "memory": lambda clock, _: MemoryStore(clock),
    "sqlite": lambda clock, directory: SqliteStore(directory / "episodes.db", clock),
}
