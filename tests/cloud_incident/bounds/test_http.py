"""HTTP connections: what clients may send and how long they may take."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.testclient import TestClient

from cloud_incident.app import build_app
from cloud_incident.bounds.connections import Connections
from cloud_incident.bounds.limits import ConnectionLimits
from cloud_incident.settings.serve import ServeSettings
from tests.cloud_incident.bounds.raw import MCP, Raw, read_all, read_status, write_request
from tests.http_compat.talking import read_answer
from tests.servers import await_port, free_port, full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
QUICK = ("--header-seconds", "0.4", "--body-seconds", "0.4", "--write-seconds", "0.4")


def list_posts() -> list[tuple[str, str]]:
    """Every route that takes a body, with the headers that bring it there; that of MCP in both dialects."""
    with TestClient(build_app(ServeSettings()), base_url="http://localhost") as client:
        document = client.get("/openapi.json").json()
    paths = [path for path, operations in document["paths"].items() if "requestBody" in operations.get("post", {})]
    named = [(path.replace("{env_name}", "cloud-incident"), "") for path in paths]
    return [*named, ("/mcp", ""), ("/mcp", MCP), ("/messages?session_id=" + "0" * 32, MCP), ("/agent/none/mcp", MCP)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.fixture(scope="module")
def quick() -> Iterator[str]:
    with full_server(*QUICK) as address:
        yield address


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"X: " + b"a" * 60_000_000 + b"\r\n\r\n",
        HEAD + b"X: " + b"a" * 66_000 + b"\r\n\r\n",
        HEAD + b"X: 1\r\n" * 20_000 + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: " + b"a" * 4_000_000 + b"\r\n\r\n",
        HEAD + b"Origin: " + b"a" * 4_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["60 MB", "66 kB", "many", "Host", "Origin", "path"],
)
def test_headers_are_bounded(address: str, request_: bytes) -> None:
    with Raw(address) as raw:
        answer = read_all(raw.send(request_))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"detail": "Headers may have 65536 bytes."}


@pytest.mark.parametrize("name", ["Host", "Origin"])
def test_hosts_and_origins_are_bounded_below_the_other_headers(address: str, name: str) -> None:
    answer = httpx2.get(f"{address}/health", headers={name: "a" * 60_000})
    assert "512 bytes" in read_answer(answer, 431)["detail"]


def test_what_is_within_the_bounds_is_served(address: str) -> None:
    """Headers of 60 kB, also in pieces and on a connection that was used before, and a body of 1 MB."""
    with httpx2.Client(base_url=address) as api:
        for _ in range(3):
            read_answer(api.get("/health", headers={"X-Long": "a" * 60_000}))
            read_answer(api.post("/reset", json={"unknown": "a" * 1_000_000}), 422)
    with Raw(address) as raw:
        connection = raw.send(HEAD)
        for _ in range(600):
            connection.sendall(b"X: " + b"a" * 90 + b"\r\n")
        connection.sendall(b"\r\n")
        assert read_status(connection) == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_may_arrive_together_with_the_one_before(address: str, chunked: bool) -> None:
    """A body that was refused before it was all there, and behind its end the half of a small one."""
    size = (1 << 20) + 300_000
    body, tail = b" " * ((1 << 20) + 200_000), b" " * 100_000
    coding = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = f"POST /step HTTP/1.1\r\nHost: localhost\r\n{coding}\r\n\r\n".encode()
    if chunked:
        head, tail = head + f"{size:x}\r\n".encode(), tail + b"\r\n0\r\n\r\n"
    posted = write_request("POST", "/step", body=b"{", length=2)
    with Raw(address) as raw, httpx2.Client(base_url=address) as api:
        for first, second, status in ((HEAD + b"X: 1", b"\r\n\r\n", 200), (posted, b"}", 422)):
            connection = raw.send(head + body)
            assert read_status(connection) == 413
            connection.sendall(tail + first)
            api.get("/health")
            connection.sendall(second)
            assert read_status(connection) == status


def test_requests_that_do_not_wait_for_answers_may_be_large(address: str) -> None:
    large = HEAD + b"X: " + b"a" * 60_000 + b"\r\n"
    body = write_request("POST", "/reset", "X: " + "a" * 60_000 + "\r\n", b"{}" + b" " * 100_000)
    with Raw(address) as raw:
        answers = read_all(raw.send((large + b"\r\n") * 3 + body + large + b"Connection: close\r\n\r\n"))
    assert answers.count(b"HTTP/1.1 200 OK") == 5


@pytest.mark.parametrize("rest", [b"0\r\nX: ", b"5;x="], ids=["trailer", "extension"])
def test_what_stands_beside_a_body_is_bounded(address: str, rest: bytes) -> None:
    head = b"POST /step HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Raw(address) as raw:
        connection = raw.send(head + rest + b"a" * 20_000_000)
        assert b" 200 " not in read_all(connection)  # which ends, because the server has hung up


def test_requests_that_do_not_wait_for_answers_are_bounded(address: str) -> None:
    with Raw(address) as raw:
        assert read_all(raw.send((HEAD + b"\r\n") * 50_000)).count(b"200 OK") < 17
    assert httpx2.get(f"{address}/health").status_code == 200


def test_bodies_that_never_end_are_given_up_on_every_route(quick: str) -> None:
    with Raw(quick) as raw:
        halves = {
            (path, headers): raw.send(write_request("POST", path, headers, b"{", length=900))
            for path, headers in list_posts()
        }
        statuses = {route: read_status(connection) for route, connection in halves.items()}
    assert len(statuses) > 8
    assert set(statuses.values()) == {408}, statuses


def test_bodies_that_are_too_large_are_refused_on_every_route(address: str) -> None:
    body = b'"' + b"a" * (1 << 20) + b'"'
    for path, headers in list_posts():
        if path == "/console/uploads":
            continue  # an upload may be larger
        given = dict(line.split(": ") for line in headers.splitlines())
        assert httpx2.post(f"{address}{path}", content=body, headers=given).status_code == 413, path


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 0),
        (b"\r\n", 0),
        (b"GET /hea", 408),
        (HEAD, 408),
        (HEAD + b"X: ", 408),
        (b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", 404),
    ],
)
def test_half_requests_are_ended(quick: str, sent: bytes, status: int) -> None:
    with Raw(quick) as raw:
        answer = read_all(raw.send(sent))
    assert answer[9:12] == str(status or "").encode()


def test_headers_that_drip_are_ended(quick: str) -> None:
    """Each byte comes soon after the one before, on a new connection and on one that has served a request."""
    with Raw(quick) as raw:
        for first in (b"", HEAD + b"\r\n"):
            connection = raw.send(first)
            if first:
                assert read_status(connection) == 200
            connection.settimeout(0.05)
            for _ in range(100):
                try:
                    connection.sendall(b"G")
                    if not connection.recv(4096):
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            else:
                pytest.fail("the connection is still open")


def test_a_client_that_never_reads_is_ended(quick: str) -> None:
    with Raw(quick) as raw:
        page = b"GET /static/swagger-ui/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection = raw.send(page * 8)
        with Raw(quick) as others:
            read_all(others.connect())  # for as long as silence is borne, which is longer
            read_all(others.connect())
        whole = len(httpx2.get(f"{quick}/static/swagger-ui/swagger-ui-bundle.js").content) * 8
        assert len(read_all(connection)) < whole


def test_an_address_without_a_path_is_told_what_is_wrong(address: str) -> None:
    with Raw(address) as raw:
        assert read_status(raw.send(b"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 400


def test_silent_connections_make_room(address: str) -> None:
    with full_server("--max-connections", "8") as full, Raw(full) as raw:
        silent = [raw.connect() for _ in range(20)]
        for _ in range(5):
            assert httpx2.get(f"{full}/health").status_code == 200
        assert read_all(silent[0]) == b""


def test_connections_that_are_in_use_do_not_make_room() -> None:
    with full_server("--max-connections", "3") as full, Raw(full) as raw:
        streams = [raw.send(b"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(3)]
        assert [read_status(stream) for stream in streams] == [200, 200, 200]
        refused = httpx2.get(f"{full}/health")
        assert "too many connections" in read_answer(refused, 503)["detail"]
        assert int(refused.headers["Retry-After"]) > 0


def test_one_address_does_not_take_every_connection() -> None:
    arguments = ("--max-connections-per-address", "3", "--forwarded-allow-ips", "10.0.0.1")
    with full_server(*arguments) as full, Raw(full) as raw:
        silent = [raw.connect() for _ in range(3)]
        assert httpx2.get(f"{full}/health").status_code == 503
        silent.pop().close()
        assert any(httpx2.get(f"{full}/health").status_code == 200 for _ in range(100))


class Silent:
    """A connection on which nothing is asked. This machine has no second address of IPv6 to connect from."""

    client: tuple[str, int] | None
    idle_since: float | None = 0.0

    def __init__(self, address: str) -> None:
        self.client = (address, 1)

    def check_time(self, now: float) -> None: ...

    def hang_up(self) -> None: ...


def test_one_ipv6_network_does_not_take_every_connection() -> None:
    connections = Connections(ConnectionLimits(connections=10, per_address=2, trusted="2001:db8:0:2::1"))
    neighbours = [Silent(f"2001:db8:0:1::{number}") for number in range(3)]
    assert [connections.admit(each) for each in neighbours] == [True, True, False]
    assert connections.admit(Silent("2001:db8:0:3::1"))
    assert [connections.admit(Silent("2001:db8:0:2::1")) for _ in range(3)] == [True, True, True], "a proxy"
    connections.leave(neighbours[0])
    assert connections.admit(neighbours[2])


@pytest.mark.slow
def test_silent_connections_do_not_take_every_file_handle() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 128))

    port = free_port()
    command = [sys.executable, "-m", "cloud_incident", "serve", "--port", str(port)]
    process = subprocess.Popen(command, preexec_fn=limit)
    try:
        await_port(port, process)
        address = f"http://127.0.0.1:{port}"
        assert httpx2.get(f"{address}/health", timeout=30).status_code == 200
        handles = f"/proc/{process.pid}/limits"
        if Path(handles).exists():
            assert "128                  128" in Path(handles).read_text()
        with Raw(address) as raw:
            for _ in range(118):
                raw.connect()
            for _ in range(5):
                assert httpx2.get(f"{address}/health").status_code == 200
    finally:
        process.terminate()
        process.wait(20)
