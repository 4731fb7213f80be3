"""Whether a server says that it can take work."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import httpx2
import pytest

from cloud_incident.app import build_app
from cloud_incident.settings.serve import ServeSettings
from tests.http_compat.talking import ANSWER, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from pathlib import Path

READY = {"status": "ready"}


def test_it_is_ready_while_another_episode_can_be_opened() -> None:
    with full_server("--capacity", "2") as address, httpx2.Client(base_url=address) as api:
        for handle in ("first", "second"):
            assert read_answer(api.get("/ready")) == READY
            api.post("/reset", json={"episode_id": handle})
        assert "Every episode is in use" in read_answer(api.get("/ready"), 503)["detail"]
        assert read_answer(api.get("/ready?running=true")) == READY
        assert read_answer(api.get("/health"))["status"] == "healthy"
        api.post("/step?episode_id=first", json=ANSWER)  # its end makes room
        assert read_answer(api.get("/ready")) == READY
        assert "running" in read_answer(api.get("/ready?running=perhaps"), 422)["detail"]


def test_a_finished_episode_within_its_grace_is_no_room() -> None:
    with full_server("--capacity", "1", "--grace-seconds", "600") as address, httpx2.Client(base_url=address) as api:
        api.post("/reset", json={"episode_id": "first"})
        api.post("/step?episode_id=first", json=ANSWER)
        read_answer(api.post("/reset", json={"episode_id": "second"}), 503)
        assert "has just ended" in read_answer(api.get("/ready"), 503)["detail"]
        api.post("/close", json={"episode_id": "first"})
        assert read_answer(api.get("/ready")) == READY
        read_answer(api.post("/reset", json={"episode_id": "second"}))


def test_idle_episodes_make_room_when_it_is_asked_for() -> None:
    with full_server("--capacity", "1", "--idle-seconds", "1") as address, httpx2.Client(base_url=address) as api:
        api.post("/reset", json={"episode_id": "idle"})
        while (answer := api.get("/ready")).status_code == 503:
            pass
        assert read_answer(answer) == READY
        assert api.get("/state?episode_id=idle").status_code == 404


def test_without_its_store_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    file = tmp_path / "episodes.db"
    store = ("--store", str(file), "--mode", "production")
    with full_server(*store) as address, httpx2.Client(base_url=address) as api:
        assert read_answer(api.get("/ready")) == READY
        with sqlite3.connect(file) as database:
            database.execute("ALTER TABLE episodes RENAME TO gone")
        for path in ("/ready", "/ready?running=true"):
            assert "cannot be read or written now" in read_answer(api.get(path), 503)["detail"]
        assert read_answer(api.get("/health"))["status"] == "healthy"
        with sqlite3.connect(file) as database:
            database.execute("ALTER TABLE gone RENAME TO episodes")
        database.close()
        assert read_answer(api.get("/ready")) == READY


@pytest.mark.anyio
async def test_a_server_that_is_stopping_is_not_ready() -> None:
    app = build_app(ServeSettings.load())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as api:
        assert read_answer(await api.get("/ready")) == READY
        await app.state.stopping()
        for path in ("/ready", "/ready?running=true"):
            assert "stopping" in read_answer(await api.get(path), 503)["detail"]
