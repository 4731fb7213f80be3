"""Several processes on one port: one that ends is replaced, and they stop together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from env_core.perfect import play_perfectly
from tests.servers import START_SECONDS, free_port
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.catalogue import Catalogue

WORKERS = 3


class Workers:
    """A server of several processes, and what it has said."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._said = directory / "said"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        given = [*arguments, "--workers", str(WORKERS), "--store", str(directory / "e.db"), "--port", str(self.port)]
        with self._said.open("wb") as said:
            # In a session of its own, so that a signal to its group is what Ctrl-C at a terminal sends.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud_incident", *given], stderr=said, start_new_session=True
            )

    @property
    def said(self) -> list[str]:
        return self._said.read_text("utf-8").splitlines()

    @property
    def children(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in children.read_text("utf-8").split()}

    def await_children(self, without: frozenset[int] = frozenset()) -> set[int]:
        """Wait until as many processes run as were asked for, without some that have ended, and all serve."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            children = self.children
            if len(children) == WORKERS and not children & without:
                return children
            time.sleep(0.02)
        raise RuntimeError(f"the processes did not start: {self.said}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    opened = Workers(tmp_path, "serve")
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), mark_slow_after(1, [(signal.SIGTERM, 0), (signal.SIGINT, 128 + signal.SIGINT)])
)
def test_they_serve_one_port_and_stop_together(
    workers: Workers, number: signal.Signals, status: int, catalogue: Catalogue
) -> None:
    children = workers.await_children()
    scenario = catalogue.get("RP-001")
    named = {"X-Episode-Id": "turns"}
    httpx2.post(f"{workers.address}/reset", json={"scenario_id": "RP-001", "episode_id": "turns"}, timeout=30)
    for action in play_perfectly(scenario.incident, scenario.task):  # each over a connection of its own
        answer = httpx2.post(f"{workers.address}/step", json=action.dump(), headers=named)
    assert answer.json()["info"]["grade"]["score"] == 1.0
    with httpx2.Client(base_url=workers.address) as staying:
        staying.get("/health")
        os.killpg(workers.process.pid, number) if number == signal.SIGINT else workers.process.send_signal(number)
        assert workers.process.wait(30) == status
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    (banner, rights, stopped) = workers.said
    assert f"Cloud Incident at {workers.address}" in banner
    assert banner.endswith(f"Ctrl-C ends it. {WORKERS} processes serve it.")
    assert rights.endswith("e.db.")
    assert stopped == f"Stopped {WORKERS} processes."


@pytest.mark.slow
def test_one_that_is_killed_is_replaced_and_loses_no_episode(workers: Workers) -> None:
    children = workers.await_children()
    httpx2.post(f"{workers.address}/reset", json={"scenario_id": "RP-001", "episode_id": "kept"}, timeout=30)
    for child in children:
        os.kill(child, signal.SIGKILL)
        workers.await_children(without=frozenset({child}))
    assert not workers.await_children() & children
    assert httpx2.get(f"{workers.address}/state?episode_id=kept", timeout=30).json()["step_count"] == 0
    ended = [line.partition(" ended ")[2] for line in workers.said if " ended " in line]
    assert ended == ["by signal 9; another takes its place."] * WORKERS


@pytest.mark.slow
def test_they_end_when_their_parent_is_killed(workers: Workers) -> None:
    children = workers.await_children()
    httpx2.get(f"{workers.address}/health", timeout=30)
    workers.process.kill()
    workers.process.wait()
    deadline = time.monotonic() + START_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
def test_what_cannot_be_served_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "e.db").write_text("something else " * 100)
    workers = Workers(tmp_path, "serve")
    assert workers.process.wait(START_SECONDS) == 1
    (said,) = workers.said
    assert "cannot be read or written" in said
    workers.close()


@pytest.mark.slow
def test_the_incident_of_the_start_is_opened_once(tmp_path: Path) -> None:
    workers = Workers(tmp_path, "mcp", "--transport", "streamable-http", "--profile", "agent", "--scenario", "RP-001")
    for child in workers.await_children():
        os.kill(child, signal.SIGKILL)
        workers.await_children(without=frozenset({child}))
    assert [line for line in workers.said if "Agent endpoint" in line] == workers.said[:1]
    path = workers.said[0].partition(workers.address)[2]
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepted = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
    answer = httpx2.post(f"{workers.address}{path}", json=call, headers=accepted, timeout=30)
    assert "query_logs" in answer.text
    workers.close()
