"""Settings of a running server, from the command line or from `CLOUD_INCIDENT_…` variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from env_core.service import EpisodeService, Limits
from mcp_server.clients import StructuredContent
from scenarios.catalogue import Catalogue

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server needs to know of its surroundings. `hosts` are Host headers accepted beside loopback."""

    scenarios: tuple[Path, ...] = ()
    capacity: int = 10_000
    idle_seconds: float = 3600.0
    host: str = "127.0.0.1"
    port: int = 7860
    hosts: tuple[str, ...] = ()
    structured: StructuredContent = StructuredContent.AUTO

    def service(self, *, loaded: bool = False) -> EpisodeService:
        """An episode service over the curated incidents and those of further directories.

        Further directories are loaded at once, and with `loaded` so is everything; else incidents load when first used.

        Raises:
            DocumentError: if a document that is loaded is not valid.
        """
        catalogue = Catalogue(self.scenarios)
        if loaded or self.scenarios:
            catalogue.load()
        return EpisodeService(catalogue, limits=Limits(self.capacity, self.idle_seconds))
