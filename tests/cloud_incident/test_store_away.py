"""A store that does not answer: every door says so and that it may be asked again, and goes on by itself."""

from __future__ import annotations

import json
import resource
import sqlite3
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client

from cloud_incident.cli import main
from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.stores import open_store
from scenarios.catalogue import Catalogue
from tests.http_compat.talking import open_talk
from tests.mcp_server.playing import MODERN, read_text
from tests.redis_server import RedisServer, redis_server
from tests.servers import full_server, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

LOOK = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server(tcp=True) as server:
        yield server


@pytest.fixture
def address(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("env_core.stores.redis._PATIENCE", 1.0)
    monkeypatch.setattr("env_core.stores.redis._ATTEMPT", 0.3)
    with full_server("--store", server.address) as address:
        yield address


async def test_while_it_is_paused_a_step_is_refused_and_the_server_is_healthy(
    server: RedisServer, address: str
) -> None:
    order: list[str] = []
    async with httpx2.AsyncClient(base_url=address, timeout=60) as api:
        await api.post("/reset", json={"scenario_id": "RP-001", "episode_id": "run-1"})
        step = {"action": LOOK, "episode_id": "run-1", "request_id": "request-1"}
        with server.paused():
            async with anyio.create_task_group() as tasks:

                async def take() -> None:
                    refused = await api.post("/step", json=step)
                    order.append("step")
                    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
                    assert "send a step again with its request id" in refused.json()["detail"]

                tasks.start_soon(take)
                assert (await api.get("/health")).status_code == 200
                order.append("health")
        assert order == ["health", "step"]
        taken = (await api.post("/step", json=step)).json()
        assert taken["observation"]["step_count"] == 1
        assert (await api.post("/step", json=step)).json() == taken


async def test_every_door_says_that_it_is_away_and_goes_on_when_it_is_back(server: RedisServer, address: str) -> None:
    def open_socket_and_step() -> dict[str, Any]:
        with open_talk(address) as talk:
            talk.reset(scenario_id="RP-001", episode_id="run-2")
            server.end()
            refused: dict[str, Any] = talk.expect_error({"type": "step", "data": LOOK})
            server.start()
            assert talk.step(LOOK)["observation"]["step_count"] == 1
            return refused

    refused = await anyio.to_thread.run_sync(open_socket_and_step)
    assert refused["code"] == "EXECUTION_ERROR"
    assert "cannot be read or written now" in refused["message"]
    async with Client(f"{address}/mcp", mode=MODERN) as operator:
        started_ = await operator.call_tool("start_drill", {"incident": "RP-001"})
        handle = (started_.structured_content or {})["episode_id"]
        call = {"service": "api-gateway", "episode_id": handle}
        server.end()
        told = await operator.call_tool("query_logs", call)
        assert told.is_error
        assert "cannot be read or written now" in read_text(told)
        server.start()
        assert not (await operator.call_tool("query_logs", call)).is_error


def test_commands_work_on_a_shared_store(server: RedisServer) -> None:
    async def open_episode() -> None:
        service = EpisodeService(Catalogue(), open_store(server.address))
        await service.create(Selection(scenario_id="RP-001", episode_id="run-1"))
        await service.step("run-1", LOOK)
        await service.release()

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["episodes", *arguments, "--store", server.address])
        assert done.exit_code == 0, done.output
        return done.output

    anyio.run(open_episode)
    assert "run-1  RP-001  open  1 step" in run("list")
    assert " 1. query_logs api-gateway" in run("show", "run-1")
    assert run("fork", "run-1", "--as", "run-2") == "run-2\n"
    assert run("export").count("\n") == 2
    assert run("prune", "run-1", "run-2") == "run-1\nrun-2\n"
    assert run("list") == "No episode is stored.\n"


def test_a_command_ends_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("env_core.stores.redis._PATIENCE", 0.3)
    monkeypatch.setattr("env_core.stores.redis._ATTEMPT", 0.2)
    refused = CliRunner().invoke(main, ["episodes", "list", "--store", "redis://:hush@127.0.0.1:1/0"])
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: The episodes in Redis at 127.0.0.1:1 cannot be read or written now")
    assert "hush" not in refused.output


@pytest.mark.slow
async def test_a_file_on_a_full_disk_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = tmp_path / "episodes.db"
    with started("serve", "--store", str(store)) as (address, process):
        async with httpx2.AsyncClient(base_url=address, timeout=60) as api:
            await api.post("/reset", json={"scenario_id": "RP-001", "episode_id": "run-1"})
            journal = (tmp_path / "episodes.db-wal").stat().st_size
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (journal, resource.RLIM_INFINITY))
            refused = await api.post("/step", params={"episode_id": "run-1"}, json=LOOK)
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
            assert "Nothing was changed" in refused.json()["detail"]
            assert (await api.get("/health")).status_code == 200
            assert (await api.get("/state", params={"episode_id": "run-1"})).json()["step_count"] == 0
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            taken = await api.post("/step", params={"episode_id": "run-1"}, json=LOOK)
            assert taken.json()["observation"]["step_count"] == 1
    database = sqlite3.connect(store)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert json.loads(database.execute("SELECT events FROM episodes").fetchone()[0])["action_type"] == "query_logs"
    database.close()


@pytest.mark.slow
async def test_a_file_that_another_process_holds_refuses_and_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "episodes.db"
    with full_server("--store", str(store)) as address:
        async with httpx2.AsyncClient(base_url=address, timeout=60) as api:
            await api.post("/reset", json={"scenario_id": "RP-001", "episode_id": "run-1"})
            holder = sqlite3.connect(store, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            refused = await api.post("/step", params={"episode_id": "run-1"}, json=LOOK)
            assert (refused.status_code, "locked" in refused.json()["detail"]) == (503, True)
            holder.execute("ROLLBACK")
            holder.close()
            taken = await api.post("/step", params={"episode_id": "run-1"}, json=LOOK)
            assert taken.json()["observation"]["step_count"] == 1
