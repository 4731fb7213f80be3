"""What a model's server is sent, how much of its answer is read, and which addresses visitors may have called."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from cloud_incident.evaluation.agents import PUBLIC, EndpointSettings, ModelEndpoint, ModelError, Reach
from cloud_incident.evaluation.agents.transport import MOST_ANSWER_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.anyio

HERE = Reach(loopback=True)
SECRET = "the words of an inner service"  # noqa: S105 - none
COMPLETION = {"choices": [{"message": {"role": "assistant", "content": "Hello."}}]}


class Recorded:
    """A server that gives one answer to everything, and what it was asked."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        recorded = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                recorded.paths.append(self.path)
                recorded.headers.append({name.casefold(): value for name, value in self.headers.items()})
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def answering(status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"") -> Iterator[Recorded]:
    recorded = Recorded(status, headers or {}, body or json.dumps(COMPLETION).encode())
    thread = threading.Thread(target=recorded.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield recorded
    finally:
        recorded.server.shutdown()
        recorded.server.server_close()


async def ask(base_url: str, reach: Reach | None, **changes: Any) -> str:
    """What a model says to a word, or why it says nothing."""
    settings = EndpointSettings(
        **{"base_url": base_url, "model": "m", "api_key": "sk-of-the-visitor", "attempts": 1, "reach": reach, **changes}
    )
    endpoint = ModelEndpoint(settings)
    try:
        return (await endpoint.ask(lambda _: [{"role": "user", "content": "Hello?"}], [])).content
    except ModelError as error:
        return str(error)
    finally:
        await endpoint.close()


@pytest.mark.parametrize("reach", [None, HERE], ids=["an operator", "a visitor"])
async def test_nothing_of_this_process_is_sent(monkeypatch: pytest.MonkeyPatch, reach: Reach | None) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "of-the-server")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-the-server\nAuthorization: Bearer of-the-server")
    monkeypatch.setenv("HTTP_PROXY", "" if reach is None else "http://127.0.0.1:9")
    with answering() as server:
        assert await ask(server.address, reach) == "Hello."
    (sent,) = server.headers
    assert "of-the-server" not in str(sent)
    assert sent["authorization"] == "Bearer sk-of-the-visitor"
    assert set(sent) <= {
        *("accept", "accept-encoding", "authorization", "content-length", "content-type", "host"),
        *("connection", "user-agent"),
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("reach", [None, HERE], ids=["an operator", "a visitor"])
async def test_no_redirect_is_followed(status: int, reach: Reach | None) -> None:
    with answering() as inner, answering(status, {"Location": inner.address}) as server:
        assert f"HTTP {status}; redirects are not followed" in await ask(server.address, reach)
        assert inner.paths == []


@cache
def pack(size: int) -> bytes:
    """A completion of so many bytes, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    start, end = b'{"choices": [{"message": {"content": "', b'"}}]}'
    parts = [packer.compress(start), *(packer.compress(b"a" * (1 << 20)) for _ in range(size >> 20))]
    return b"".join([*parts, packer.compress(end), packer.flush()])


@pytest.mark.slow
@pytest.mark.parametrize("reach", [None, HERE], ids=["an operator", "a visitor"])
@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({"Content-Encoding": "gzip"}, lambda: pack(64 << 20), "the answer is larger than 4 MB"),
        ({}, lambda: b" " * (MOST_ANSWER_BYTES + 1), "the answer is larger than 4 MB"),
        (
            {"Content-Encoding": "gzip, gzip"},
            lambda: gzip.compress(pack(1 << 20)),
            "packed in a way that was not asked for",
        ),
        ({"Content-Encoding": "br"}, lambda: b"a", "packed in a way that was not asked for"),
        ({"Content-Encoding": "gzip"}, lambda: b"no gzip", "cannot be unpacked"),
        ({}, lambda: b"[" * 100_000, "an answer that is not JSON"),
    ],
    ids=["a bomb", "a large one", "packed twice", "brotli", "not packed", "brackets"],
)
async def test_answers_are_bounded_after_they_are_unpacked(
    headers: dict[str, str], body: Callable[[], bytes], said: str, reach: Reach | None
) -> None:
    with answering(200, headers, body()) as server:
        assert said in await ask(server.address, reach)


async def test_packed_answers_are_read() -> None:
    with answering(200, {"Content-Encoding": "gzip"}, pack(1 << 20)) as server:
        assert await ask(server.address, HERE) == "a" * (1 << 20)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_visitors_are_told_the_status_alone(status: int) -> None:
    body = json.dumps({"error": {"message": SECRET, "code": "inner"}}).encode()
    with answering(status, {"Content-Type": "application/json"}, body) as server:
        told = await ask(server.address, HERE)
        assert told.startswith(f"HTTP {status}")
        assert SECRET[:9] not in told
        assert SECRET in await ask(server.address, None)


ADDRESSES = """
    127.0.0.1 127.1.2.3 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 0.1.2.3 224.0.0.1
    255.255.255.255 240.0.0.1 192.0.2.1 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
    ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2001:0:7f00:1:: fec0::1 2001:db8::1
"""


@pytest.mark.parametrize("address", ADDRESSES.split())
def test_addresses_that_are_not_public_are_beyond_reach(address: str) -> None:
    assert not PUBLIC.holds(ip_address(address))
    assert HERE.holds(ip_address(address)) == (address.startswith("127.") or address in {"::1", "::ffff:127.0.0.1"})


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_within_reach(address: str) -> None:
    assert PUBLIC.holds(ip_address(address))


HOSTS = """
    127.0.0.1 localhost 2130706433 0x7f000001 017700000001 127.1 0 0.0.0.0 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::]
    ①②⑦.0.0.1
"""


@pytest.mark.parametrize("host", HOSTS.split())
async def test_no_way_to_write_an_address_leads_to_this_machine(host: str) -> None:
    with answering() as server:
        told = await ask(f"http://{host}:{server.port}/v1", PUBLIC)
        assert "no models on private networks" in told or "no connection" in told or "address" in told
        assert server.paths == []


async def test_hosts_are_allowed_by_their_names() -> None:
    with answering() as server:
        assert await ask(f"http://LOCALHOST:{server.port}/v1", Reach(hosts=("localhost",))) == "Hello."
        assert "private networks" in await ask(server.address, Reach(hosts=("localhost",)))
        assert await ask(f"http://localhost:{server.port}/v1", HERE) == "Hello."


async def test_the_address_that_was_checked_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means a public address when it is checked and this machine afterwards is looked up only once."""
    looked_up = []
    look_up = socket.getaddrinfo

    def rebind(host: str | bytes, *rest: Any, **options: Any) -> Any:
        if host in {"rebinding.example", b"rebinding.example"}:
            looked_up.append(host)
            host = "127.0.0.9" if len(looked_up) == 1 else "127.0.0.1"
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    with answering() as server:
        told = await ask(f"http://rebinding.example:{server.port}/v1", HERE)
        assert told.startswith("no connection")
        assert (len(looked_up), server.paths) == (1, [])
        assert await ask(f"http://rebinding.example:{server.port}/v1", HERE) == "Hello."
        assert server.headers[0]["host"] == f"rebinding.example:{server.port}"
