"""Servers of one store behind a balancer without stickiness give the scores of one process."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.interop.workers_check import balance, play_all
from tests.servers import full_server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["connections", "requests"])
def test_episodes_over_every_door_at_once(kind: str, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "episodes.db"), "--stateless")
    with ExitStack() as stack:
        addresses = [stack.enter_context(full_server(*store)) for _ in range(2)]
        ports = [int(address.rpartition(":")[2]) for address in addresses]
        port = stack.enter_context(balance(kind, ports))
        outcome = asyncio.run(play_all(port, 27, kept=kind == "requests"))
    assert not outcome.wrong
    assert outcome.steps > 80
