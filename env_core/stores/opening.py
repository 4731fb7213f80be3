"""Which store an address means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from env_core.stores.memory import MemoryStore
from env_core.stores.protocol import StoreUnavailableError
from env_core.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from env_core.stores.protocol import EpisodeStore

MEMORY = "memory"
"""The address of the store that ends with its process."""

SHARED = ("redis", "rediss", "unix")
"""How addresses of a store begin that the processes of many machines share; `://` follows."""


def open_store(address: str) -> EpisodeStore:
    """The store at an address: `memory`, the path of a file, or a Redis server such as `redis://127.0.0.1:6379/0`.

    A Redis server is asked when the store is first used, so it need not be there yet.

    Raises:
        StoreUnavailableError: if it cannot be opened.
    """
    scheme, separator, _ = address.partition("://")
    if not separator:
        return MemoryStore() if address == MEMORY else SqliteStore(Path(address).expanduser())
    if scheme not in SHARED:
        raise StoreUnavailableError(
            f"There is no store for {scheme}://. Valid: {MEMORY}, the path of a file, or an address that begins with "
            f"{', '.join(f'{name}://' for name in SHARED)}."
        )
    try:
        from env_core.stores.redis import RedisStore
    except ModuleNotFoundError as error:
        raise StoreUnavailableError(
            f"{scheme}:// needs a package that is not installed; run: pip install 'cloud-incident[redis]'"
        ) from error
    return RedisStore(address)
