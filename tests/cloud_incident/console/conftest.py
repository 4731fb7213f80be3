"""A real server with a directory of evaluations, and visitors of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from cloud_incident.evaluation.running import dump_trajectory
from tests.cloud_incident.evaluation.trajectories import played
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_incident.evaluation.running import Trajectory
    from scenarios.catalogue import Catalogue


@pytest.fixture(scope="package")
def episodes(catalogue: Catalogue) -> list[Trajectory]:
    """What is stored as the evaluation `first`."""
    return played(catalogue, ("oracle", "novice"), ("AC-001", "RCA-001", "RP-001"))


@pytest.fixture(scope="package")
def directory(episodes: list[Trajectory], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("evaluations")
    (directory / "first.jsonl").write_bytes(b"".join(map(dump_trajectory, episodes)))
    return directory


@pytest.fixture(scope="package")
def address(directory: Path) -> Iterator[str]:
    with full_server("--evaluations", str(directory)) as address:
        yield address


@pytest.fixture
def api(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, timeout=30) as client:
        yield client
