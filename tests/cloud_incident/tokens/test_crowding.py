"""One caller who takes every place of something keeps nobody else out, and takes nothing from who has less."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from env_core.callers import OPERATE, PLAY
from tests.cloud_incident.bounds.raw import MCP, Raw, read_all, read_status, read_until
from tests.cloud_incident.tokens.holding import Tokens, bearer, guarded_server
from tests.http_compat.talking import Talk, build_rpc, open_talk, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 4
MCP_HEADERS = dict(line.split(": ") for line in MCP.splitlines())
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "any", "version": "1"}}
INITIALIZE = build_rpc("initialize", **_HELLO)
_ID = "Mcp-Session-Id"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens.write(tmp_path_factory.mktemp("tokens") / "tokens")


@pytest.fixture
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens, max_sessions=MOST) as address:
        yield address


@contextmanager
def open_many(address: str, token: str, count: int) -> Iterator[list[Talk]]:
    with ExitStack() as stack:
        yield [stack.enter_context(open_talk(address, additional_headers=bearer(token))) for _ in range(count)]


def create_session(address: str, headers: dict[str, str], **options: Any) -> Any:
    call = build_rpc("openenv/session/create", **options)
    return read_answer(httpx2.post(f"{address}/mcp", json=call, headers=headers))


def look(address: str, token: str, handle: str) -> int:
    return httpx2.get(f"{address}/state", params={"episode_id": handle}, headers=bearer(token)).status_code


def lose(address: str, token: str, **options: Any) -> str:
    """Reset over a WebSocket that breaks off; the handle."""
    with open_talk(address, additional_headers=bearer(token)) as talk:
        handle: str = talk.reset(**options)["observation"]["episode_id"]
        talk.socket.socket.close()
    return handle


def test_sessions_of_json_rpc(address: str, tokens: Tokens) -> None:
    for _ in range(MOST + 1):
        told = create_session(address, bearer(tokens.bob[OPERATE]))
    assert told["error"]["data"]["max_sessions"] == MOST, "to the caller itself it is full"
    with open_talk(address, additional_headers=bearer(tokens.alice[OPERATE])) as talk:
        talk.reset()
        assert "error" in create_session(address, bearer(tokens.bob[OPERATE]))
        talk.state()
        with open_talk(address, additional_headers=bearer(tokens.alice[OPERATE])) as second:
            second.reset()
            assert "error" in create_session(address, bearer(tokens.alice[OPERATE])), "both have equally many now"


def test_websockets_and_their_episodes_go_on(address: str, tokens: Tokens) -> None:
    with open_many(address, tokens.bob[OPERATE], MOST) as talks:
        first, *others = [talk.reset()["observation"]["episode_id"] for talk in talks]
        with open_talk(address, additional_headers=bearer(tokens.alice[OPERATE])) as talk:
            talk.reset()
            with pytest.raises(ConnectionClosed) as closed:
                talks[0].hear()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, "resume" in closed.value.rcvd.reason) == (1001, True)
            assert [talk.state()["episode_id"] for talk in talks[1:]] == others
        assert look(address, tokens.bob[OPERATE], first) == 200
        with open_talk(address, additional_headers=bearer(tokens.bob[OPERATE])) as talk:
            talk.reset(resume=True, episode_id=first)


def open_session(address: str, token: str) -> dict[str, str]:
    """The headers of a new session of MCP."""
    headers = {**MCP_HEADERS, **bearer(token)}
    return {**headers, _ID: httpx2.post(f"{address}/mcp", json=INITIALIZE, headers=headers).headers[_ID]}


def test_sessions_of_mcp(address: str, tokens: Tokens) -> None:
    def list_statuses(sessions: list[dict[str, str]]) -> list[int]:
        listing = build_rpc("tools/list")
        return [httpx2.post(f"{address}/mcp", json=listing, headers=headers).status_code for headers in sessions]

    alice = [open_session(address, tokens.alice[PLAY])]
    bob = [open_session(address, tokens.bob[PLAY]) for _ in range(MOST + 3)]
    assert list_statuses([*alice, *bob]) == [200, *[404] * 4, *[200] * 3]
    alice += [open_session(address, tokens.alice[PLAY]) for _ in range(2)]
    assert list_statuses([*alice, *bob[-3:]]) == [404, 200, 200, 404, 200, 200], "each has two and loses its own"


def test_sessions_over_sse(address: str, tokens: Tokens) -> None:
    def write_stream(token: str) -> bytes:
        headers = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        return f"GET /sse HTTP/1.1\r\n{headers}\r\n".encode()

    with Raw(address) as raw:
        streams = []
        for _ in range(MOST):
            streams.append(raw.send(write_stream(tokens.bob[PLAY])))
            read_until(streams[-1], b"event: endpoint")  # so that the first is the one that was used longest ago
        assert read_status(raw.send(write_stream(tokens.bob[PLAY]))) == 503
        alice = raw.send(write_stream(tokens.alice[PLAY]))
        assert read_status(alice) == 200
        assert read_all(streams[0]).endswith(b"0\r\n\r\n")
        assert read_status(raw.send(write_stream(tokens.bob[PLAY]))) == 503, "it does not take the place back"


def test_episodes_of_websockets_that_broke_off(address: str, tokens: Tokens) -> None:
    mine = lose(address, tokens.alice[OPERATE])
    others = [lose(address, tokens.bob[OPERATE]) for _ in range(MOST + 2)]
    deadline = time.monotonic() + 20
    while look(address, tokens.bob[OPERATE], others[1]) != 404:
        assert time.monotonic() < deadline
    assert look(address, tokens.alice[OPERATE], mine) == 200
    assert [look(address, tokens.bob[OPERATE], handle) for handle in others[-2:]] == [200, 200]


def test_who_may_close_no_episode_leaves_none_to_be_closed(address: str, tokens: Tokens) -> None:
    opened = read_answer(httpx2.post(f"{address}/reset", json={}, headers=bearer(tokens.alice[OPERATE])))
    handle = opened["observation"]["episode_id"]
    assert lose(address, tokens.alice[PLAY], resume=True, episode_id=handle) == handle
    others = [lose(address, tokens.alice[OPERATE]) for _ in range(MOST + 1)]
    deadline = time.monotonic() + 20
    while look(address, tokens.alice[OPERATE], others[0]) != 404:
        assert time.monotonic() < deadline
    assert look(address, tokens.alice[OPERATE], handle) == 200


def test_without_tokens_addresses_are_told_apart() -> None:
    with full_server("--max-sessions", str(MOST)) as address:
        crowd, other = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in (1, 2))
        for _ in range(MOST + 1):
            told = create_session(address, crowd)
        assert "error" in told
        with open_talk(address, additional_headers=other) as talk:
            talk.reset()
