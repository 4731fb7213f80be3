"""Connections that break off: pings are patient, the episode stays, and it is taken up again over any door."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp import Client
from websockets.exceptions import ConnectionClosed

from cloud_incident.app import build_app
from cloud_incident.listening import make_server
from cloud_incident.settings.serve import ServeSettings
from env_core.selection import Selection
from env_core.service import EpisodeService, Limits
from http_compat.sessions import Resumption, Sessions
from mcp_server.meta import AGENT_URL
from tests.http_compat.talking import QUERY, Talk, open_talk, read_answer
from tests.mcp_server.playing import MODERN, read_text
from tests.servers import full_server

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue


def break_off(talk: Talk) -> None:
    """Lose the connection without a goodbye, as a tunnel does."""
    talk.socket.socket.shutdown(socket.SHUT_RDWR)


def lose_an_episode(address: str, handle: str, **options: Any) -> None:
    """Take one step of an episode over a WebSocket that then breaks off."""
    with open_talk(address) as talk:
        talk.reset(episode_id=handle, **options)
        talk.step(QUERY)
        break_off(talk)


def take_up(address: str, handle: str) -> int:
    """The step count of an episode that is taken up over a WebSocket, which says goodbye."""
    with open_talk(address) as talk:
        taken: int = talk.reset(episode_id=handle, resume=True)["observation"]["step_count"]
        return taken


def test_an_episode_whose_connection_broke_off_is_taken_up_by_a_reset_that_says_so(address: str) -> None:
    lose_an_episode(address, "broken-off", scenario_id="RCA-001")
    with open_talk(address) as talk:
        refused = talk.expect_error({"type": "reset", "data": {"episode_id": "broken-off"}})
        assert refused["code"] == "EXECUTION_ERROR"
        assert "With resume true it is taken up as it stands" in refused["message"]
        taken = talk.reset(episode_id="broken-off", resume=True)
        assert (taken["observation"]["scenario_id"], taken["observation"]["step_count"]) == ("RCA-001", 1)
        assert taken["observation"]["queried_data"]["query_logs"]["api-gateway"]
        assert (taken["reward"], taken["done"]) == (0.0, False)
        assert talk.step(QUERY)["observation"]["step_count"] == 2
        talk.reset(episode_id="broken-off", scenario_id="RCA-002")
        assert talk.state()["step_count"] == 0, "a reset that does not say so starts anew, on the own connection"
    assert httpx2.get(f"{address}/state?episode_id=broken-off").status_code == 404, "a clean end closes it"


@pytest.mark.anyio
async def test_an_episode_whose_connection_broke_off_goes_on_over_rest_and_mcp(address: str) -> None:
    lose_an_episode(address, "other-doors", scenario_id="RP-001")
    async with httpx2.AsyncClient(base_url=address) as api:
        stepped = read_answer(await api.post("/step?episode_id=other-doors", json=QUERY))
        assert stepped["observation"]["step_count"] == 2
        async with Client(f"{address}/mcp", mode=MODERN) as operator:
            seen = await operator.call_tool("get_incident", {"episode_id": "other-doors"})
            assert "RP-001" in read_text(seen)
            agent_url = (seen.meta or {})[AGENT_URL]
        async with Client(agent_url, mode=MODERN) as agent:
            assert not (await agent.call_tool("query_logs", {"service": "api-gateway"})).is_error
        created = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}
        options = {"params": {"episode_id": "other-doors", "resume": True}}
        session = read_answer(await api.post("/mcp", json={**created, **options}))["result"]["session_id"]
        call = {"name": "query_logs", "arguments": QUERY["parameters"], "session_id": session}
        answered = await api.post("/mcp", json={**created, "method": "tools/call", "params": call})
        assert read_answer(answered)["result"]["data"]["step_count"] == 4


@pytest.mark.parametrize(
    "options",
    [
        {"resume": True},
        {"resume": True, "episode_id": ""},
        {"resume": True, "episode_id": "any", "seed": 3},
        {"resume": "yes", "episode_id": "any"},
        {"resume": True, "episode_id": "never-opened"},
    ],
)
def test_a_resumption_that_names_no_open_episode_is_refused(address: str, options: dict[str, Any]) -> None:
    with open_talk(address) as talk:
        talk.reset(episode_id="stays")
        talk.expect_error({"type": "reset", "data": options})
        assert talk.state()["episode_id"] == "stays"
        assert talk.reset(resume=False, seed=None)["observation"]["step_count"] == 0


def test_the_connection_that_took_an_episode_up_has_it(address: str) -> None:
    with open_talk(address) as second:
        with open_talk(address) as first:
            first.reset(episode_id="handed-over")
            first.step(QUERY)
            assert second.reset(episode_id="handed-over", resume=True)["observation"]["step_count"] == 1
            assert first.state()["episode_id"] is None
            assert "reset first" in first.expect_error({"type": "step", "data": QUERY})["message"]
        assert second.step(QUERY)["observation"]["step_count"] == 2, "the end of the first one closes nothing"


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_goodbye_closes_the_episode(address: str, code: int) -> None:
    with open_talk(address) as talk:
        talk.reset(episode_id=f"goodbye-{code}")
        talk.socket.close(code)
    assert httpx2.get(f"{address}/state?episode_id=goodbye-{code}").status_code == 404


def test_a_client_that_failed_did_not_say_goodbye(address: str) -> None:
    with open_talk(address) as talk:
        talk.reset(episode_id="failed")
        talk.socket.close(1011)
    assert take_up(address, "failed") == 0


def test_a_websocket_of_json_rpc_that_breaks_off_leaves_its_episode(address: str) -> None:
    with open_talk(address, "/mcp") as talk:
        create = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create", "params": {"episode_id": "rpc-left"}}
        assert "result" in talk.say(create)
        break_off(talk)
    assert take_up(address, "rpc-left") == 0


def test_broken_connections_take_no_room_of_sessions_and_their_episodes_make_room() -> None:
    with full_server("--max-sessions", "2", "--capacity", "3") as address:
        for number in range(6):
            lose_an_episode(address, f"lost-{number}")
        with open_talk(address) as talk:
            assert talk.reset(episode_id="lost-5", resume=True)["observation"]["step_count"] == 1
        known = [httpx2.get(f"{address}/state?episode_id=lost-{number}").status_code for number in range(6)]
        assert known == [404, 404, 404, 404, 200, 404], "those that were left last stay, and the last was closed"


def test_a_new_episode_takes_the_room_of_one_that_was_left(catalogue: Catalogue) -> None:
    async def played() -> None:
        sessions = Sessions(EpisodeService(catalogue, limits=Limits(capacity=2)), 5)
        for name in ("first", "second"):
            session = await sessions.open(attached=True)
            await sessions.start(session, Selection(episode_id=name))
            await sessions.leave(session, own=True, clean=False)
        session = await sessions.open(attached=True)
        assert (await sessions.start(session, Selection(episode_id="third"))).id == "third"
        other = await sessions.open(attached=True)
        assert (await sessions.start(other, Resumption(episode_id="second"))).id == "second"

    asyncio.run(played())


def test_a_websocket_that_was_silent_for_too_long_makes_room(catalogue: Catalogue) -> None:
    async def played() -> None:
        now, ended = [0.0], []

        async def hang_up() -> None:
            ended.append(True)

        sessions = Sessions(EpisodeService(catalogue), 1, 60.0, lambda: now[0])
        silent = await sessions.open(attached=True)
        silent.hang_up = hang_up
        now[0] = 60.0
        assert await sessions.open() is not silent
        await asyncio.sleep(0)
        assert ended == [True]

    asyncio.run(played())


def test_pings_are_patient_by_default_and_can_be_set() -> None:
    def read(**options: Any) -> tuple[float | None, float | None]:
        settings = ServeSettings.load(**options)
        config = make_server(build_app(settings), settings).config
        return config.ws_ping_interval, config.ws_ping_timeout

    assert read() == (20.0, None)
    assert read(ws_ping_seconds=0) == (None, None)
    assert read(ws_ping_seconds=5, ws_ping_timeout=60) == (5.0, 60.0)


def test_a_client_that_answers_no_ping_keeps_its_connection() -> None:
    with full_server("--ws-ping-seconds", "0.15") as address, open_talk(address) as talk:
        talk.reset()
        silence(talk)
        assert talk.step(QUERY)["observation"]["step_count"] == 1


def test_a_client_that_answers_no_ping_in_time_keeps_its_episode() -> None:
    with full_server("--ws-ping-seconds", "0.05", "--ws-ping-timeout", "0.05") as address:
        with open_talk(address) as talk:
            talk.reset(episode_id="silent")
            silence(talk)
            with pytest.raises(ConnectionClosed) as closed:
                talk.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
        assert take_up(address, "silent") == 0


def silence(talk: Talk) -> None:
    """Answer no ping for some time, as a client does whose program does not let it."""
    with talk.socket.protocol_mutex:
        time.sleep(0.5)
