"""Which store an address means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from env_core.stores.memory import MemoryStore
from env_core.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from env_core.stores.protocol import EpisodeStore

MEMORY = "memory"
"""The address of the store that ends with its process."""


def open_store(address: str) -> EpisodeStore:
    """The store at an address: `memory`, or the path of a file.

    Raises:
        StoreUnavailableError: if it cannot be opened.
    """
    return MemoryStore() if address == MEMORY else SqliteStore(Path(address).expanduser())
