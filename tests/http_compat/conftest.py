"""A real server with every surface, and clients of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.fixture
def api(address: str) -> Iterator[httpx2.Client]:
    """A client that keeps cookies, as browsers do."""
    with httpx2.Client(base_url=address) as client:
        yield client
