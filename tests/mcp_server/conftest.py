"""In-memory clients of both profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from env_core.service import EpisodeService
from mcp_server import build_server

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from mcp_server.binding import Callers
    from scenarios.catalogue import Catalogue


@pytest.fixture
def service(catalogue: Catalogue) -> EpisodeService:
    return EpisodeService(catalogue)


@pytest.fixture
def server(service: EpisodeService) -> Server[Callers]:
    """The operator profile."""
    return build_server(service, version="test")
