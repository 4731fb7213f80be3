"""WebSockets: what clients may send and how long they may take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.cloud_incident.bounds.raw import Raw, read_all, write_frame
from tests.http_compat.talking import QUERY, open_talk
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT, MORE, PING, PONG = 1, 0, 9, 10
STATE = b'{"type":"state"}'
POLICY, TOO_BIG = (1008).to_bytes(2), (1009).to_bytes(2)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server("--body-seconds", "0.4", "--write-seconds", "0.4") as address:
        yield address


@pytest.mark.parametrize("path", ["/ws", "/mcp"])
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (write_frame(PING, b"p" * 125) * 400_000, POLICY),
        (write_frame(PONG) * 100_000, POLICY),
        (write_frame(TEXT, b"{", final=False) + write_frame(MORE, final=False) * 1_000_000, POLICY),
        (write_frame(TEXT, b"{", final=False) + write_frame(MORE, b" ", final=False) * 129, POLICY),
        (write_frame(TEXT, b"{", final=False), POLICY),
        (write_frame(TEXT, b" " * 200)[:100], POLICY),
        (write_frame(TEXT, b" " * ((1 << 20) + 1)), TOO_BIG),
    ],
    ids=["pings", "pongs", "empty frames", "many frames", "half message", "half frame", "too large"],
)
def test_who_sends_what_nobody_needs_is_hung_up_on(address: str, path: str, sent: bytes, code: bytes) -> None:
    with Raw(address) as raw:
        connection = raw.upgrade(path)
        try:
            connection.sendall(sent)
        except ConnectionError:
            return  # it was hung up on before all was sent
        answered = read_all(connection)
    assert not answered or code in answered


def test_pongs_that_are_never_read_end_the_connection() -> None:
    """Also where so many pings are allowed."""
    arguments = ("--ws-control-frames", "1000000", "--write-seconds", "0.4")
    with full_server(*arguments) as address, Raw(address) as raw:
        connection = raw.upgrade()
        with pytest.raises(ConnectionError):
            connection.sendall(write_frame(PING, b"p" * 125) * 400_000)


def test_what_is_within_the_bounds_is_served(address: str) -> None:
    with open_talk(address) as talk:
        talk.reset(scenario_id="RP-001")
        for _ in range(45):
            talk.socket.ping()
        talk.socket.send(part for part in [*json.dumps({"type": "step", "data": QUERY}), *" " * 20])
        assert talk.hear()["data"]["observation"]["step_count"] == 1
        talk.socket.send(json.dumps({"type": "state"}) + " " * 1_000_000)
        assert talk.hear()["data"]["step_count"] == 1


@pytest.mark.parametrize("count", [1, 2, 150, 3_000])
def test_messages_that_come_together_are_all_answered(address: str, count: int) -> None:
    with Raw(address) as raw:
        connection = raw.upgrade()
        connection.sendall(write_frame(TEXT, STATE) * count)
        answered = b""
        while answered.count(b'"step_count":0') < count:
            answered += connection.recv(1 << 20)


def test_others_are_served_between_messages_that_come_together(address: str) -> None:
    with Raw(address) as raw, httpx2.Client(base_url=address) as other:
        other.get("/health")
        greedy = raw.upgrade()
        greedy.sendall(write_frame(TEXT, STATE) * 30_000)
        assert other.get("/health").status_code == 200
        greedy.setblocking(False)
        try:
            served = greedy.recv(1 << 24)
        except BlockingIOError:
            served = b""
        assert served.count(b'"step_count":0') < 30_000
