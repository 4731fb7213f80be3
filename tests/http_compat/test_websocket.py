"""WebSockets: OpenEnv's messages, its error codes, sessions joined and full, plain JSON-RPC."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from env_core.perfect import play_perfectly
from env_core.service import EpisodeService
from http_compat.sessions import Sessions, SessionsFullError
from tests.http_compat.talking import ANSWER, QUERY, build_rpc, open_talk, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue


def test_an_episode_over_messages(address: str, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RCA-003")
    with open_talk(address) as talk:
        assert talk.state() == {"episode_id": None, "step_count": 0}
        first = talk.reset(scenario_id="RCA-003", episode_id="ws-1", seed=3)
        assert (first["reward"], first["done"], first["metadata"]["seed"]) == (0.0, False, 3)
        for number, action in enumerate(play_perfectly(scenario.incident, scenario.task), 1):
            stepped = talk.step(action.dump())
            state = talk.state()
            assert (state["episode_id"], state["step_count"]) == ("ws-1", number)
        assert stepped["metadata"]["grade"]["score"] == 1.0
        over = talk.expect_error({"type": "step", "data": QUERY})
        assert over["code"] == "EXECUTION_ERROR"
        assert "is over" in over["message"]
        again = talk.reset(scenario_id="RCA-003", episode_id="ws-1")
        assert again["observation"]["step_count"] == 0


def test_a_reset_takes_the_place_of_the_episode_before(address: str) -> None:
    with open_talk(address) as talk:
        talk.reset(episode_id="first-here")
        talk.step(QUERY)
        talk.reset(episode_id="first-here")
        assert talk.state()["step_count"] == 0
        talk.reset(episode_id="second-here")
        assert httpx2.get(f"{address}/state?episode_id=first-here").status_code == 404
        assert talk.expect_error({"type": "reset", "data": {"scenario_id": "RP-404"}})["code"] == "EXECUTION_ERROR"
        assert talk.state()["episode_id"] == "second-here"
        assert read_answer(httpx2.get(f"{address}/state?episode_id=second-here"))["step_count"] == 0


def test_close_ends_the_episode_and_the_connection(address: str) -> None:
    with open_talk(address) as talk:
        talk.reset(episode_id="closing")
        with pytest.raises(ConnectionClosed) as closed:
            talk.say({"type": "close"})
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    with open_talk(address) as talk:
        talk.reset(episode_id="closing")


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ("{", "INVALID_JSON", "not JSON"),
        (b"\xff", "INVALID_JSON", "not JSON"),
        ("[]", "UNKNOWN_TYPE", "Types: reset, step"),
        ({"type": "dance"}, "UNKNOWN_TYPE", "'dance'"),
        ({"type": ["reset"]}, "UNKNOWN_TYPE", "Types"),
        ({"type": "state", "data": {}}, "VALIDATION_ERROR", "`data` is not a parameter of state"),
        ({"type": "step"}, "VALIDATION_ERROR", "`data` is required"),
        ({"type": "reset", "data": {}, "seed": 1}, "VALIDATION_ERROR", "`seed`"),
        ({"type": "reset", "data": {"speed": 1}}, "VALIDATION_ERROR", "`speed`"),
        ({"type": "step", "data": {"action_type": "guess"}}, "VALIDATION_ERROR", "Valid actions"),
        ({"type": "step", "data": QUERY}, "EXECUTION_ERROR", "reset first"),
        ({"type": "reset", "data": {"scenario_id": "RP-404"}}, "EXECUTION_ERROR", "Scenarios"),
        ({"type": "mcp"}, "VALIDATION_ERROR", "`data` is required"),
        ({"type": "step", "data": None}, "VALIDATION_ERROR", "A step is a JSON object, and None was sent"),
        ({"type": "step", "data": [QUERY, QUERY]}, "VALIDATION_ERROR", "a list of 2 was sent; no step was taken"),
        ([{"type": "state"}], "UNKNOWN_TYPE", "A message is one JSON object with a `type`"),
    ],
)
def test_refusals_have_openenvs_codes_and_the_connection_goes_on(
    address: str, message: Any, code: str, said: str
) -> None:
    with open_talk(address) as talk:
        refused = talk.expect_error(message)
        assert refused["code"] == code
        assert said in refused["message"]
        assert ("errors" in refused) is (code == "VALIDATION_ERROR")
        assert talk.reset()["observation"]["step_count"] == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"action": QUERY},
        {"action": {"action": QUERY}},
        [QUERY],
        json.dumps(QUERY),
        {**QUERY, "request_id": None, "metadata": None},
        {**QUERY, "parameters": json.dumps(QUERY["parameters"])},
    ],
)
def test_the_forms_of_a_step_mean_the_same(address: str, sent: Any) -> None:
    with open_talk(address) as talk:
        for null_or_text in (None, "{}"):
            started = talk.expect_observation({"type": "reset", "data": null_or_text})
            assert started["observation"]["scenario_id"] == "AC-001"
        assert talk.step(sent)["reward"] == 0.04
        listed = talk.say(
            {"type": "mcp", "data": json.dumps({"jsonrpc": "2.0", "method": "tools/list", "params": None})}
        )
        assert "tools" in listed["data"]["result"]


def test_tools_as_steps(address: str) -> None:
    with open_talk(address) as talk:
        listed = talk.step({"type": "list_tools"})
        assert len(listed["observation"]["tools"]) == 14
        talk.reset()
        called = talk.step({"type": "call_tool", "tool_name": "submit_severity", "arguments": {"severity": "P1"}})
        assert set(called["observation"]) == {"tool_name", "result", "error"}
        assert (called["reward"], called["done"]) == (1.0, True)


def test_mcp_messages_share_the_episode(address: str) -> None:
    with open_talk(address) as talk:
        talk.reset(scenario_id="RP-001")
        called = talk.say(
            {"type": "mcp", "data": build_rpc("tools/call", name="query_logs", arguments={"service": "postgres-db"})}
        )
        assert called["type"] == "mcp"
        assert called["data"]["result"]["data"]["scenario_id"] == "RP-001"
        assert talk.state()["step_count"] == 1
        listed = talk.say({"type": "mcp", "data": build_rpc("tools/list")})
        assert all("inputSchema" in tool for tool in listed["data"]["result"]["tools"])
        wrong = talk.say({"type": "mcp", "data": {"method": 1}})
        assert wrong["data"]["error"]["code"] == -32600


def test_a_session_of_json_rpc_can_be_joined_by_one_websocket(address: str) -> None:
    with httpx2.Client(base_url=address) as api:
        session = read_answer(api.post("/mcp", json=build_rpc("openenv/session/create")))["result"]["session_id"]
        with open_talk(address, f"/ws?session_id={session}") as talk:
            talk.reset(scenario_id="RP-002")
            call = build_rpc(
                "tools/call", name="query_logs", arguments={"service": "network-infra"}, session_id=session
            )
            assert read_answer(api.post("/mcp", json=call))["result"]["data"]["scenario_id"] == "RP-002"
            assert talk.state()["step_count"] == 1
            with open_talk(address, f"/ws?session_id={session}") as second:
                refused = second.hear()
                assert refused["data"]["code"] == "SESSION_ERROR"
                assert "already has a WebSocket" in refused["data"]["message"]
            closing = read_answer(api.post("/mcp", json=build_rpc("openenv/session/close", session_id=session)))[
                "result"
            ]
            assert closing == {"session_id": session, "closed": False, "closing": True}
        for _ in range(50):
            gone = read_answer(api.post("/mcp", json=call))
            if "error" in gone:
                break
        assert gone["error"]["code"] == -32602
    with open_talk(address, "/ws?session_id=unheard-of") as talk:
        assert talk.hear()["data"]["code"] == "SESSION_ERROR"


def test_plain_json_rpc_over_a_websocket(address: str) -> None:
    with open_talk(address, "/mcp") as talk:
        assert len(talk.say(build_rpc("tools/list"))["result"]["tools"]) == 14
        called = talk.say(build_rpc("tools/call", name="submit_severity", arguments={"severity": "P1"}))
        assert called["result"]["data"]["grade"]["score"] == 1.0
        assert called["result"]["data"]["scenario_id"] == "AC-001", "a session that was not reset has the default"
        over = talk.say(build_rpc("tools/call", name="query_logs", arguments={"service": "api-gateway"}))["result"]
        assert over["isError"]
        assert "is over" in over["content"][0]["text"]
        assert talk.say("{")["error"]["code"] == -32700
        assert talk.say(build_rpc("reset"))["error"]["code"] == -32601
        assert "POST /mcp" in talk.say(build_rpc("initialize"))["error"]["message"]


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        (b"", -32700, "not JSON"),
        (b"{}", -32600, "`jsonrpc` is required"),
        (b"nonsense", -32700, "not JSON"),
        (build_rpc("tools/call", name="query_logs"), -32602, "session_id is required"),
        (build_rpc("tools/call", name="nonsense"), -32602, "Tools: query_logs"),
        (build_rpc("tools/call", name=["query_logs"]), -32602, "Tools: query_logs"),
        (build_rpc("tools/call", name="query_logs", session_id=7), -32602, "openenv/session/create"),
        (build_rpc("openenv/session/close"), -32602, "session_id is required"),
        (build_rpc("resources/list"), -32601, "tools/list"),
        (build_rpc("openenv/session/create", scenario_id="RP-404"), -32602, "Scenarios"),
        (build_rpc("openenv/session/create", speed=1), -32602, "`speed`"),
        (build_rpc("openenv/session/create", seed=2**48), -32602, "`seed` must be 0 to 281474976710655"),
        (build_rpc("tools/call", name="query_log"), -32602, "Did you mean query_logs?"),
        (build_rpc("tools/call", name="query_logs", session_id=None), -32602, "session_id is required"),
        (b"[]", -32600, "batches are not served; send each request by itself"),
        ([build_rpc("tools/list"), build_rpc("tools/list")], -32600, "batches are not served"),
    ],
)
def test_json_rpc_errors_come_with_status_200(address: str, message: Any, code: int, said: str) -> None:
    content = {"content": message} if isinstance(message, bytes) else {"json": message}
    answer = read_answer(httpx2.post(f"{address}/mcp", **content))
    assert answer["error"]["code"] == code
    assert said in answer["error"]["message"]


def test_a_session_can_be_opened_on_an_incident_and_refusals_are_results(address: str) -> None:
    with httpx2.Client(base_url=address) as api:
        created = read_answer(api.post("/mcp", json=build_rpc("openenv/session/create", scenario_id="RP-003")))[
            "result"
        ]
        call = build_rpc("tools/call", name="query_logs", arguments={"service": ""}, **created)
        refused = read_answer(api.post("/mcp", json=call))["result"]
        assert refused["isError"]
        assert "service" in refused["content"][0]["text"]
        call = build_rpc("tools/call", name="query_logs", arguments={"service": "config-service"}, **created)
        assert read_answer(api.post("/mcp", json=call))["result"]["data"]["scenario_id"] == "RP-003"
        closed = read_answer(api.post("/mcp", json=build_rpc("openenv/session/close", **created)))["result"]
        assert closed == {"session_id": created["session_id"], "closed": True}


def test_sessions_are_bounded() -> None:
    with full_server("--max-sessions", "2") as address, httpx2.Client(base_url=address) as api:
        with open_talk(address) as first, open_talk(address) as second:
            first.reset()
            second.reset()
            with open_talk(address) as third:
                refused = third.hear()["data"]
                assert refused["code"] == "CAPACITY_REACHED"
                assert (refused["active_sessions"], refused["max_sessions"]) == (2, 2)
                with pytest.raises(ConnectionClosed) as closed:
                    third.hear()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1000
            full = read_answer(api.post("/mcp", json=build_rpc("openenv/session/create")))["error"]
            assert full["data"] == {"active_sessions": 2, "max_sessions": 2}
            with open_talk(address, "/mcp") as third:
                assert third.hear()["error"]["data"]["max_sessions"] == 2
        with open_talk(address) as again:
            again.reset()


def test_an_idle_session_makes_room_and_one_that_was_just_left_does_not(catalogue: Catalogue) -> None:
    async def played() -> None:
        now = [0.0]
        sessions = Sessions(EpisodeService(catalogue), 1, 60.0, lambda: now[0])
        session = await sessions.attach((await sessions.open()).id)
        now[0] = 100.0
        with pytest.raises(SessionsFullError):
            await sessions.open()
        await sessions.leave(session, own=False)
        now[0] = 159.0
        with pytest.raises(SessionsFullError):
            await sessions.open()
        now[0] = 160.0
        assert await sessions.open() is not session

    asyncio.run(played())


def test_production_has_tools_alone() -> None:
    with full_server("--mode", "production") as address, open_talk(address, "/mcp") as talk:
        call = build_rpc("tools/call", name="submit_severity", arguments={"severity": "P1"})
        assert "grade" in talk.say(call)["result"]["data"]
        over = talk.say(call)["result"]
        assert over["isError"]
        assert "/reset" not in over["content"][0]["text"]
        assert "openenv/session/create" in over["content"][0]["text"]
    with full_server("--mode", "production") as address, open_talk(address) as talk:
        for message in ({"type": "reset"}, {"type": "step", "data": ANSWER}, {"type": "state"}):
            assert "production mode" in talk.expect_error(message)["message"]
        called = talk.say(
            {"type": "mcp", "data": build_rpc("tools/call", name="submit_severity", arguments={"severity": "P1"})}
        )
        assert called["data"]["result"]["data"]["done"]


def test_a_handle_that_another_has_taken_up_is_no_longer_the_sessions(address: str) -> None:
    answer = {"action_type": "submit_severity", "parameters": {"severity": "P1"}}
    for leaves in (False, True):
        with open_talk(address) as first, open_talk(address) as second:
            first.reset(episode_id="taken-up")
            assert first.step(answer)["done"]
            second.reset(episode_id="taken-up", replace=True)
            assert "taken-up" in first.expect_error({"type": "state"})["message"]
            assert "taken-up" in first.expect_error({"type": "step", "data": answer})["message"]
            if leaves:
                first.socket.close()
            else:
                assert first.reset()["observation"]["episode_id"] != "taken-up"
            assert second.state()["step_count"] == 0


def test_a_websocket_of_json_rpc_may_choose_its_episode_once(address: str) -> None:
    with open_talk(address, "/mcp") as talk:
        assert talk.say(build_rpc("openenv/session/create", nonsense=1))["error"]["code"] == -32602
        assert talk.say(build_rpc("openenv/session/create", scenario_id="RP-009"))["error"]["code"] == -32602
        created = talk.say(build_rpc("openenv/session/create", scenario_id="RP-001"))["result"]
        call = build_rpc("tools/call", name="query_logs", arguments={"service": "api-gateway"})
        assert talk.say(call)["result"]["data"]["scenario_id"] == "RP-001"
        assert talk.say(build_rpc("openenv/session/create"))["result"] == created
        assert "another" in talk.say(build_rpc("openenv/session/create", scenario_id="RP-002"))["error"]["message"]
        assert talk.say(call)["result"]["data"]["step_count"] == 2


def test_where_no_episode_has_room_the_counts_are_of_episodes() -> None:
    with full_server("--capacity", "1") as address, open_talk(address) as first, open_talk(address) as second:
        first.reset()
        refused = second.expect_error({"type": "reset"})
        assert (refused["code"], refused["active_sessions"], refused["max_sessions"]) == ("CAPACITY_REACHED", 1, 1)
        created = second.say({"type": "mcp", "data": build_rpc("openenv/session/create", scenario_id="RP-001")})
        error = created["data"]["error"]
        assert (error["code"], error["data"]) == (-32000, {"active_sessions": 1, "max_sessions": 1})
