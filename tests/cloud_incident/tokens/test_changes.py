"""What a token no longer allows ends where it is in use, and what it never allowed is not had by a detour."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from cloud_incident.tokens.entry import hash_token, read_entries, write_entries
from cloud_incident.tokens.finding import COOKIE
from env_core.callers import ADMIN, OPERATE, PLAY
from tests.cloud_incident.bounds.raw import MCP, Raw, read_all, read_status
from tests.cloud_incident.tokens.holding import Tokens, bearer, guarded_server
from tests.http_compat.talking import QUERY, build_rpc, open_talk, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud_incident.tokens.entry import TokenEntry

NOTICED = 1.1
"""Seconds after which a change of the file of tokens has been noticed."""


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens.write(tmp_path / "tokens")


@pytest.fixture
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens) as address:
        yield address


def change(tokens: Tokens, token: str, how: Callable[[TokenEntry], TokenEntry | None]) -> None:
    """Change the line of a token in the file, or remove it, and wait until that has been noticed."""
    digest = hash_token(token)
    entries = read_entries(tokens.file.read_text("utf-8"))
    changed = [how(entry) if entry.digest == digest else entry for entry in entries]
    tokens.file.write_text(write_entries(filter(None, changed)), "utf-8")
    time.sleep(NOTICED)


def reset(address: str, token: str, **options: Any) -> str:
    """Open an episode over REST; its handle."""
    answer = httpx2.post(f"{address}/reset", json=options, headers=bearer(token))
    handle: str = read_answer(answer)["observation"]["episode_id"]
    return handle


@pytest.mark.parametrize("changed", [{"scope": PLAY}, {"name": "carol"}], ids=["scope", "name"])
def test_a_websocket_ends_when_its_token_says_something_else(
    address: str, tokens: Tokens, changed: dict[str, Any]
) -> None:
    others = reset(address, tokens.bob[OPERATE])
    with open_talk(address, additional_headers=bearer(tokens.alice[ADMIN])) as talk:
        talk.reset(resume=True, episode_id=others)
        change(tokens, tokens.alice[ADMIN], lambda entry: entry._replace(**changed))
        with pytest.raises(ConnectionClosedError) as closed:
            talk.step(QUERY)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    state = httpx2.get(f"{address}/state", params={"episode_id": others}, headers=bearer(tokens.bob[OPERATE]))
    assert read_answer(state)["step_count"] == 0


def test_a_websocket_goes_on_when_another_token_changes(address: str, tokens: Tokens) -> None:
    with open_talk(address, additional_headers=bearer(tokens.alice[OPERATE])) as talk:
        talk.reset()
        change(tokens, tokens.bob[OPERATE], lambda _: None)
        talk.step(QUERY)


def test_a_stream_ends_when_its_token_is_removed(address: str, tokens: Tokens) -> None:
    """With the next that would be sent on it: here the answer to a message that another token of the name has sent."""
    with Raw(address) as raw:
        token = tokens.alice[OPERATE]
        headers = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        stream = raw.send(f"GET /sse HTTP/1.1\r\n{headers}\r\n".encode())
        started = b""
        while b"session_id=" not in started:
            started += stream.recv(4096)
        path = started.split(b"data: ")[1].split()[0].decode()
        change(tokens, token, lambda _: None)
        headers_of_mcp = dict(line.split(": ") for line in MCP.splitlines())
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "any", "version": "1"}}
        sent = httpx2.post(
            f"{address}{path}",
            json=build_rpc("initialize", **hello),
            headers={**headers_of_mcp, **bearer(tokens.alice[PLAY])},
        )
        assert sent.status_code == 202
        assert b"serverInfo" not in read_all(stream), "nothing of it"
        assert read_status(raw.send(f"GET /sse HTTP/1.1\r\n{headers}\r\n".encode())) == 401


def test_the_cookie_does_not_count_for_every_page_where_every_page_may_call(tokens: Tokens) -> None:
    """A page of another port of the same host gets the cookie sent along; a site that was named is trusted."""
    named, other = "https://app.example", "http://127.0.0.1:1"
    with guarded_server(tokens, allow_origin=("*", named)) as address:
        kept = {"Cookie": f"{COOKIE}={tokens.alice[OPERATE]}"}
        for origin, status in ((other, 401), ("https://evil.example", 401), (named, 200), (address, 200)):
            headers = {**kept, "Origin": origin}
            read_answer(httpx2.post(f"{address}/reset", json={}, headers=headers), status)
            read_answer(httpx2.get(f"{address}/tasks", headers=headers), status)
            if status == 200:
                with open_talk(address, additional_headers=kept, origin=origin) as talk:
                    talk.state()
            else:
                with pytest.raises(InvalidStatus), open_talk(address, additional_headers=kept, origin=origin):
                    pass
                read_answer(
                    httpx2.post(f"{address}/reset", json={}, headers={**headers, **bearer(tokens.alice[OPERATE])})
                )


def test_who_may_only_play_is_not_told_where_agents_are_served(address: str, tokens: Tokens) -> None:
    """The key in that address asks for no token, and so would be of use when the token is not any more."""
    handle = reset(address, tokens.alice[OPERATE])
    call = build_rpc("tools/call", name="show_drill", arguments={"episode_id": handle})
    headers = {**dict(line.split(": ") for line in MCP.splitlines()), "Mcp-Protocol-Version": "2026-07-28"}
    call["params"]["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "any", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers |= {"Mcp-Method": "tools/call", "Mcp-Name": "show_drill"}
    for scope, told in ((OPERATE, True), (PLAY, False)):
        token = bearer(tokens.alice[scope])
        with open_talk(address, additional_headers=token) as talk:
            taken = talk.reset(resume=True, episode_id=handle)
            talk.socket.socket.close()
        assert bool(taken["metadata"]["agent_url"]) is told
        shown = read_answer(httpx2.post(f"{address}/mcp", json=call, headers={**headers, **token}))
        assert ("/agent/" in json.dumps(shown)) is told


def test_who_may_only_play_closes_nothing_by_way_of_anothers_session(address: str, tokens: Tokens) -> None:
    first, second = (reset(address, tokens.alice[OPERATE]) for _ in range(2))
    create = build_rpc("openenv/session/create", resume=True, episode_id=first)
    session = read_answer(httpx2.post(f"{address}/mcp", json=create, headers=bearer(tokens.alice[OPERATE])))["result"]
    path = f"/ws?session_id={session['session_id']}"
    with open_talk(address, path, additional_headers=bearer(tokens.alice[PLAY])) as talk:
        talk.reset(resume=True, episode_id=second)
    for handle in (first, second):
        state = httpx2.get(f"{address}/state", params={"episode_id": handle}, headers=bearer(tokens.alice[OPERATE]))
        assert read_answer(state)["episode_id"] == handle
