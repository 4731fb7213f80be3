"""What most tests share: the curated catalogue and its scenarios."""

from __future__ import annotations

import gc
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenarios.catalogue import CURATED
from scenarios.loading import load_document
from tests.redis_server import RedisServer, redis_server
from tests.scenarios.generator.drawn import CATALOGUE
from tests.slow import load_profile, mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.authored import AuthoredIncident
    from scenarios.catalogue import Catalogue, Scenario

# What is imported and collected stays: to look for garbage meanwhile takes a quarter of that time.
gc.disable()

# Nothing here speaks TLS. Every HTTP client that is made would read all certificates of the machine, which takes 40 ms.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent / "golden")

# Each server of the tests has episodes of its own, and the user's stay as they are.
os.environ["CLOUD_INCIDENT_STORE"] = "memory"

CURATED_IDS = ("AC-001", "AC-002", "AC-003", "RCA-001", "RCA-002", "RCA-003", "RP-001", "RP-002", "RP-003")


def pytest_configure() -> None:
    load_profile()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    # To look through what was imported and collected again and again takes a twelfth of the tests' time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _curated_once() -> Iterator[None]:
    """Read each curated document once. Every catalogue reads them all, which takes half a second."""
    load_once = cache(load_document)

    def load(path: Path) -> AuthoredIncident:
        return load_once(path) if path.parent == CURATED else load_document(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scenarios.catalogue.load_document", load)
        yield


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The curated scenarios and the corpus of drawn incidents."""
    return CATALOGUE


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A server of the shared store. What it keeps is of all tests that use it."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="session", params=mark_slow_after(3, sorted(CURATED_IDS, key=lambda name: name[-1])))
def scenario(request: pytest.FixtureRequest, catalogue: Catalogue) -> Scenario:
    """Each of the nine curated scenarios: the first of each task, and the others where slow tests run too."""
    return catalogue.get(request.param)
