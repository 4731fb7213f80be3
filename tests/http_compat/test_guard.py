"""Who may speak to the server: Host and Origin on every route, browsers of other sites, hosted Spaces."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from http_compat.guard import Access, Guard
from tests.http_compat.talking import open_talk, read_answer
from tests.servers import full_server, read_routes

if TYPE_CHECKING:
    from collections.abc import Iterator


def list_paths() -> list[str]:
    """Every path that is served, with something in the place of its parameters."""
    paths = {getattr(route, "path", "") for route in read_routes()}
    return sorted(path.replace("{env_name}", "cloud-incident").replace("{episode_id}", "any") for path in paths)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    variables = {"SPACE_HOST": "someone-incidents.hf.space", "CLOUD_INCIDENT_SERVE_ALLOW_HOST": "lab.example *.cluster"}
    with full_server("--allow-origin", "https://app.example", **variables) as address:
        yield address


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
@pytest.mark.parametrize("path", list_paths())
def test_foreign_hosts_and_origins_are_refused_on_every_route(address: str, path: str, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = httpx2.request(
            method, f"{address}{path}", headers=headers, content=b"{}" if method == "POST" else None
        )
        said = read_answer(answer, 421 if "Host" in headers else 403)["detail"]
        assert "--allow-" in said


@pytest.mark.parametrize("path", ["/ws", "/mcp"])
def test_foreign_pages_cannot_open_websockets(address: str, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused, open_talk(address, path, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    with open_talk(address, path, origin="https://app.example"):
        pass


@pytest.mark.parametrize("host", ["lab.example", "LAB.example:80", "a.b.cluster:7860", "someone-incidents.hf.space"])
def test_hosts_that_were_named_are_served(address: str, host: str) -> None:
    assert read_answer(httpx2.get(f"{address}/health", headers={"Host": host}))["status"] == "healthy"
    origin = {"Host": host, "Origin": f"https://{host}"}
    assert read_answer(httpx2.get(f"{address}/health", headers=origin))["status"] == "healthy"


def test_a_space_may_be_framed_where_spaces_are_shown(address: str) -> None:
    policy = httpx2.get(f"{address}/docs").headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://huggingface.co" in policy


def test_browsers_of_an_allowed_site_may_call(address: str) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    allowed = httpx2.request("OPTIONS", f"{address}/step", headers=asked)
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    answer = httpx2.get(f"{address}/health", headers={"Origin": "https://app.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in httpx2.get(f"{address}/health").headers


@pytest.mark.anyio
async def test_long_hosts_and_origins_are_not_kept() -> None:
    """Also under a server that lets them pass."""

    async def serve(*_: object) -> None:
        pytest.fail("a long Host or Origin was accepted")

    async def receive() -> Any:
        return {"type": "http.request"}

    statuses = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    guard = Guard(serve)
    tracemalloc.start()
    try:
        for number in range(60):
            name = b"%04d" % number + b"a" * 4_000_000
            long = [(b"host", name)] if number % 2 else [(b"host", b"localhost"), (b"origin", name)]
            await guard({"type": "http", "path": "/", "method": "GET", "headers": long}, receive, send)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert statuses[::2] == [431] * 60
    assert kept < 10_000_000


@given(st.text(st.characters(exclude_characters="*"), max_size=80))
def test_no_name_is_accepted_by_accident(name: str) -> None:
    access = Access(hosts=("lab.example", "*.cluster"))
    accepted = name in {"127.0.0.1", "localhost", "::1", "lab.example"} or name.endswith(".cluster")
    assert access.accepts_host(name) is accepted
    assert access.accepts_origin(name) is False or "://" in name


@pytest.mark.parametrize(
    "origin",
    [
        "https://lab.example.evil.example",
        "https://evil.example/lab.example",
        "https://lab.example@evil.example",
        "https://evil.example#lab.example",
        "lab.example",
        "null",
        "",
        "http://[::1",
        "http://[lab.example]x",
        "http://[zz]",
    ],
)
def test_origins_that_only_look_right_are_foreign(origin: str) -> None:
    assert not Access(hosts=("lab.example",)).accepts_origin(origin)


def test_any_host_is_not_any_origin() -> None:
    access = Access(hosts=("*",))
    assert access.accepts_host("lab.example")
    assert access.accepts_origin("http://lab.example:7860", "lab.example:7860")
    assert not access.accepts_origin("http://localhost:3000", "lab.example")
    assert not access.accepts_origin("https://evil.example", "lab.example")


@pytest.mark.parametrize(
    ("origin", "called", "accepted"),
    [
        ("http://127.0.0.1:7860", "127.0.0.1:7860", True),
        ("http://LOCALHOST:7860", "localhost:7860", True),
        ("http://[::1]:7860", "[::1]:7860", True),
        ("http://localhost", "localhost:80", True),
        ("https://lab.example", "lab.example", True),
        ("https://lab.example", "lab.example:443", True),
        ("https://lab.example", "127.0.0.1:7860", True),  # a proxy calls by another name
        ("http://127.0.0.1:3000", "127.0.0.1:7860", False),
        ("http://127.0.0.1", "127.0.0.1:7860", False),
        ("http://localhost:7860", "127.0.0.1:7860", False),
        ("http://localhost", "lab.example", False),
        ("https://lab.example:8443", "lab.example", False),
        ("https://lab.example", "lab.example:7860", False),
        ("https://lab.example:8443", "127.0.0.1:7860", False),
    ],
)
def test_only_pages_of_the_servers_own_host_and_port_may_call(origin: str, called: str, accepted: bool) -> None:
    assert Access(hosts=("lab.example",)).accepts_origin(origin, called) is accepted
