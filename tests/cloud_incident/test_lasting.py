"""Episodes outlive the process that opened them, whichever door they were opened by."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest
from mcp import Client

from env_core.perfect import play_perfectly
from tests.mcp_server.playing import read_text, start
from tests.servers import started, stdio

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_an_agent_goes_on_with_another_process(tmp_path: Path, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RCA-001")
    store = str(tmp_path / "episodes.db")
    launch = stdio("--store", store, "--profile", "agent", "--scenario", "RCA-001", "--episode-id", "run-1")
    first, *others, last = play_perfectly(scenario.incident, scenario.task)
    for actions in ([first], others, [last]):
        async with Client(launch) as agent:
            for action in actions:
                told = read_text(await agent.call_tool(action.name, action.parameters.model_dump()))
    assert "1.0000" in told


@pytest.mark.slow
async def test_an_operator_goes_on_with_another_process(tmp_path: Path, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RCA-001")
    launch = stdio("--store", str(tmp_path / "episodes.db"))
    async with Client(launch) as operator:
        handle = await start(operator, "RCA-001")
    *others, last = play_perfectly(scenario.incident, scenario.task)
    for actions in (others, [last]):
        async with Client(launch) as operator:
            for action in actions:
                arguments = {**action.parameters.model_dump(), "episode_id": handle}
                told = read_text(await operator.call_tool(action.name, arguments))
    assert "1.0000" in told


@pytest.mark.slow
def test_a_server_that_was_killed_comes_back_and_goes_on(tmp_path: Path, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RP-001")
    store = str(tmp_path / "episodes.db")
    actions = play_perfectly(scenario.incident, scenario.task)
    for first in range(0, len(actions), 4):
        with (
            started("serve", "--store", store) as (address, process),
            httpx2.Client(base_url=address, timeout=30) as client,
        ):
            if first == 0:
                client.post("/reset", json={"scenario_id": "RP-001", "episode_id": "run-1"})
            for action in actions[first : first + 4]:
                answer = client.post("/step", params={"episode_id": "run-1"}, json=action.dump()).json()
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert answer["info"]["grade"]["score"] == 1.0


@pytest.mark.slow
async def test_without_a_place_named_it_is_the_data_directory_of_the_user(tmp_path: Path) -> None:
    launch = stdio("--store", "")
    launch.env = {"XDG_DATA_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    async with Client(launch) as operator:
        handle = await start(operator, "AC-001")
    database = sqlite3.connect(tmp_path / "cloud-incident" / "episodes.db")
    assert database.execute("SELECT id FROM episodes").fetchall() == [(handle,)]
    (tmp_path / "cloud-incident" / "episodes.db").write_text("something else " * 100)
    async with Client(launch) as operator:  # it is not lost, and the server serves
        await start(operator, "AC-001")


@pytest.mark.slow
def test_a_named_place_that_cannot_be_used_ends_the_command_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "episodes.db").write_text("something else " * 100)
    command = [sys.executable, "-m", "cloud_incident", "serve", "--port", "0", "--store", "episodes.db"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "file is not a database" in ended.stderr
    assert "Traceback" not in ended.stderr
