"""Where episodes are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from platformdirs import user_data_path
from pydantic import Field

from cloud_incident.settings.base import Settings
from env_core.stores import MEMORY, EpisodeStore, StoreUnavailableError, open_store

if TYPE_CHECKING:
    from pathlib import Path


class StoreSettings(Settings):
    """Settings of a command that works on stored episodes."""

    store: str = Field(
        "",
        description="Where episodes are kept: memory, a file, or Redis (redis://HOST:PORT, rediss://, unix://). "
        "If not given: a file of the user's data directory for MCP over stdio, and memory for HTTP.",
    )

    @property
    def lasting(self) -> bool:
        """Whether episodes outlive the process if the settings name no place for them."""
        return False

    @property
    def keeps_in_memory(self) -> bool:
        """Whether the settings keep episodes in the memory of the process."""
        return self.store == MEMORY or not (self.store or self.lasting)

    @property
    def shared_by_machines(self) -> bool:
        """Whether the settings name a store that is reached over a network."""
        return "://" in self.store

    @property
    def default_file(self) -> Path:
        """The file that keeps episodes where they are to last and the settings name no place.

        Raises:
            StoreUnavailableError: if the user has no data directory.
        """
        try:
            return user_data_path("cloud-incident") / "episodes.db"
        except RuntimeError as error:
            raise StoreUnavailableError(f"There is no data directory of this user: {error}.") from error

    def open_store(self) -> EpisodeStore:
        """The store that the settings name. Without a name, memory takes the place of a file that cannot be used.

        Raises:
            StoreUnavailableError: if the store that they name cannot be opened.
        """
        if self.store or not self.lasting:
            return open_store(self.store or MEMORY)
        try:
            return open_store(str(self.default_file))
        except StoreUnavailableError as error:
            click.echo(
                f"{error} Episodes are kept in memory and end with this process; --store names a place.", err=True
            )
            return open_store(MEMORY)
