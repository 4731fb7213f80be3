"""Every store of episodes, by name, and how a fresh one is made with a clock of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.stores import EpisodeStore, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable


STORES: dict[str, Callable[[Callable[[], float]], EpisodeStore]] = {
    "memory": MemoryStore,
}
