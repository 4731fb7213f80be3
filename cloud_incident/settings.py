"""Settings of a running server, from the command line or from `CLOUD_INCIDENT_…` variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from env_core.service import EpisodeService, Limits
from mcp_server.clients import StructuredContent
from scenarios.catalogue import Catalogue

if TYPE_CHECKING:
    from http_compat.guard import Access
    from scenarios.generator.salt import Salt

SPACE_HOST = "SPACE_HOST"
"""The variable by which a hosted Space tells its public host name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server needs to know of its surroundings.

    `hosts` are Host headers accepted beside loopback and a Space's own; `origins` are other sites whose pages may call.
    With a `salt` the ids of generated scenarios are opaque, and there is a private split. `evaluations` is the
    directory whose evaluations the console shows. With `model_endpoints` its visitors may have the server ask models at
    addresses that they name; None lets them where they can only be of this machine.
    """

    scenarios: tuple[Path, ...] = ()
    salt: Salt | None = field(default=None, repr=False)
    capacity: int = 10_000
    idle_seconds: float = 3600.0
    host: str = "127.0.0.1"
    ports: tuple[int, ...] = (7860,)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    structured: StructuredContent = StructuredContent.AUTO
    evaluations: Path = Path()
    model_endpoints: bool | None = None

    @property
    def access(self) -> Access:
        """Who may speak to the server."""
        from http_compat.guard import Access

        return Access((*self.hosts, *filter(None, [self.space])), self.origins)

    @property
    def asks_models(self) -> bool:
        """Whether visitors may name models. Whoever can, can have the server call what only the server can reach."""
        from http_compat.guard import LOOPBACK

        if self.model_endpoints is not None:
            return self.model_endpoints
        return self.host in LOOPBACK and not (self.hosts or self.origins or self.space)

    @property
    def space(self) -> str:
        """The public host name of the Space that the server runs in, if it does."""
        return os.environ.get(SPACE_HOST, "")

    @property
    def framed_by(self) -> tuple[str, ...]:
        """Other sites that may show the pages in a frame: where a Space is shown."""
        return ("https://huggingface.co", "https://*.hf.space") if self.space else ()

    def service(self, *, loaded: bool = False) -> EpisodeService:
        """An episode service over the curated incidents and those of further directories.

        Further directories are loaded at once, and with `loaded` so is everything; else incidents load when first used.

        Raises:
            DocumentError: if a document that is loaded is not valid.
        """
        catalogue = Catalogue(self.scenarios, self.salt)
        if loaded or self.scenarios:
            catalogue.load()
        return EpisodeService(catalogue, limits=Limits(self.capacity, self.idle_seconds))
